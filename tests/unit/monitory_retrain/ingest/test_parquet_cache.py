"""The file of a day's hour rows."""

import io

import pyarrow.parquet as pq
import pytest

from monitory.errors import SensorSetError
from monitory.features.hour_row import Columns
from monitory.sensors import Sensor, SensorSet
from monitory_retrain.dataset import hour_table
from monitory_retrain.ingest.cache import parquet_cache

SET = SensorSet((Sensor("temp", "temperature", "°C", 0, 90),))


def test_no_sensor_can_have_the_name_of_another_column() -> None:
    columns = Columns(SET).names
    body = parquet_cache.to_parquet(hour_table.join([], len(columns)), columns, {})
    others = set(pq.read_schema(io.BytesIO(body)).names) - set(columns)
    assert others
    for name in others:
        with pytest.raises(SensorSetError, match=name):
            SensorSet((*SET.sensors, Sensor("load", name, "%", 0, 100)))

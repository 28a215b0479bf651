"""What a model card says of the readings that taught."""

import numpy as np

from monitory.features.hour_row import Columns
from monitory.model.card import decode_card
from monitory_retrain.model_card import encode, hourly_mean_ranges
from tests.support import reports

COLUMNS = Columns(reports.SENSORS)


def test_ranges_of_hourly_means_are_those_of_running_hours_with_readings() -> None:
    table = reports.table()
    running = np.zeros(len(table), dtype=bool)
    running[:3] = True
    temperature, vibration = (COLUMNS.index(name, "mean") for name in ("temperature", "vibration"))
    table.values[:4, temperature] = 70.0, np.nan, 72.5, 200.0
    table.values[:3, vibration] = np.nan
    ranges = hourly_mean_ranges(table, running, reports.SENSORS)
    assert ranges["temperature"] == (70.0, 72.5)
    assert "vibration" not in ranges
    assert hourly_mean_ranges(table, np.zeros(len(table), dtype=bool), reports.SENSORS) == {}


def test_serving_reads_the_ranges_of_every_sensor_in_the_card() -> None:
    findings = reports.findings()
    card = decode_card(encode(findings.card))
    assert set(card.hourly_means) == set(reports.SENSORS.names)
    means = findings.challenger.table.values[findings.challenger.labels.running, COLUMNS.index("pressure", "mean")]
    assert card.hourly_means["pressure"] == (means.min(), means.max())

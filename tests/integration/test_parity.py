"""Training and serving see the same: hour rows and features of a machine, field by field, at the same moment."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from monitory import clock, sensors
from monitory.features import vector
from monitory.features.excursion import Excursion
from monitory.features.failure_state import FailureState
from monitory.lake import Lake
from monitory.log import logger
from monitory.machine import Machine
from monitory.settings import Settings
from monitory.storage.s3 import S3Storage
from monitory_local.simulator.lake import write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan, State
from monitory_predict.cache.history import HistoryCache
from monitory_retrain.dataset import dataset, labels
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest.ingest import Ingest
from monitory_retrain.ingest.lake_config import LakeConfig

FIRST_DAY = date(2026, 3, 1)
DAYS = 12
LOG = logger("test", Settings(log_level="ERROR"))
SENSORS = sensors.load()
EXCURSION = Excursion(0.5, 1)


@pytest.fixture
def producer(lake_bucket: str) -> Producer:
    """A machine that fails at least once, in a lake."""
    start = clock.first_hour(FIRST_DAY)
    made = Producer(Plan(start, machines=1, seed=4, life_days=5.0, rate_seconds=120.0))
    write_hours(S3Storage(lake_bucket, region="x"), made, range(start, start + DAYS * 24))
    return made


@pytest.fixture
def trained(producer: Producer, lake_bucket: str, model_bucket: str) -> HourTable:
    """The hour rows as retraining reads them."""
    ingest = Ingest(
        LakeConfig(lake_bucket, "x", "EQUIPMENT/", SENSORS), S3Storage(model_bucket, region="x"), LOG, processes=1
    )
    days = clock.days_between(FIRST_DAY, FIRST_DAY + timedelta(days=DAYS - 1))
    return ingest.days(days, refresh=None, in_time=lambda: True).table


@pytest.fixture
def served(lake_bucket: str, model_bucket: str) -> Iterator[HistoryCache]:
    """The hour rows as serving reads them."""
    with ThreadPoolExecutor(8) as executor:
        lake = Lake(S3Storage(lake_bucket, region="x"), "EQUIPMENT/", SENSORS)
        yield HistoryCache(lake, S3Storage(model_bucket, region="x"), executor, LOG, timedelta(hours=3))


def test_hour_rows_and_features_are_the_same_in_training_and_serving(
    producer: Producer, trained: HourTable, served: HistoryCache
) -> None:
    machine = Machine("ZONE-001", "EQUIP-001")
    found = labels.label(trained, SENSORS, cap_days=30, share=EXCURSION.share, count=EXCURSION.sensors)
    data = dataset.build(trained, found, SENSORS, LOG)
    lives = producer.machines[0].lives
    failures = found.failures[machine]
    assert failures, "the test wants a failure in the middle"

    moments = [hour for hour in data.hour.tolist() if hour >= data.hour.min() + vector.HISTORY_HOURS][::7]
    assert len(moments) > 8
    assert any(lives.truth(hour).state is State.WORN for hour in moments)
    assert any(hour - failures[0] < vector.HISTORY_HOURS for hour in moments if hour > failures[0])
    for hour in moments:
        recent = served.history_at(machine, clock.hour_start(hour) + timedelta(minutes=59, seconds=50))
        row = trained.values[trained.hour == hour][0].tolist()
        assert _same(list(recent.rows[-1].values), row), f"hour row of {clock.hour_start(hour)}"
        last_failure = FailureState(EXCURSION).condition(machine, recent.rows, SENSORS).last_failure
        built = vector.build(recent.rows, SENSORS, last_failure)
        expected = data.x[data.hour == hour][0].tolist()
        for name, ours, theirs in zip(vector.names(SENSORS), built, expected, strict=True):
            assert _near(ours, theirs), f"{name} at {clock.hour_start(hour)}: {ours} served, {theirs} trained"


def _near(one: float, other: float) -> bool:
    """The same but for rounding: from Python 3.12 on `sum` loses less than a loop or an array of sums."""
    return math.isclose(one, other, rel_tol=1e-8, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))


def _same(first: list[float], second: list[float]) -> bool:
    return len(first) == len(second) and all(
        a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(first, second, strict=True)
    )

"""Several processes read a lake to the same rows as one."""

from datetime import timedelta

import pytest

from monitory import clock, sensors
from monitory.log import logger
from monitory.settings import Settings
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import REGION
from monitory_local.simulator.lake import write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan
from monitory_retrain.ingest import workers
from monitory_retrain.ingest.ingest import Ingest, Ingested
from monitory_retrain.ingest.lake_config import LakeConfig
from tests.support.fakes import MemoryStorage

START = 496_800
DAYS = clock.days_between(clock.date_of_hour(START), clock.date_of_hour(START) + timedelta(days=1))


@pytest.fixture
def source(lake_bucket: str, monkeypatch: pytest.MonkeyPatch) -> LakeConfig:
    """A lake of four machines and two days, large enough for processes to start."""
    plan = Plan(START, machines=4, rate_seconds=300.0)
    write_hours(S3Storage(lake_bucket, region=REGION), Producer(plan), range(START, START + 48))
    monkeypatch.setattr(workers, "WORTH_BYTES", 0)
    return LakeConfig(lake_bucket, REGION, "EQUIPMENT/", sensors.load())


def ingest(source: LakeConfig, processes: int) -> Ingested:
    log = logger("test", Settings(log_level="CRITICAL"))
    made = Ingest(source, MemoryStorage(), log, processes)
    return made.days(DAYS, refresh=None, in_time=lambda: True)


def test_rows_are_the_same_however_many_processes_read(source: LakeConfig) -> None:
    alone, shared = ingest(source, 1), ingest(source, 3)
    assert len(alone.table) > 150
    assert alone.table.machines == shared.table.machines
    for name in ("machine", "hour", "values", "readings", "last"):
        assert getattr(alone.table, name).tobytes() == getattr(shared.table, name).tobytes()
    assert alone.counts == shared.counts

"""Nights of ingestion: a lake of two machines and three days, and its cache, in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from monitory import sensors
from monitory.lake import Lake
from monitory.layout.lake_layout import DEFAULT_LAYOUT
from monitory.log import logger
from monitory.machine import Machine
from monitory.sensors import SensorSet
from monitory.settings import Settings
from monitory_retrain.ingest.backfill.planner import Planner
from monitory_retrain.ingest.backfill.reader import BatchReader
from monitory_retrain.ingest.ingest import Ingest, Ingested
from monitory_retrain.ingest.kernels import VECTORISED
from monitory_retrain.ingest.lake_config import LakeConfig
from tests.support.fakes import WatchedStorage
from tests.support.samples import hour_of_readings, lake_key, ndjson

FIRST_DAY = date(2026, 11, 18)
DAYS = [FIRST_DAY, FIRST_DAY + timedelta(days=1), FIRST_DAY + timedelta(days=2)]
MACHINES = [Machine("ZONE-001", "EQUIP-001"), Machine("ZONE-002", "EQUIP-002")]
HOURS = (0, 9, 23)
SENSORS = sensors.load()
LOG = logger("test", Settings(log_level="CRITICAL"))
LAKE = DEFAULT_LAYOUT.fingerprint("lake", "EQUIPMENT/")


class MemorySource(LakeConfig):
    """A lake in memory."""

    storages: dict[str, WatchedStorage] = {}  # noqa: RUF012 -- a tuple has no place for it

    def lake(self) -> Lake:
        return Lake(self.storages[self.bucket], self.prefix, self.sensors, VECTORISED)


@dataclass
class World:
    """A lake of two machines and three days, and its cache."""

    lake: WatchedStorage = field(default_factory=lambda: WatchedStorage("lake"))
    cache: WatchedStorage = field(default_factory=lambda: WatchedStorage("cache"))

    def __post_init__(self) -> None:
        for day in DAYS:
            for machine in MACHINES:
                for hour in HOURS:
                    self.write(day, hour, machine)

    def write(
        self, day: date, hour: int, machine: Machine = MACHINES[0], *, name: str = "a", value: float = 50.0
    ) -> None:
        start = datetime.combine(day, datetime.min.time()) + timedelta(hours=hour)
        lines = hour_of_readings(start, machine=machine, value=lambda n: value + (n * 7 + hour) % 5 / 3)
        self.lake.put(lake_key(day, f"{name}-{hour:02d}", machine), ndjson(lines))

    def key(self, day: date, hour: int, machine: Machine = MACHINES[0]) -> str:
        return lake_key(day, f"a-{hour:02d}", machine)

    def planner(self) -> Planner:
        return Planner(self._source(), self.cache, LOG)

    def reader(self) -> BatchReader:
        return BatchReader(self._source(), self.cache, LOG)

    def ingest(self, sensor_set: SensorSet = SENSORS, cache: WatchedStorage | None = None) -> Ingest:
        return Ingest(self._source(sensor_set), self.cache if cache is None else cache, LOG, 1)

    def _source(self, sensor_set: SensorSet = SENSORS) -> MemorySource:
        MemorySource.storages["lake"] = self.lake
        return MemorySource("lake", "", "EQUIPMENT/", sensor_set)

    def night(
        self, days: list[date] = DAYS, *, refresh: datetime | None = None, in_time: Callable[[], bool] = lambda: True
    ) -> Ingested:
        self.lake.calls.clear()
        return self.ingest().days(days, refresh=refresh, in_time=in_time)

    def from_scratch(self, days: list[date] = DAYS) -> bytes:
        """The rows that a night without any cache would have."""
        return bits(self.ingest(cache=WatchedStorage()).days(days, refresh=None, in_time=lambda: True))


def bits(found: Ingested) -> bytes:
    rows = found.table
    parts = (rows.machine, rows.hour, rows.values, rows.readings, rows.last)
    return repr(rows.machines).encode() + b"".join(part.tobytes() for part in parts)

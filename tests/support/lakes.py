"""One lake in memory, looked at as its users do: through the predict function and through the retrain ingest."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from unittest.mock import patch

from fastapi.testclient import TestClient

from monitory import clock
from monitory.decoding import rejects
from monitory.log import logger
from monitory.machine import Machine
from monitory.settings import Settings
from monitory_retrain.ingest.counts import Counts
from monitory_retrain.ingest.ingest import Ingest
from tests.support.fakes import WatchedStorage
from tests.support.models import SENSORS
from tests.support.predicting import World
from tests.support.retrain.nights import MemorySource

MACHINE = Machine("ZONE-9", "M1")
DAY = date(2026, 11, 20)
HOUR = datetime(2026, 11, 20, 16)
"""The hour of a case; six clean hours come before it."""

NOW = datetime(2026, 11, 20, 17, 10, tzinfo=clock.KST)
EVERY_SECONDS = 300
SENSOR_TYPES = ("temp", "humid", "pressure", "vibration", "active_power", "reactive_power")
LEVELS = dict(zip(SENSOR_TYPES, (71.0, 50.0, 35.0, 1.6, 53_000.0, 29_000.0), strict=True))


def reading(at: datetime, sensor: str = "temp", value: Any = None, **others: Any) -> dict[str, Any]:
    """A clean reading of the machine."""
    return {
        "zoneId": MACHINE.zone_id,
        "equipId": MACHINE.equip_id,
        "sensorId": f"S-{sensor}",
        "sensorType": sensor,
        "val": LEVELS[sensor] * (1 + at.minute % 7 / 100) if value is None else value,
        "category": "EQUIPMENT",
        "faulty": 0,
        "time": at.isoformat(),
        **others,
    }


def hour(
    start: datetime = HOUR, every: int = EVERY_SECONDS, sensors: Sequence[str] = SENSOR_TYPES
) -> list[dict[str, Any]]:
    """An hour's clean readings: 72 by default."""
    return [
        reading(start + timedelta(seconds=second), sensor) for second in range(0, 3600, every) for sensor in sensors
    ]


Readings = list[dict[str, Any]]
READINGS = hour()


def ndjson(readings: Sequence[dict[str, Any]]) -> bytes:
    """A line each."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in readings)


@dataclass
class View:
    """What users see of a lake.

    Attributes:
        status, body: of the predict function's answer.
        counts: of the retrain ingest.
        rows: the machine's hour rows as retrain has them, as text, by hour.
    """

    status: int
    body: dict[str, Any]
    counts: Counts
    rows: dict[int, str]

    @property
    def newest_hour(self) -> int:
        """The hour that was predicted from, on the wall clock."""
        return datetime.fromisoformat(self.body["window"]["start"]).hour

    @property
    def warnings(self) -> str:
        """All that the predict function warns of, or its refusal."""
        return "\n".join(self.body.get("warnings", [self.body.get("detail", "")]))

    @property
    def losses(self) -> str:
        """All that the retrain result says of losses."""
        return "\n".join([*rejects.sentences(self.counts.rejected, self.counts.samples), *self.counts.unreadable])


@dataclass
class FieldLake:
    """The lake of a case: six clean hours, and what the case puts into the hour after them."""

    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.world.promote("2026/11/18/150000")
        for age in range(6, 0, -1):
            start = HOUR - timedelta(hours=age)
            self.put(ndjson(hour(start)), f"equip-{start:%H}-0.json", written=start + timedelta(hours=1, minutes=5))

    def put(self, body: bytes, name: str = "equip-case-0.json", *, written: datetime = NOW, folder: str = "") -> str:
        """Write an object into the machine's folder of the day (or another folder), at a time of the factory."""
        storage = self.world.lake_storage
        folder = folder or f"EQUIPMENT/date={DAY}/zone_id={MACHINE.zone_id}/equip_id={MACHINE.equip_id}"
        storage.now = clock.aware(written.replace(tzinfo=None)) - timedelta(seconds=1)
        storage.put(f"{folder}/{name}", body)
        return f"{folder}/{name}"

    def look(self, now: datetime = NOW, days: Sequence[date] = (DAY,)) -> View:
        """Ask the predict function and let retrain read the days."""
        status, body = self.predict(now)
        MemorySource.storages["lake"] = self.world.lake_storage
        source = MemorySource("lake", "", "EQUIPMENT/", SENSORS)
        ingest = Ingest(source, WatchedStorage("cache"), logger("test", Settings(log_level="CRITICAL")), 1)
        outcome = ingest.days(list(days), refresh=None, in_time=lambda: True)
        table = outcome.table
        rows = {
            int(table.hour[at]): repr(table.values[at].tolist())
            for at in range(len(table))
            if table.machines[table.machine[at]] == MACHINE
        }
        return View(status, body, outcome.counts, rows)

    def predict(self, now: datetime = NOW) -> tuple[int, dict[str, Any]]:
        """The predict function's status and answer."""
        with patch.object(clock, "now", lambda: now):
            answer = TestClient(self.world.app(), raise_server_exceptions=False).get(
                "/api/v1/predict", params={"zoneId": MACHINE.zone_id, "equipId": MACHINE.equip_id}
            )
        return answer.status_code, answer.json()


def lines(readings: Readings = READINGS) -> list[bytes]:
    """Readings as JSON, one each."""
    return [json.dumps(one).encode() for one in readings]


def look_at(body: bytes, name: str = "equip-case-0.json") -> View:
    """What users see of a lake whose newest object is this one."""
    lake = FieldLake()
    lake.put(body, name)
    return lake.look()


@cache
def clean() -> View:
    """What users see of the clean hour."""
    return look_at(ndjson(READINGS))


def assert_all_read(view: View) -> None:
    """The hour is the clean one, for predict and retrain, and there are no warnings."""
    assert (view.status, view.newest_hour, view.body["state"]) == (200, 16, "ok")
    assert view.body["window"]["readings"] == 72
    assert view.body["window"]["rejected"] == {}
    assert view.body["warnings"] == clean().body["warnings"]
    assert view.body["predictions"] == clean().body["predictions"]
    assert view.rows == clean().rows
    assert view.counts.rejected == {}

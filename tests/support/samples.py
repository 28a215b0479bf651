"""Readings, lakes and models for tests, as small as they can be."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from monitory.machine import Machine
from monitory.readings.objects import ObjectKey
from tests.support.fakes import MemoryStorage

MACHINE = Machine("ZONE-001", "EQUIP-001")
DAY = date(2026, 11, 20)
TEN = datetime(2026, 11, 20, 10)
SOURCE = ObjectKey("EQUIPMENT/an-object.json", MACHINE, DAY)
SENSOR_TYPES = ("temp", "pressure", "vibration", "humid", "active_power", "reactive_power")


def reading(value: Any = 70.5, second: float = 0, sensor: str = "temp", **others: Any) -> dict[str, Any]:
    """A reading of `MACHINE` so many seconds after ten o'clock, in the producer's words."""
    return {
        "zoneId": MACHINE.zone_id,
        "equipId": MACHINE.equip_id,
        "sensorId": f"UA10T-{sensor}",
        "sensorType": sensor,
        "val": value,
        "category": "EQUIPMENT",
        "faulty": 0,
        "time": (TEN + timedelta(seconds=second)).isoformat(),
        **others,
    }


def ndjson(readings: Iterable[dict[str, Any]]) -> bytes:
    """Lines, with the blank ones at the end that the producer leaves."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in readings) + b"\n\n"


def hour_of_readings(
    start: datetime,
    *,
    machine: Machine = MACHINE,
    every_seconds: int = 300,
    sensors: Sequence[str] = SENSOR_TYPES,
    value: Callable[[int], float] = lambda number: 50.0 + number % 7,
) -> list[dict[str, Any]]:
    """An hour of a machine; `value` gives the n-th reading of every sensor."""
    return [
        reading(
            value(number),
            sensor=sensor,
            zoneId=machine.zone_id,
            equipId=machine.equip_id,
            time=(start + timedelta(seconds=number * every_seconds)).isoformat(),
        )
        for number in range(3600 // every_seconds)
        for sensor in sensors
    ]


@lru_cache(maxsize=1024)
def hour_of_lines(start: datetime, machine: Machine = MACHINE) -> bytes:
    """`hour_of_readings` as lines; kept, for hundreds of tests have the same week."""
    return ndjson(hour_of_readings(start, machine=machine))


def lake_key(day: date, name: str, machine: Machine = MACHINE) -> str:
    """Where an object of the lake lies."""
    return f"EQUIPMENT/date={day}/zone_id={machine.zone_id}/equip_id={machine.equip_id}/equip-{name}-0.json"


def fill_hours(lake: MemoryStorage, hours: Iterable[datetime], machine: Machine = MACHINE) -> None:
    """Write one object per hour into a lake."""
    for start in hours:
        name = f"{hash(start) & 0xFFFFFF:06x}-{start:%H}"
        lake.put(lake_key(start.date(), name, machine), hour_of_lines(start, machine))

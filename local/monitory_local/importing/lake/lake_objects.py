"""A machine's readings of a date -> the lake's objects, one for each hour.

An object is named after its content: what is imported again has the name that it has already, so nothing is doubled,
and nothing that lies in the lake is written over.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np

from monitory_local.importing.lake.spill import MachineDay
from monitory_local.importing.readings import SensorName
from monitory_local.importing.tables.times import in_lake_form, wall_clock


class LakeObject(NamedTuple):
    """An object of the lake: its key, its NDJSON, and how many readings that has."""

    key: str
    body: bytes
    readings: int


def lake_objects(prefix: str, day: MachineDay, sensors: Sequence[SensorName]) -> Iterator[LakeObject]:
    """The objects of a machine and date, one for each hour of the factory's clock that has readings."""
    zone_id, equip_id = day.machine
    folder = f"{prefix.rstrip('/')}/date={day.day}/zone_id={zone_id}/equip_id={equip_id}"
    heads = [_head(zone_id, equip_id, sensor) for sensor in sensors]
    hours = wall_clock(day.readings["time"]).astype("datetime64[h]").astype(np.int64)
    for number, hour in enumerate(np.unique(hours)):
        readings = day.readings[hours == hour]
        lines = [
            f'{heads[sensor]}{value!r},"category":"EQUIPMENT","faulty":0,"time":"{time}"}}\n'
            for sensor, value, time in zip(
                readings["sensor"].tolist(), readings["value"].tolist(), in_lake_form(readings["time"]), strict=True
            )
        ]
        body = "".join(lines).encode()
        name = UUID(bytes=hashlib.sha256(body).digest()[:16], version=5)
        yield LakeObject(f"{folder}/equip-{name}-{number}.json", body, len(lines))


def _head(zone_id: str, equip_id: str, sensor: SensorName) -> str:
    """The beginning of a reading's line, up to its value."""
    fields = {
        "zoneId": zone_id,
        "equipId": equip_id,
        "sensorId": sensor.sensor_id,
        "sensorType": sensor.sensor_type,
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))[:-1] + ',"val":'

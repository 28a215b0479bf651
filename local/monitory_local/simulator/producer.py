"""How the stream job writes readings: one NDJSON object per machine and hour, with its known bad habits.

An hour may come in two objects with some lines twice (delivery is at least once), names are random, objects
end in blank lines, and sensor types that nobody asked for are among the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from monitory.clock import hour_start
from monitory_local.simulator.readings import SECONDS_PER_HOUR, MachineReadings, SensorHour
from monitory_local.simulator.signals import EXTRA_TYPES
from monitory_local.simulator.wear import Plan

SPLIT_SHARE = 0.01
"""Share of hours that come in two objects."""

_REPEATED_LINES = 12
_EXTRA_EVERY_SECONDS = 60  # or every fifth reading, where readings are few


@dataclass(frozen=True)
class LakeFile:
    """An object of the lake; `body` is NDJSON."""

    key: str
    body: bytes


class Producer:
    """Writes what the machines of a simulated factory read."""

    def __init__(self, plan: Plan, prefix: str = "EQUIPMENT/") -> None:
        """Writes under a prefix of the lake."""
        self.plan = plan
        self.machines = [MachineReadings(plan, number) for number in range(plan.machines)]
        self._prefix = prefix.rstrip("/")

    def files(self, number: int, hour: int) -> Iterator[LakeFile]:
        """The objects of a machine and an hour: usually one, none while it is off and silent, two for a split."""
        machine = self.machines[number]
        sensors = machine.hour(hour)
        if not sensors:
            return
        draw = np.random.default_rng([self.plan.seed, number, 6, hour])
        lines = self._lines(machine, number, hour, sensors, draw)
        if draw.random() < SPLIT_SHARE:
            cut = int(draw.integers(1, len(lines)))
            parts = [lines[:cut], lines[max(0, cut - _REPEATED_LINES) :]]
        else:
            parts = [lines]
        folder = (
            f"{self._prefix}/date={hour_start(hour).date()}"
            f"/zone_id={machine.lives.zone_id}/equip_id={machine.lives.equip_id}"
        )
        for part in parts:
            name = f"equip-{UUID(bytes=draw.bytes(16), version=4)}-{int(draw.integers(8))}.json"
            blank = "\n" * int(draw.integers(1, 4))
            yield LakeFile(f"{folder}/{name}", ("".join(part) + blank).encode())

    def _lines(
        self, machine: MachineReadings, number: int, hour: int, sensors: list[SensorHour], draw: np.random.Generator
    ) -> list[str]:
        """All readings of the hour as lines, in order of time."""
        owner = f'{{"zoneId":"{machine.lives.zone_id}","equipId":"{machine.lives.equip_id}"'
        clock = f',"category":"EQUIPMENT","faulty":0,"time":"{hour_start(hour):%Y-%m-%dT%H}'
        lines: list[str] = []
        times: list[npt.NDArray[np.int64]] = []
        for sensor in sensors:
            sensor_id = _sensor_id(sensor.signal.code, number)
            head = f'{owner},"sensorId":"{sensor_id}","sensorType":"{sensor.signal.lake_name}"'
            lines += _formatted(head, sensor.values.tolist(), clock, sensor.microseconds)
            times.append(sensor.microseconds)
        for extra in EXTRA_TYPES:
            count = int(SECONDS_PER_HOUR // max(_EXTRA_EVERY_SECONDS, 5 * self.plan.rate_seconds))
            if not count:
                continue
            step = SECONDS_PER_HOUR * 1_000_000 // count
            moments = step * np.arange(count) + int(draw.integers(step))
            head = f'{owner},"sensorId":"{_sensor_id(extra[:3].upper(), number)}","sensorType":"{extra}"'
            lines += _formatted(head, np.round(draw.gamma(9.0, 3.0, count), 2).tolist(), clock, moments)
            times.append(moments)
        order = np.argsort(np.concatenate(times), kind="stable")
        return [lines[index] for index in order.tolist()]


def _formatted(head: str, values: list[float], clock: str, microseconds: npt.NDArray[np.int64]) -> list[str]:
    """One sensor's lines; a value is written as briefly as it can be."""
    seconds, fraction = np.divmod(microseconds, 1_000_000)
    minutes, seconds = np.divmod(seconds, 60)
    return [
        f'{head},"val":{value}{clock}:{minute:02d}:{second:02d}.{part:06d}"}}\n'
        for value, minute, second, part in zip(
            values, minutes.tolist(), seconds.tolist(), fraction.tolist(), strict=True
        )
    ]


def _sensor_id(code: str, number: int) -> str:
    return f"UA10T-{code}-{24060001 + number}"

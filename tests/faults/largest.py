"""Reads the largest legal object as predict reads it, and prints the peak of resident memory: one JSON object."""

import json
import resource
import sys
from collections.abc import Iterator
from datetime import date

from monitory import sensors
from monitory.identifiers import Machine
from monitory.lake import Lake, LakeObject, MachineDay
from monitory.storage import Blob
from tests.fakes import MemoryStorage

LARGEST = 512 << 20
MACHINE = Machine("ZONE-001", "EQUIP-001")
TYPES = ("temp", "humid", "pressure", "vibration", "active_power", "reactive_power")


class Endless(MemoryStorage):
    """One object that is made while it is read."""

    size = 0

    def stream(self, key: str, chunk_bytes: int) -> Iterator[bytes]:
        """About 512 MB of one hour's readings, at the rate that fills them."""
        lines: list[bytes] = []
        waiting = 0
        for number in range(1 << 40):
            sensor = TYPES[number % len(TYPES)]
            at = number // len(TYPES) * 7000
            line = (
                b'{"zoneId":"ZONE-001","equipId":"EQUIP-001","sensorId":"UA10T-%s-24060890","sensorType":"%s","val":%d.%02d,'
                b'"category":"EQUIPMENT","faulty":0,"time":"2026-11-20T20:%02d:%02d.%06d"}\n'
            ) % (
                sensor[:3].upper().encode(),
                sensor.encode(),
                60 + number % 20,
                number % 100,
                at // 60_000_000 % 60,
                at // 1_000_000 % 60,
                at % 1_000_000,
            )
            if self.size + len(line) > LARGEST:
                break
            lines.append(line)
            self.size += len(line)
            waiting += len(line)
            if waiting >= chunk_bytes:
                yield b"".join(lines)
                lines, waiting = [], 0
        yield b"".join(lines) + b"\n" * (LARGEST - self.size)

    def get(self, key: str) -> Blob:
        """Nobody holds it whole."""
        raise AssertionError(key)


def main() -> None:
    """Read it."""
    storage = Endless()
    lake = Lake(storage, "EQUIPMENT", sensors.load())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    item = LakeObject("EQUIPMENT/largest", '"1"', LARGEST, MACHINE, date(2026, 11, 20))
    day = lake.refresh(MachineDay(), [item])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    readings = sum(hour.readings for hour in day.hours)
    json.dump({"before_mb": before, "peak_mb": peak, "readings": readings, "hours": len(day.hours)}, sys.stdout)


if __name__ == "__main__":
    main()

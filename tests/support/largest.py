"""Reads the largest legal object as predict reads it, and prints the peak of resident memory: one JSON object.

    python -m tests.support.largest usual|short|mixed

with lines as the producer writes them, with lines as short as they can be, or with such lines of two sensors of a kind
whose readings come in no order.
"""

import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from monitory import sensors
from monitory.lake import Lake, MachineDay
from monitory.lake_listing import LakeObject
from monitory.machine import Machine
from monitory.storage.port import Blob
from tests.support.fakes import MemoryStorage

LARGEST = 512 << 20
MACHINE = Machine("Z", "E")
TYPES = ("temp", "humid", "pressure", "vibration", "active_power", "reactive_power")
USUAL = (
    b'{"zoneId":"Z","equipId":"E","sensorId":"UA10T-%s-240608901234567890%d","sensorType":"%s","val":%d.%02d,'
    b'"category":"EQUIPMENT","faulty":0,"time":"2026-11-20T20:%02d:%02d.%06d"}\n'
)
SHORT = (
    b'{"zoneId":"Z","equipId":"E","sensorId":"%.1s%d","sensorType":"%s","val":%d.%02d,'
    b'"time":"2026-11-20T20:%02d:%02d.%06d"}\n'
)


class Endless(MemoryStorage):
    """One object that is made while it is read."""

    size = 0

    def __init__(self, mode: str) -> None:
        """`mode` as in the module's words."""
        super().__init__()
        self.line = USUAL if mode == "usual" else SHORT
        self.mixed = mode == "mixed"

    def stream(self, key: str, chunk_bytes: int) -> Iterator[bytes]:
        """About 512 MB of one hour's readings, at the rate that fills them."""
        lines: list[bytes] = []
        waiting = 0
        for number in range(1 << 40):
            sensor = TYPES[number % len(TYPES)]
            at = number // len(TYPES) * 3900
            if self.mixed:
                at = at * 7919 % 3_600_000_000
            line = self.line % (
                sensor[:3].upper().encode(),
                number // len(TYPES) % 2 if self.mixed else 0,
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


def _peak_mb() -> int:
    """The most memory this program held; `getrusage` would tell of the one that started it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def main() -> None:
    """Read it."""
    storage = Endless(sys.argv[1])
    lake = Lake(storage, "EQUIPMENT", sensors.load())
    before = _peak_mb()
    item = LakeObject("EQUIPMENT/largest", '"1"', LARGEST, MACHINE, date(2026, 11, 20))
    day = lake.refresh(MachineDay(), [item])
    peak = _peak_mb()
    readings = sum(hour.readings for hour in day.hours)
    json.dump({"before_mb": before, "peak_mb": peak, "readings": readings, "hours": len(day.hours)}, sys.stdout)


if __name__ == "__main__":
    main()

"""Engines as the machines of a factory: one cycle is one hour, and the last hour of all is the one that ended last."""

import csv
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from monitory.clock import hour_start
from monitory_local.example.cmapss import SENSORS, Engine, Floats

ZONE = "TEST-STAND"
REPAIR_HOURS = 24
"""Hours from a failure to the first hour of the next run."""

_MINUTE = timedelta(minutes=30)


class Factory:
    """A history that ends with the hour before `present`.

    A machine runs as an engine of the training file until that fails, stands still for a day, and then runs as an
    engine of the test file, whose data end at the present.
    """

    def __init__(self, engines: Sequence[Engine], present: int) -> None:
        """Engines, and the first hour that has not ended."""
        self.engines = engines
        self.present = present

    @property
    def names(self) -> list[str]:
        """The machines' equipIds."""
        return [f"ENGINE-{number:03d}" for number in range(1, len(self.engines) + 1)]

    def failure_hour(self, number: int) -> int:
        """The hour in which a machine failed: its first run's last one."""
        return self.present - len(self.engines[number].second) - REPAIR_HOURS - 1

    def next_failure_hour(self, number: int) -> int:
        """The hour in which its second run will fail, by the file of true RUL."""
        return self.present - 1 + self.engines[number].cycles_left

    def write_readings(self, path: Path, hours: range) -> None:
        """Write the readings of the hours as a CSV file with a column per sensor, in order of machines."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["time", "machine", *SENSORS])
            for number, name in enumerate(self.names):
                for hour, row in self._rows(number):
                    if hour in hours:
                        writer.writerow([_text(hour), name, *map(repr, row.tolist())])

    def write_records(self, path: Path) -> None:
        """Write the failures, as a maintenance department lists them, as a CSV file."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["machine", "start", "end", "kind", "cause"])
            for number, name in enumerate(self.names):
                hour = self.failure_hour(number)
                start, end = _text(hour), _text(hour + REPAIR_HOURS)
                writer.writerow([name, start, end, "breakdown", "HPC degradation"])

    @property
    def first_hour(self) -> int:
        """The first hour of the first machine."""
        return min(self.failure_hour(n) - len(engine.run) + 1 for n, engine in enumerate(self.engines))

    def _rows(self, number: int) -> Iterator[tuple[int, Floats]]:
        engine = self.engines[number]
        yield from enumerate(engine.run, start=self.failure_hour(number) - len(engine.run) + 1)
        yield from enumerate(engine.second, start=self.present - len(engine.second))


def _text(hour: int) -> str:
    """The middle of an hour, with its offset from UTC."""
    return (hour_start(hour) + _MINUTE).isoformat()

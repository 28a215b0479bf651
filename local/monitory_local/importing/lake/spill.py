"""Readings in files by machine and date, so that memory does not grow with what is imported."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitory.machine import Machine
from monitory_local.importing.readings import Readings, Vocabulary
from monitory_local.importing.tables.times import wall_clock

_READING = np.dtype([("time", "<i8"), ("sensor", "<i4"), ("value", "<f8")])


class MachineDay(NamedTuple):
    """A machine's readings of one date of the factory.

    Attributes:
        machine: whose.
        day: the factory's date.
        readings: `time`, `sensor` (a code), `value`; sorted, each once.
        repeats: how many exact repeats were dropped.
    """

    machine: Machine
    day: date
    readings: npt.NDArray[np.void]
    repeats: int


class Spill:
    """A folder with one file for each machine and date."""

    def __init__(self, folder: Path, vocabulary: Vocabulary) -> None:
        """An empty spill in an empty folder."""
        self._folder = folder
        self._vocabulary = vocabulary
        self._keys: set[tuple[int, int]] = set()

    def add(self, readings: Readings) -> None:
        """Append readings, in any order."""
        if not len(readings.time):
            return
        days = wall_clock(readings.time).astype("datetime64[D]").astype(np.int64)
        order = np.lexsort((days, readings.machine))
        records = np.empty(len(order), dtype=_READING)
        for name in ("time", "sensor", "value"):
            records[name] = getattr(readings, name)[order]
        owners = np.stack([readings.machine[order].astype(np.int64), days[order]])
        starts = np.flatnonzero(np.diff(owners, prepend=owners[:, :1] - 1).any(axis=0))
        for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
            owner, day = owners[:, start].tolist()
            with self._file(owner, day).open("ab") as file:
                file.write(records[start:end].tobytes())
            self._keys.add((owner, day))

    def machine_days(self) -> Iterator[MachineDay]:
        """What was added, machine by machine, oldest date first."""
        machines = list(self._vocabulary.machines)
        for owner, day in sorted(self._keys):
            records = np.fromfile(self._file(owner, day), dtype=_READING)
            once = np.unique(records)  # sorted by its fields in order, so by time first
            yield MachineDay(machines[owner], date.fromordinal(day + _EPOCH_ORDINAL), once, len(records) - len(once))

    def __len__(self) -> int:
        """Machine-days."""
        return len(self._keys)

    def _file(self, owner: int, day: int) -> Path:
        return self._folder / f"{owner}_{day}"


_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

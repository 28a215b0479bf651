"""Hour rows of many machines as arrays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitory.features.hour_row import HourRow
from monitory.lake import MachineDay, ObjectSummary
from monitory.machine import Machine
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset import large_array

_PART_ROWS = 50_000
"""Of a table in a file, so many rows are in memory at once."""


@dataclass(frozen=True, slots=True)
class HourTable:
    """Hour rows of machines, ordered by machine and hour.

    Attributes:
        machines: the machines, in order.
        machine: index into `machines`, shape (n,).
        hour: see `clock`, shape (n,).
        values: named by `hour_row.Columns`, shape (n, columns); NaN is missing. Those of large tables are in a file
            (`large_array`), so read them by `by_machine` or in `parts`.
        readings: readings of each row, shape (n,).
        last: time of the newest reading, KST, microseconds since 1970, shape (n,).
    """

    machines: list[Machine]
    machine: Ints
    hour: Ints
    values: Floats
    readings: Ints
    last: Ints

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.hour)

    def slices(self) -> list[tuple[Machine, slice]]:
        """Where each machine's rows are; machines without rows are left out."""
        edges = np.searchsorted(self.machine, np.arange(len(self.machines) + 1))
        return [
            (machine, slice(int(edges[i]), int(edges[i + 1])))
            for i, machine in enumerate(self.machines)
            if edges[i] < edges[i + 1]
        ]

    def by_machine(self) -> Iterator[tuple[Machine, slice]]:
        """The slices one after another, each while its values are read."""
        read = 0
        for machine, rows in self.slices():
            yield machine, rows
            read += rows.stop - rows.start
            if read >= _PART_ROWS:
                large_array.let_go(self.values)
                read = 0
        large_array.let_go(self.values)

    def parts(self) -> Iterator[slice]:
        """Slices of rows of any machines, which are all rows together, each while its values are read."""
        for begin in range(0, len(self), _PART_ROWS):
            yield slice(begin, min(begin + _PART_ROWS, len(self)))
            large_array.let_go(self.values)


def from_days(days: Mapping[Machine, MachineDay], width: int) -> HourTable:
    """A table of machine-days of one date; `width` is the number of an hour row's values."""
    machines = sorted(days)
    hours = [(index, hour) for index, machine in enumerate(machines) for hour in days[machine].hours]
    values = np.empty((len(hours), width))
    for at, (_, hour) in enumerate(hours):
        values[at] = hour.values
    last = np.array([hour.last for _, hour in hours], dtype="datetime64[us]")
    return HourTable(
        machines,
        np.array([index for index, _ in hours], dtype=np.int64),
        np.array([hour.hour for _, hour in hours], dtype=np.int64),
        values,
        np.array([hour.readings for _, hour in hours], dtype=np.int64),
        last.astype(np.int64),
    )


def part(table: HourTable, machine: Machine, rows: slice) -> HourTable:
    """A machine's rows of a table; `rows` says where they are."""
    hour = table.hour[rows]
    return HourTable([machine], np.zeros_like(hour), hour, table.values[rows], table.readings[rows], table.last[rows])


def join(tables: Sequence[HourTable], width: int) -> HourTable:
    """One table of several, for instance of consecutive days."""
    machines = sorted({machine for table in tables for machine in table.machines})
    index = {machine: at for at, machine in enumerate(machines)}
    if not machines:
        none = np.empty(0, dtype=np.int64)
        return HourTable([], none, none, np.empty((0, width)), none, none)
    machine = np.concatenate([_renumbered(table, index) for table in tables])
    hour = np.concatenate([table.hour for table in tables])
    order = np.lexsort((hour, machine))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    values = large_array.empty((len(order), width))
    begin = 0
    for table in tables:  # each table straight to its place: joining and then sorting would hold all rows twice
        values[place[begin : begin + len(table)]] = table.values
        begin += len(table)
        large_array.let_go(values)
    readings = np.concatenate([table.readings for table in tables])[order]
    last = np.concatenate([table.last for table in tables])[order]
    return HourTable(machines, machine[order], hour[order], values, readings, last)


def _renumbered(table: HourTable, index: Mapping[Machine, int]) -> Ints:
    numbers = np.array([index[machine] for machine in table.machines], dtype=np.int64)
    return numbers[table.machine] if len(numbers) else np.empty(0, dtype=np.int64)


def machine_day(table: HourTable, rows: slice, objects: tuple[ObjectSummary, ...]) -> MachineDay:
    """A machine's rows of a date back as a machine-day."""
    last = table.last[rows].astype("datetime64[us]").tolist()
    hours = tuple(
        HourRow(hour, tuple(values), readings, moment)
        for hour, values, readings, moment in zip(
            table.hour[rows].tolist(), table.values[rows].tolist(), table.readings[rows].tolist(), last, strict=True
        )
    )
    return MachineDay(objects, hours)

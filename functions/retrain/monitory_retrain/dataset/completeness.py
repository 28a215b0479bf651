"""Completeness: the hours with data of each machine and day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from monitory import clock
from monitory.machine import Machine
from monitory_retrain.array_types import Ints
from monitory_retrain.dataset.dates import date_numbers
from monitory_retrain.dataset.hour_table import HourTable


@dataclass(frozen=True, slots=True)
class Completeness:
    """Hours with data of each machine and day.

    Attributes:
        machines: those with any data, in order.
        days: all days of the range, with or without data.
        hours: 0..25, shape (machines, days).
        ends: the hour up to which there can be data, where a day of the range is still running; None elsewhere.
    """

    machines: list[Machine]
    days: list[date]
    hours: Ints
    ends: int | None = None

    @property
    def expected(self) -> Ints:
        """Hours that a machine without gaps has of each day, shape (days,): fewer of a day that is still running."""
        hours = (clock.hours_of(day) for day in self.days)
        return np.array(
            [
                len(of_day) if self.ends is None else len(range(of_day.start, min(of_day.stop, self.ends)))
                for of_day in hours
            ],
            dtype=np.int64,
        )

    @property
    def missing(self) -> Ints:
        """Hours without data of each machine, shape (machines,)."""
        missing: Ints = self.expected.sum() - self.hours.sum(axis=1)
        return missing


def completeness(table: HourTable, days: Sequence[date], present: int | None = None) -> Completeness:
    """Count the hours of a table.

    Args:
        table: hour rows.
        days: the dates of its range, ascending.
        present: the present hour. Its day is still running: hours after the newest row of any machine are no gap.
    """
    at = {day.toordinal(): index for index, day in enumerate(days)}
    machines = [machine for machine, _ in table.slices()]
    hours = np.zeros((len(machines), len(days)), dtype=np.int64)
    for row, (_, rows) in enumerate(table.slices()):
        for day, count in zip(*np.unique(date_numbers(table.hour[rows]), return_counts=True), strict=True):
            if int(day) in at:
                hours[row, at[int(day)]] = count
    return Completeness(machines, list(days), hours, _ends(table, days, present))


def _ends(table: HourTable, days: Sequence[date], present: int | None) -> int | None:
    if present is None or clock.date_of_hour(present) not in days:
        return None
    midnight = clock.first_hour(clock.date_of_hour(present))
    return max(midnight, int(table.hour.max()) + 1) if len(table) else midnight

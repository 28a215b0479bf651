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
    """

    machines: list[Machine]
    days: list[date]
    hours: Ints

    @property
    def missing(self) -> Ints:
        """Hours without data of each machine, shape (machines,)."""
        missing: Ints = sum(len(clock.hours_of(day)) for day in self.days) - self.hours.sum(axis=1)
        return missing


def completeness(table: HourTable, days: Sequence[date]) -> Completeness:
    """Count the hours of a table; `days` are the dates of its range, ascending."""
    at = {day.toordinal(): index for index, day in enumerate(days)}
    machines = [machine for machine, _ in table.slices()]
    hours = np.zeros((len(machines), len(days)), dtype=np.int64)
    for row, (_, rows) in enumerate(table.slices()):
        for day, count in zip(*np.unique(date_numbers(table.hour[rows]), return_counts=True), strict=True):
            if int(day) in at:
                hours[row, at[int(day)]] = count
    return Completeness(machines, list(days), hours)

"""The unit of work of ingestion."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from monitory.lake import MachineDay
from monitory.lake_listing import LakeObject
from monitory.machine import Machine


class Task(NamedTuple):
    """A machine-day to bring up to date.

    Attributes:
        day, machine: which.
        cached: its cached state.
        listing: its objects now.
        size: number of bytes in those that the cached state lacks.
        may_use_scored: whether rows that the score function computed may stand for objects.
    """

    day: date
    machine: Machine
    cached: MachineDay
    listing: Sequence[LakeObject]
    size: int
    may_use_scored: bool = True

"""What a process holds of machines in memory, bounded."""

from collections import OrderedDict
from typing import TypeVar

from monitory.machine import Machine

MEMORY_MACHINES = 100

T = TypeVar("T")


def hold(held: OrderedDict[Machine, T], machine: Machine, value: T) -> None:
    """Hold what belongs to a machine, and of the machines only those that came last."""
    held[machine] = value
    held.move_to_end(machine)
    while len(held) > MEMORY_MACHINES:
        held.popitem(last=False)

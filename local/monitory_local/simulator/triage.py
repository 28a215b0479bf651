"""A factory's state at an hour, as a demonstration wants it: most machines healthy, a few in need of work.

Of the machines, one is failing, one stands still for maintenance, one was maintained a week ago, every sixth one is
within a week of its failure, and the others have more than a week. Lives up to that hour are drawn as ever; of those
that lead up to it, healthy machines' go on as drawn where they leave time enough, the others end when this module says.
"""

from dataclasses import dataclass

from monitory.clock import HOURS_PER_DAY

NEED_DAYS = (1.2, 2.4, 4.4, 6.3)
"""Days left of the machines in need, in turns."""

_HEALTHY_DAYS = (10.0, 14.0)  # at least; machine by machine, so that they don't all fail at once
_MAINTAINED_HOURS = 7 * HOURS_PER_DAY
_SERVICE_HOURS = 8


@dataclass(frozen=True)
class Ending:
    """How a life ends.

    Attributes:
        failure: first hour of the failure, or of the one that maintenance prevents.
        repair: first hour of standing still.
        end: first hour of the next life.
        maintained: the failure doesn't happen.
        at_least: a life that is drawn to last longer does so.
    """

    failure: int
    repair: int
    end: int
    maintained: bool = False
    at_least: bool = False


def endings(number: int, machines: int, classes: int, hour: int) -> list[Ending]:
    """The endings of a machine's lives around an hour, in order.

    Args:
        number: of the machine, counted from 0.
        machines: of the factory.
        classes: kinds of machines; those of the second kind are the first to be in need.
        hour: the first hour that is not in the lake yet.
    """
    order = sorted(range(machines), key=lambda n: (n % classes != 1, n))
    place = order.index(number)
    needing = max(1, machines // 6)
    if place == 0:
        # long enough for two hours of it to be told of, and for people to look at it before it is repaired
        return [Ending(failure=hour - 3, repair=hour + 6, end=hour + 12)]
    if place == 1:
        return [Ending(failure=hour + 15, repair=hour - 9, end=hour + 6, maintained=True)]
    if place < 2 + needing:
        return [_failure(hour + round(NEED_DAYS[place % len(NEED_DAYS)] * HOURS_PER_DAY))]
    least, most = _HEALTHY_DAYS
    healthy = _failure(hour + round((least + (most - least) * place / machines) * HOURS_PER_DAY), at_least=True)
    if place == machines - 1:
        work = hour - _MAINTAINED_HOURS
        return [Ending(work + HOURS_PER_DAY, work, work + _SERVICE_HOURS, maintained=True), healthy]
    return [healthy]


def _failure(hour: int, *, at_least: bool = False) -> Ending:
    return Ending(failure=hour, repair=hour + 4, end=hour + 12, at_least=at_least)

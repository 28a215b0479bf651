"""A factory's state at an hour, as a demonstration wants it: most machines healthy, a few in need of work.

Of the machines, one is failing, one stands still for maintenance, one was maintained a week ago, every sixth one is
within a week of its failure, and the others have more than a week, most of them about half a life. Lives up to that
hour are drawn as ever; only those that lead up to it end when this module says.
"""

from dataclasses import dataclass

from monitory.clock import HOURS_PER_DAY

NEED_DAYS = (1.2, 2.4, 4.4, 6.3)
"""Days left of the machines in need, in turns."""

_HEALTHY_DAYS = 10.0  # at least
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
    """

    failure: int
    repair: int
    end: int
    maintained: bool = False


def endings(number: int, machines: int, classes: int, life_days: float, hour: int) -> list[Ending]:
    """The endings of a machine's lives around an hour, in order.

    Args:
        number: of the machine, counted from 0.
        machines: of the factory.
        classes: kinds of machines; those of the second kind are the first to be in need.
        life_days: the machine's mean life.
        hour: the first hour that is not in the lake yet.
    """
    order = sorted(range(machines), key=lambda n: (n % classes != 1, n))
    place = order.index(number)
    needing = max(1, machines // 6)
    if place == 0:
        return [_failure(hour - 2)]  # its second hour of failure is the newest one
    if place == 1:
        return [Ending(failure=hour + 15, repair=hour - 9, end=hour + 6, maintained=True)]
    if place < 2 + needing:
        return [_failure(hour + round(NEED_DAYS[place % len(NEED_DAYS)] * HOURS_PER_DAY))]
    days = max(_HEALTHY_DAYS, life_days * (0.5 + 0.4 * place / machines))
    healthy = _failure(hour + round(days * HOURS_PER_DAY))
    if place == machines - 1:
        work = hour - _MAINTAINED_HOURS
        return [Ending(work + HOURS_PER_DAY, work, work + _SERVICE_HOURS, maintained=True), healthy]
    return [healthy]


def _failure(hour: int) -> Ending:
    return Ending(failure=hour, repair=hour + 4, end=hour + 12)

"""The rule of alerts: at which predicted RUL a machine is announced, and when the announcement is withdrawn.

An announcement stands from the hour in which the predicted RUL has been at most a limit in `enough` of the `recent`
last hours, until it was above the limit, by a margin, in all of them. Between the two it stays what it was: single low
predictions announce nothing, single high ones withdraw nothing. Training judges models by the same rule, without the
margin.
"""

from collections.abc import Iterable
from typing import NamedTuple

LIMITS_DAYS = (5.0, 3.0)
"""At which people are warned: level 1 and level 2."""

ENOUGH, RECENT = 3, 6
"""So many of the last so many hours must lie at or below the limit."""

MARGIN_DAYS = 1.0
SILENT_HOURS = 6


class Rule(NamedTuple):
    """When alerts are raised and cleared.

    Attributes:
        limits_days: of predicted RUL, descending: of level 1, of level 2.
        enough: hours at or below a limit that raise its level ...
        recent: ... among so many last ones.
        margin_days: by which all recent hours have to be above a limit until its level is cleared.
        silent_hours: full hours without a reading after which a machine is silent; 0: never.
    """

    limits_days: tuple[float, ...] = LIMITS_DAYS
    enough: int = ENOUGH
    recent: int = RECENT
    margin_days: float = MARGIN_DAYS
    silent_hours: int = SILENT_HOURS

    @property
    def failing_level(self) -> int:
        """The level of a machine that fails, above those of the limits."""
        return len(self.limits_days) + 1

    def level(self, recent_days: Iterable[float], before: int) -> int:
        """The level that stands: the number of the lowest limit that is announced, 0 for none.

        Args:
            recent_days: predicted in the recent hours that are there; missing hours count neither way.
            before: the level that stood an hour ago.

        >>> Rule().level([4.8, 5.2, 4.9, 4.7], 0), Rule().level([5.4, 5.5], 1), Rule().level([6.1, 6.4], 1)
        (1, 1, 0)
        """
        days = list(recent_days)
        standing = 0
        for number, limit in enumerate(self.limits_days, start=1):
            low = sum(value <= limit for value in days)
            near = sum(value <= limit + self.margin_days for value in days)
            if low >= self.enough or (near and before >= number):
                standing = number
        return standing

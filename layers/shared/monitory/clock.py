"""Time as the factory counts it: Korean wall clock (KST, UTC+9, no daylight saving) in whole hours.

An *hour* is an integer, the number of wall-clock hours since 1970-01-01T00:00 KST. It sorts, subtracts
and indexes windows without any calendar; `hour_start` turns it back into a time.
"""

from datetime import date, datetime, timedelta, timezone
from math import ceil

KST = timezone(timedelta(hours=9), "KST")
HOURS_PER_DAY = 24

_EPOCH = datetime(1970, 1, 1)
_EPOCH_ORDINAL = _EPOCH.toordinal()


def now() -> datetime:
    """The present moment, aware, in KST."""
    return datetime.now(KST)


def hour_of(wall_clock: datetime) -> int:
    """The hour that a KST wall-clock time (naive or aware in KST) lies in.

    >>> hour_of(datetime(1970, 1, 2, 0, 59))
    24
    """
    return (wall_clock.toordinal() - _EPOCH_ORDINAL) * HOURS_PER_DAY + wall_clock.hour


def hour_start(hour: int) -> datetime:
    """The start of an hour, aware, in KST.

    >>> hour_start(24).isoformat()
    '1970-01-02T00:00:00+09:00'
    """
    return (_EPOCH + timedelta(hours=hour)).replace(tzinfo=KST)


def date_of_hour(hour: int) -> date:
    """The KST date on which an hour starts."""
    return date.fromordinal(_EPOCH_ORDINAL + hour // HOURS_PER_DAY)


def first_hour(day: date) -> int:
    """The hour that starts at midnight KST of a date."""
    return (day.toordinal() - _EPOCH_ORDINAL) * HOURS_PER_DAY


def in_words(duration: timedelta) -> str:
    """A duration in hours and minutes, rounded up.

    >>> in_words(timedelta(minutes=61)), in_words(timedelta(hours=3))
    ('1 h 01 min', '3 h')
    """
    hours, minutes = divmod(ceil(duration.total_seconds() / 60), 60)
    return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"


def days_between(first: date, last: date) -> list[date]:
    """Every date from `first` to `last`, both included; empty when `last` is before `first`."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]

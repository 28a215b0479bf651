"""Time as the factory counts it: its wall clock (Korean, KST, by default) in whole hours.

An *hour* is an integer, the number of wall-clock hours since 1970-01-01T00:00 there. It sorts, subtracts
and indexes windows without any calendar; `hour_start` turns it back into a time. Where clocks change, hours are
numbered as in summer time all year, so that none is missing or repeated; the day of a change has 23 or 25 hours.
"""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from math import ceil
from zoneinfo import ZoneInfo

from monitory.errors import SettingsError

KST = timezone(timedelta(hours=9), "KST")
DEFAULT_ZONE = "Asia/Seoul"
HOURS_PER_DAY = 24

_EPOCH = datetime(1970, 1, 1)
_EPOCH_ORDINAL = _EPOCH.toordinal()


class _Factory:
    """The factory's zone, process-wide: there is one factory."""

    name: str = DEFAULT_ZONE
    zone: tzinfo = KST
    changes: timedelta | None = None
    """The largest offset from UTC where clocks change; None elsewhere."""


def set_zone(name: str) -> None:
    """Set the factory's time zone for this process, before anything is computed.

    Raises:
        SettingsError: no such zone exists.
    """
    if name == DEFAULT_ZONE:  # needs no time zone database
        _Factory.name, _Factory.zone, _Factory.changes = name, KST, None
        return
    try:
        zone = ZoneInfo(name)
    except (OSError, ValueError, KeyError) as exc:
        raise SettingsError(f"FACTORY_TIME_ZONE: there is no time zone {name!r}; names are like Europe/Berlin") from exc
    months = (datetime(year, month, 1, tzinfo=zone) for year in range(2020, 2036) for month in range(1, 13))
    offsets = {month.utcoffset() or timedelta() for month in months}
    _Factory.name, _Factory.zone, _Factory.changes = name, zone, max(offsets) if len(offsets) > 1 else None


def zone() -> tzinfo:
    """The factory's time zone."""
    return _Factory.zone


def zone_name() -> str:
    """The name of the factory's time zone."""
    return _Factory.name


def now() -> datetime:
    """The present moment, aware, in the factory's zone."""
    return datetime.now(_Factory.zone)


def naive(moment: datetime) -> datetime:
    """The factory's wall clock at an aware moment."""
    return moment.astimezone(_Factory.zone).replace(tzinfo=None)


def aware(wall_clock: datetime) -> datetime:
    """The moment of a naive wall-clock time of the factory."""
    return wall_clock.replace(tzinfo=_Factory.zone)


def hour_of(wall_clock: datetime) -> int:
    """The hour that a wall-clock time of the factory (naive, or aware in its zone) lies in.

    >>> hour_of(datetime(1970, 1, 2, 0, 59))
    24
    """
    if _Factory.changes is not None:
        with suppress(OverflowError):  # in the year 1 or 9999 no clock changes
            wall_clock = wall_clock.replace(tzinfo=_Factory.zone).astimezone(UTC) + _Factory.changes
    return (wall_clock.toordinal() - _EPOCH_ORDINAL) * HOURS_PER_DAY + wall_clock.hour


def hour_start(hour: int) -> datetime:
    """The start of an hour, aware, in the factory's zone.

    >>> hour_start(24).isoformat()
    '1970-01-02T00:00:00+09:00'
    """
    start = _EPOCH + timedelta(hours=hour)
    if _Factory.changes is None:
        return start.replace(tzinfo=_Factory.zone)
    return (start - _Factory.changes).replace(tzinfo=UTC).astimezone(_Factory.zone)


def date_of_hour(hour: int) -> date:
    """The factory's date on which an hour starts."""
    return hour_start(hour).date()


def first_hour(day: date) -> int:
    """The hour that starts at midnight of a date."""
    return hour_of(datetime(day.year, day.month, day.day))


def hours_of(day: date) -> range:
    """The hours of a date: 24 of them, except on days on which clocks change."""
    return range(first_hour(day), first_hour(day + timedelta(days=1)))


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

"""A reading's time, in any unambiguous notation, as the factory's wall clock."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from monitory import clock

_DATE_AND_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d(?:\.\d+)?)? ?([Zz]|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_NUMBER = re.compile(r"\d{9,19}(?:\.\d+)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_UNITS = ((1e8, 1e11, 1_000_000), (1e11, 1e14, 1000), (1e14, 1e17, 1))
"""From, to, microseconds per unit: seconds, milliseconds and microseconds since 1970, from 1973 on."""


def wall_clock(time: object, of_naive: Callable[[datetime], datetime] = lambda time: time) -> datetime | None:
    """A naive wall-clock time of the factory; None where the time is ambiguous, or none.

    Args:
        time: a date and time with or without seconds, fraction and offset (without one it is the factory's wall
            clock), or seconds, milliseconds or microseconds since 1970.
        of_naive: the factory's wall clock of a time without an offset.

    >>> [str(wall_clock(time)) for time in ("2026-11-20T07:00:00Z", "2026-11-20 16:00", 1795158000000)]
    ['2026-11-20 16:00:00', '2026-11-20 16:00:00', '2026-11-20 16:00:00']
    """
    if isinstance(time, datetime):
        return clock.naive(time) if time.tzinfo else of_naive(time)
    if isinstance(time, str):
        text = time.strip()
        if _NUMBER.fullmatch(text):
            return _since_1970(float(text) if "." in text else int(text))
        return _parsed(text, of_naive)
    if isinstance(time, int | float) and not isinstance(time, bool):
        return _since_1970(time)
    return None


def _parsed(text: str, of_naive: Callable[[datetime], datetime]) -> datetime | None:
    match = _DATE_AND_TIME.fullmatch(text)
    if not match:
        return None
    day, minutes, seconds, offset = match.groups()
    if offset and len(offset) == len("+09"):
        offset += ":00"
    try:
        time = msgspec.convert(f"{day}T{minutes}{seconds or ':00'}{offset or ''}", datetime)
        return clock.naive(time) if time.tzinfo else of_naive(time)
    except (msgspec.ValidationError, OverflowError, ValueError):
        return None


def _since_1970(number: float) -> datetime | None:
    for low, high, microseconds in _UNITS:
        if low <= number < high:
            return clock.naive(_EPOCH + timedelta(microseconds=round(number * microseconds)))
    return None

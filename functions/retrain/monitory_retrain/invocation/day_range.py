"""The days that an event asks for."""

import calendar
import re
from datetime import date, timedelta

from monitory.errors import InvalidEvent

MAX_DAYS = 400
EARLIEST = date(2000, 1, 1)
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")


def day_range(
    month: str | None, start: date | None, end: date | None, today: date, training_days: int
) -> tuple[date, date]:
    """The first and the last date, both included; a month, or a range, ends before what is still to come.

    Args:
        month: such as "2025-06".
        start, end: the dates themselves.
        today: the factory's date.
        training_days: length of the range where nothing is said.

    Raises:
        InvalidEvent: no valid date, a reversed, future or too long range, contradicting keys.
    """
    yesterday = today - timedelta(days=1)
    if month is not None:
        if start or end:
            raise InvalidEvent("month: give a month or a start and an end, not both")
        if not _MONTH.fullmatch(month):
            raise InvalidEvent(f'month: {month[:40]!r} is no month such as "2025-06"')
        year, number = (int(part) for part in month.split("-"))
        if not 1 <= number <= 12 or year < EARLIEST.year:
            raise InvalidEvent(f"month: {month} does not exist")
        first = date(year, number, 1)
        last = date(year, number, calendar.monthrange(year, number)[1])
        if first > yesterday:
            raise InvalidEvent(f"month: {month} has no finished day yet")
        return first, min(last, yesterday)
    if start or end:
        if not (start and end):
            raise InvalidEvent("start and end belong together")
        if end < start:
            raise InvalidEvent(f"start {start} is after end {end}")
        if start < EARLIEST or end > today:
            raise InvalidEvent(f"range {start}..{end} is not between {EARLIEST} and today")
        if (end - start).days >= MAX_DAYS:
            raise InvalidEvent(f"range {start}..{end} has more than {MAX_DAYS} days")
        return start, end
    return today - timedelta(days=training_days), yesterday

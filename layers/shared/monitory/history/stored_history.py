"""The stored form of a machine's cached hour rows: MessagePack, one object a machine."""

from datetime import UTC, date, datetime

import msgspec

from monitory import clock
from monitory.lake import MachineDay

MAX_CACHE_BYTES = 16 << 20
"""Of one machine's cached object, usually 60 KB; decoded it takes ten times the memory."""

NEVER = datetime.min.replace(tzinfo=UTC)
"""When a day was last listed of which nobody knows that it is this lake's."""


class CachedDay(msgspec.Struct, frozen=True):
    """A machine-day and when its folder was last listed (KST). The field names are the stored format."""

    day: date
    listed: datetime
    content: MachineDay


class CachedHistory(msgspec.Struct, frozen=True):
    """The cached days of a machine. The field names are the stored format."""

    days: tuple[CachedDay, ...] = ()

    def by_date(self) -> dict[date, CachedDay]:
        """The days by their dates."""
        return {day.day: day for day in self.days}


def decode(body: bytes, width: int) -> CachedHistory:
    """A stored history, validated: `width` values per row, each row in its day.

    Raises:
        ValueError: the rows are invalid, or the object is too large.
        MsgspecError: it is not a stored history.
    """
    if len(body) > MAX_CACHE_BYTES:
        raise ValueError(f"it has {len(body):,} bytes, {MAX_CACHE_BYTES:,} are allowed")
    history = msgspec.msgpack.decode(body, type=CachedHistory)
    for day in history.days:
        numbers = [hour.hour for hour in day.content.hours]
        if not set(numbers) <= set(clock.hours_of(day.day)) or numbers != sorted(set(numbers)):
            raise ValueError(f"it has hours out of place under {day.day}")
        if any(len(hour.values) != width for hour in day.content.hours):
            raise ValueError(f"it has rows under {day.day} that don't have {width} values")
        if not all(hour.readings for hour in day.content.hours):
            raise ValueError(f"it has rows under {day.day} without readings")
    return history

"""A machine's history up to now: the pure part between stored rows, a listing and a prediction."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from monitory import clock
from monitory.errors import NoData, StaleData
from monitory.features import vector
from monitory.features.hour_row import HourRow
from monitory.history import losses
from monitory.history.losses import Losses
from monitory.history.stored_history import CachedDay
from monitory.lake import Lake, MachineDay, ObjectSummary, total_rejected
from monitory.lake_listing import LakeObject
from monitory.machine import Machine

SETTLE = timedelta(hours=3)
"""How long after midnight a day counts as over: objects come up to 65 minutes after their hour."""


class History(NamedTuple):
    """A machine's hour rows up to its newest hour.

    Attributes:
        rows: hour rows, oldest first; the last is the newest hour.
        newest: the row of the newest hour.
        age: of the newest reading; negative where a sensor's clock is fast.
        rejected: records skipped in the newest hour's objects, by reason.
        unreadable: why an object was not readable, one sentence each.
        future_hours: number of hours left out because their readings are from the future.
        losses: rejects and gaps in the newest objects.
    """

    rows: list[HourRow]
    newest: HourRow
    age: timedelta
    rejected: dict[str, int]
    unreadable: list[str]
    future_hours: int
    losses: Losses


def newest_days(now: datetime, max_age: timedelta) -> list[date]:
    """Days whose folders may hold the newest hour: today, and yesterday while it may be in it."""
    return clock.days_between((now - max_age - timedelta(hours=1)).date(), now.date())


def days_in_reach(now: datetime, max_age: timedelta) -> list[date]:
    """Days that the features of the newest hour look at, at any age that is allowed."""
    return clock.days_between((now - max_age - timedelta(hours=vector.HISTORY_HOURS)).date(), now.date())


def refreshed_days(
    lake: Lake,
    cached: Mapping[date, CachedDay],
    listed: Mapping[date, Sequence[LakeObject]],
    now: datetime,
    executor: Executor | None = None,
) -> dict[date, CachedDay]:
    """The listed days of a machine, with its new and changed objects read.

    Raises:
        StorageUnavailable: an object cannot be read.
    """
    days = {}
    for day, objects in listed.items():
        before = cached[day].content if day in cached else MachineDay()
        content = before if is_current(before, objects) else lake.refresh(before, objects, executor)
        days[day] = CachedDay(day, now, content)
    return days


def is_current(content: MachineDay, objects: Iterable[LakeObject]) -> bool:
    """Whether a machine-day comes from exactly these objects in their present state."""
    return {(item.key, item.etag) for item in content.objects} == {(item.key, item.etag) for item in objects}


def fingerprint(objects: Iterable[LakeObject]) -> str:
    """Sixteen hex digits that tell apart what objects there are, and in which state; empty without any."""
    names = sorted(f"{item.key} {item.etag}" for item in objects)
    return blake2b("\n".join(names).encode(), digest_size=8).hexdigest() if names else ""


def history_at(
    machine: Machine,
    days: Mapping[date, CachedDay],
    listed: Sequence[LakeObject],
    now: datetime,
    max_age: timedelta,
    until: int | None = None,
) -> History | None:
    """The history of a machine's days as of now; None where no hour is usable.

    Args:
        machine: which.
        days: its days by date.
        listed: its newest objects as the store lists them, with the times of writing.
        now: the present, aware.
        max_age: of the newest reading.
        until: the newest hour to use, see `clock`; None for the present one.

    Raises:
        NoData: all hours are in the future.
        StaleData: the newest reading is too old.
    """
    objects = [item for day in days.values() for item in day.content.objects]
    hours = [hour for day in sorted(days) for hour in days[day].content.hours]
    present = clock.hour_of(now)
    past = [hour for hour in hours if hour.hour <= present]
    future_hours = len(hours) - len(past)
    if until is not None:
        past = [hour for hour in past if hour.hour <= until]
    if not past:
        if future_hours:
            raise NoData(f"all {future_hours} hours with readings of {machine} are in the future")
        return None
    newest = past[-1]
    age = now - clock.aware(newest.last)
    used = [item for item in objects if newest.hour in item.hours]
    lost = losses.of_newest(objects, used, listed, now)
    if age > max_age:
        raise StaleData(too_old(machine, newest.last, age, max_age) + lost.in_short())
    unreadable = [item.unreadable for item in objects if item.unreadable]
    return History(past, newest, age, dict(total_rejected(used)), unreadable, future_hours, lost)


def why_unusable(machine: Machine, objects: Sequence[ObjectSummary]) -> str:
    """Why none of a machine's objects, at least one, has a usable hour."""
    if unreadable := [item.unreadable for item in objects if item.unreadable]:
        return f"no readings of {machine}: {unreadable[-1]}"
    return f"no readings of {machine} in {len(objects)} objects{losses.of_all(objects).in_short()}"


def too_old(machine: Machine, last: datetime, age: timedelta, max_age: timedelta) -> str:
    """Why a machine's newest reading, at a naive time, is not used."""
    return (
        f"the newest reading of {machine} is {clock.in_words(age)} old ({clock.aware(last):%Y-%m-%dT%H:%M:%S %Z}); "
        f"readings older than {clock.in_words(max_age)} are not used"
    )

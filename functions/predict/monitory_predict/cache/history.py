"""A machine's recent hour rows, without reading days of raw readings again and again.

What was computed once is kept in a small object per machine in the model bucket. It is a cache: whoever computes
a row first writes it, losing a race or the whole object costs a few reads, and a damaged one is made anew.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Executor, Future, wait
from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec

from monitory import clock
from monitory.errors import UNDECODABLE, MonitoryError, NoData, ObjectNotFound, StaleData, StorageError
from monitory.features import hour_row as rows
from monitory.features import vector
from monitory.lake import Hour, Lake, LakeObject, MachineDay, SeenObject
from monitory.log import Logger
from monitory.machine import Machine
from monitory.storage.port import Storage
from monitory_predict.cache.lru import hold

FOLDER = "cache/recent"
RELIST_AFTER = timedelta(hours=6)
"""A day that is over is looked at again for late objects when it was last listed longer ago than this."""

SETTLE = timedelta(hours=3)
"""Objects come up to 65 minutes after their hour; a day is over for sure this long after midnight."""

CACHE_SECONDS = 2.0
"""So long an answer waits for the cache to be read, and again for it to be written."""

LOOK_BACK_DAYS = 30
ABSENT_SECONDS = 600.0
"""So long a machine without data is taken for one, unless something of it turns up: the look back is 30 listings."""

MAX_CACHE_BYTES = 16 << 20
"""Of one machine. What is kept usually has 60 KB; decoded it would take ten times the memory."""


class KnownDay(msgspec.Struct, frozen=True):
    """A machine-day and when its folder was last listed (KST)."""

    day: date
    listed: datetime
    content: MachineDay


class Memory(msgspec.Struct, frozen=True):
    """All that's kept of a machine."""

    days: tuple[KnownDay, ...] = ()


class Recent(NamedTuple):
    """A machine's history up to its newest hour.

    Attributes:
        rows: hour rows, oldest first; the last is the newest hour.
        newest: that hour with its number of readings and the time of its newest one.
        age: of that one; negative where a sensor's clock is fast.
        rejected: lines that were skipped in the newest hour's objects, by reason.
        unreadable: what was said of objects in which nothing was readable.
        future_hours: hours with readings from after now, which were left out.
    """

    rows: list[Hour]
    newest: Hour
    age: timedelta
    rejected: dict[str, int]
    unreadable: list[str]
    future_hours: int


class RecentRows:
    """Recent hour rows of any machine."""

    def __init__(self, lake: Lake, cache: Storage, executor: Executor, log: Logger, max_age: timedelta) -> None:
        """Rows of a lake, kept in the `cache` bucket; readings older than `max_age` are stale."""
        self._lake = lake
        self._cache = cache
        self._executor = executor
        self._log = log
        self._max_age = max_age
        self._reach = max_age + timedelta(hours=vector.HISTORY_HOURS)
        self._folder = f"{FOLDER}/{vector.SCHEMA}-{lake.sensors.fingerprint()}"
        self._width = len(rows.columns(lake.sensors))
        self._memory: OrderedDict[Machine, tuple[str, Memory]] = OrderedDict()
        self._absent: OrderedDict[Machine, tuple[float, str]] = OrderedDict()
        self._lock = threading.Lock()

    def up_to(self, machine: Machine, now: datetime) -> Recent:
        """A machine's history as of now.

        Raises:
            NoData: there's nothing of this machine.
            StaleData: its newest reading is older than the limit.
            StorageUnavailable: the lake cannot be read. A failing cache is only logged.
        """
        listings = {day: self._executor.submit(self._lake.machine_day, machine, day) for day in self._at_once(now)}
        if (nothing := self._known_absent(machine)) and not any(listing.result() for listing in listings.values()):
            raise NoData(nothing)
        etag, memory = self._held_whole(machine, now, listings) or self._remembered_in_time(machine)
        known = {day.day: day for day in memory.days}
        for day in self._days(now):
            if day not in listings and self._outdated(known.get(day), now):
                listings[day] = self._executor.submit(self._lake.machine_day, machine, day)
        listed = {day: listing.result() for day, listing in listings.items()}
        days = {day: known[day] for day in self._days(now) if day in known} | self._refreshed(known, listed, now)
        writing = self._remember(machine, etag, memory, days, now)
        recent = self._recent(machine, days, now)
        if writing:  # what isn't sent yet when Lambda freezes the function may be lost
            wait([writing], CACHE_SECONDS)
        return recent

    def _days(self, now: datetime) -> list[date]:
        return clock.days_between((now - self._reach).date(), now.date())

    def _at_once(self, now: datetime) -> list[date]:
        """Folders that must be looked at in any case: today's, and yesterday's while the newest hour may be in it."""
        return clock.days_between((now - self._max_age - timedelta(hours=1)).date(), now.date())

    def _outdated(self, known: KnownDay | None, now: datetime) -> bool:
        if known is None:
            return True
        over = datetime.combine(known.day + timedelta(days=1), datetime.min.time(), clock.KST) + SETTLE
        return known.listed < over or now - known.listed > RELIST_AFTER

    def _refreshed(
        self, known: dict[date, KnownDay], listed: dict[date, list[LakeObject]], now: datetime
    ) -> dict[date, KnownDay]:
        found = {}
        for day, objects in listed.items():
            before = known[day].content if day in known else MachineDay()
            content = before if _is_of(before, objects) else self._lake.refresh(before, objects, self._executor)
            found[day] = KnownDay(day, now, content)
        return found

    def _recent(self, machine: Machine, days: dict[date, KnownDay], now: datetime) -> Recent:
        objects = [seen for day in days.values() for seen in day.content.objects]
        hours = [hour for day in sorted(days) for hour in days[day].content.hours]
        present = clock.hour_of(now)
        past = [hour for hour in hours if hour.hour <= present]
        unreadable = [seen.unreadable for seen in objects if seen.unreadable]
        if not past:
            if hours:
                raise NoData(f"all {len(hours)} hours with readings of {machine} are in the future")
            nothing = self._nothing(machine, now, objects, unreadable)
            if not objects:
                self._note_absent(machine, nothing)
            raise NoData(nothing)
        newest = past[-1]
        age = now - newest.last.replace(tzinfo=clock.KST)
        if age > self._max_age:
            raise StaleData(
                f"the newest reading of {machine} is {clock.in_words(age)} old ({newest.last:%Y-%m-%dT%H:%M:%S} KST); "
                f"readings older than {clock.in_words(self._max_age)} are not used"
            )
        rejected: dict[str, int] = {}
        for seen in objects:
            if newest.hour in seen.hours:
                for reason, count in seen.rejected.items():
                    rejected[reason] = rejected.get(reason, 0) + count
        return Recent(past, newest, age, rejected, unreadable, len(hours) - len(past))

    def _nothing(self, machine: Machine, now: datetime, objects: list[SeenObject], unreadable: list[str]) -> str:
        if unreadable:
            return f"no readings of {machine}: {unreadable[-1]}"
        if objects:
            return f"no readings of {machine} in {len(objects)} objects"
        searched = self._days(now)
        earlier = [searched[0] - timedelta(days=n) for n in range(1, LOOK_BACK_DAYS - len(searched) + 1)]
        found = self._executor.map(lambda day: bool(self._lake.machine_day(machine, day)), earlier)
        newest = next((day for day, there in zip(earlier, found, strict=True) if there), None)
        where = f"s3://{self._lake.storage.name}/{self._lake.prefix}/date=*/zone_id={machine.zone_id}/equip_id={machine.equip_id}"
        if newest:
            return f"no readings of {machine} since {newest} ({(now.date() - newest).days} days ago); looked in {where}"
        return f"no readings of {machine} in the last {LOOK_BACK_DAYS} days; looked in {where}"

    def _known_absent(self, machine: Machine) -> str | None:
        """What was said of a machine without data not long ago."""
        with self._lock:
            until, said = self._absent.get(machine, (0.0, ""))
        return said if time.monotonic() < until else None

    def _note_absent(self, machine: Machine, said: str) -> None:
        with self._lock:
            hold(self._absent, machine, (time.monotonic() + ABSENT_SECONDS, said))

    def _key(self, machine: Machine) -> str:
        return f"{self._folder}/{machine.zone_id}/{machine.equip_id}.msgpack"

    def _held_whole(
        self, machine: Machine, now: datetime, listings: Mapping[date, Future[list[LakeObject]]]
    ) -> tuple[str, Memory] | None:
        """What is held here of a machine, if the cache has nothing to add: no other hour is due, no object is new."""
        with self._lock:
            etag, memory = self._memory.get(machine, ("", Memory()))
        known = {day.day: day for day in memory.days}
        newest = max((hour.hour for day in memory.days[-2:] for hour in day.content.hours), default=0)
        if newest < clock.hour_of(now) - 1:
            return None  # another process may have it by now; the cache is asked while the lake is listed
        if any(self._outdated(known.get(day), now) for day in self._days(now) if day not in listings):
            return None
        whole = all(day in known and _is_of(known[day].content, found.result()) for day, found in listings.items())
        return (etag, memory) if whole else None

    def _remembered_in_time(self, machine: Machine) -> tuple[str | None, Memory]:
        try:
            return self._executor.submit(self._remembered, machine).result(CACHE_SECONDS)
        except TimeoutError:
            self._log.warning("the cache of recent rows of %s could not be read in time", machine)
        with self._lock:
            return self._memory.get(machine, (None, Memory()))

    def _remembered(self, machine: Machine) -> tuple[str | None, Memory]:
        with self._lock:
            held = self._memory.get(machine)
        try:
            blob = self._cache.get_if_changed(self._key(machine), held[0] if held else None)
            if blob is None and held:
                return held
            if blob:
                memory = _decoded(blob.body, self._width)
                with self._lock:
                    hold(self._memory, machine, (blob.etag, memory))
                return blob.etag, memory
        except ObjectNotFound:
            return None, held[1] if held else Memory()
        except StorageError as exc:
            self._log.warning("the cache of recent rows cannot be read: %s", exc)
            if held:
                return held
        except (*UNDECODABLE, ValueError) as exc:
            self._log.warning("the cache of recent rows of %s is damaged and made anew: %s", machine, exc)
            return blob.etag if blob else None, Memory()
        return None, Memory()

    def _remember(
        self, machine: Machine, etag: str | None, before: Memory, days: dict[date, KnownDay], now: datetime
    ) -> Future[None] | None:
        """Keep what is known now where it says more than before; in the background, the answer doesn't need it."""
        if not any(day.content.objects for day in days.values()):
            return None  # or callers could fill the bucket with names of machines that don't exist
        known = {day.day: day for day in before.days}
        news = (
            day.day not in known
            or known[day.day].content is not day.content
            or (self._outdated(known[day.day], now) and not self._outdated(day, now))
            for day in days.values()
        )
        if etag and not any(news):
            return None
        after = Memory(tuple(days[day] for day in sorted(days)))
        return self._executor.submit(self._write, machine, etag, after)

    def _write(self, machine: Machine, etag: str | None, memory: Memory) -> None:
        body = msgspec.msgpack.encode(memory)
        try:
            written = self._cache.put(
                self._key(machine), body, content_type="application/vnd.msgpack", replaces=etag, create=etag is None
            )
        except MonitoryError as exc:
            self._log.info("the cache of recent rows of %s was not written: %s", machine, exc)
            return
        with self._lock:
            hold(self._memory, machine, (written, memory))


def _is_of(content: MachineDay, objects: list[LakeObject]) -> bool:
    """Whether what is known was made of exactly these objects in their present state."""
    return {(seen.key, seen.etag) for seen in content.objects} == {(item.key, item.etag) for item in objects}


def _decoded(body: bytes, width: int) -> Memory:
    """What was remembered, if its rows are rows: `width` values each, and of the day under which they stand.

    Raises:
        ValueError: they aren't, or there is more than can be remembered of a machine.
        MsgspecError: it is something else.
    """
    if len(body) > MAX_CACHE_BYTES:
        raise ValueError(f"it has {len(body):,} bytes, {MAX_CACHE_BYTES:,} are allowed")
    memory = msgspec.msgpack.decode(body, type=Memory)
    for known in memory.days:
        midnight = clock.first_hour(known.day)
        numbers = [hour.hour for hour in known.content.hours]
        if not set(numbers) <= set(range(midnight, midnight + clock.HOURS_PER_DAY)) or numbers != sorted(set(numbers)):
            raise ValueError(f"it has hours out of place under {known.day}")
        if any(len(hour.values) != width for hour in known.content.hours):
            raise ValueError(f"it has rows under {known.day} that don't have {width} values")
    return memory

"""A machine's recent hour rows, each computed once from its raw readings.

They are cached in memory and in one small object per machine in the model bucket. The first process to compute a row
writes it; a lost race or a lost object costs a few reads, and a damaged object is replaced.
"""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec

from monitory import clock
from monitory.errors import UNDECODABLE, MonitoryError, NoData, ObjectNotFound, StaleData, StorageError
from monitory.features import hour_row as rows
from monitory.features import vector
from monitory.features.hour_row import HourRow
from monitory.lake import Lake, LakeObject, MachineDay, ObjectSummary, total_rejected
from monitory.log import Logger
from monitory.machine import Machine
from monitory.storage.port import Storage
from monitory_predict.cache import losses
from monitory_predict.cache.losses import Losses
from monitory_predict.cache.lru import LruCache
from monitory_predict.cache.stored_history import CachedDay, CachedHistory, decode

FOLDER = "cache/recent"
RELIST_AFTER = timedelta(hours=6)
"""How often the folder of a past day is listed again, for late objects."""

SETTLE = timedelta(hours=3)
"""How long after midnight a day counts as over: objects come up to 65 minutes after their hour."""

CACHE_SECONDS = 2.0
"""How long a prediction waits for the cached object to be read, and again for it to be written."""

LOOK_BACK_DAYS = 30
ABSENT_SECONDS = 600.0
"""How long "no data" is cached: looking back takes 30 listings. A new object in the newest folders ends it."""


class CacheEntry(NamedTuple):
    """A cached history and the ETag of the object that holds it; None where no object does."""

    etag: str | None = None
    history: CachedHistory = CachedHistory()


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


class _Absence(NamedTuple):
    """Why a machine has no data, and until when (`time.monotonic`) that is cached."""

    reason: str
    until: float


class HistoryCache:
    """Recent hour rows of any machine."""

    def __init__(self, lake: Lake, storage: Storage, executor: Executor, log: Logger, max_age: timedelta) -> None:
        """Rows of a lake, cached in `storage`; readings older than `max_age` are stale."""
        self._lake = lake
        self._storage = storage
        self._executor = executor
        self._log = log
        self._max_age = max_age
        self._reach = max_age + timedelta(hours=vector.HISTORY_HOURS)
        self._folder = f"{FOLDER}/{vector.SCHEMA}-{lake.sensors.fingerprint()}"
        self._width = len(rows.Columns(lake.sensors))
        self._entries: LruCache[CacheEntry] = LruCache()
        self._absences: LruCache[_Absence] = LruCache()

    def history_at(self, machine: Machine, now: datetime) -> History:
        """A machine's history as of now.

        Raises:
            NoData: there are no readings of this machine.
            StaleData: its newest reading is older than the limit.
            StorageUnavailable: the lake cannot be read. A failing cache is logged only.
        """
        listings = {day: self._list(machine, day) for day in self._newest_days(now)}
        if (absence := self._absence(machine)) and not any(listing.result() for listing in listings.values()):
            raise NoData(absence.reason)
        entry = self._complete_entry(machine, now, listings) or self._load_in_time(machine)
        cached = entry.history.by_date()
        for day in self._days(now):
            if day not in listings and self._outdated(cached.get(day), now):
                listings[day] = self._list(machine, day)
        listed = {day: listing.result() for day, listing in listings.items()}
        days = {day: cached[day] for day in self._days(now) if day in cached} | self._refreshed(cached, listed, now)
        writing = self._save(machine, entry, days, now)
        history = self._history(machine, days, now, [item for items in listed.values() for item in items])
        if writing:  # a write that is not finished when Lambda freezes the function may be lost
            wait([writing], CACHE_SECONDS)
        return history

    def _list(self, machine: Machine, day: date) -> Future[list[LakeObject]]:
        return self._executor.submit(self._lake.machine_day, machine, day)

    def _days(self, now: datetime) -> list[date]:
        return clock.days_between((now - self._reach).date(), now.date())

    def _newest_days(self, now: datetime) -> list[date]:
        """Days whose folders are listed in any case: today, and yesterday while the newest hour may be in it."""
        return clock.days_between((now - self._max_age - timedelta(hours=1)).date(), now.date())

    def _outdated(self, cached: CachedDay | None, now: datetime) -> bool:
        if cached is None:
            return True
        over = datetime.combine(cached.day + timedelta(days=1), datetime.min.time(), clock.zone()) + SETTLE
        return cached.listed < over or now - cached.listed > RELIST_AFTER

    def _refreshed(
        self, cached: dict[date, CachedDay], listed: dict[date, list[LakeObject]], now: datetime
    ) -> dict[date, CachedDay]:
        refreshed = {}
        for day, objects in listed.items():
            before = cached[day].content if day in cached else MachineDay()
            content = before if _is_current(before, objects) else self._lake.refresh(before, objects, self._executor)
            refreshed[day] = CachedDay(day, now, content)
        return refreshed

    def _history(
        self, machine: Machine, days: dict[date, CachedDay], now: datetime, listed: Sequence[LakeObject]
    ) -> History:
        objects = [item for day in days.values() for item in day.content.objects]
        hours = [hour for day in sorted(days) for hour in days[day].content.hours]
        present = clock.hour_of(now)
        past = [hour for hour in hours if hour.hour <= present]
        unreadable = [item.unreadable for item in objects if item.unreadable]
        if not past:
            if hours:
                raise NoData(f"all {len(hours)} hours with readings of {machine} are in the future")
            reason = self._why_no_data(machine, now, objects, unreadable)
            if not objects:
                self._absences.put(machine, _Absence(reason, time.monotonic() + ABSENT_SECONDS))
            raise NoData(reason)
        newest = past[-1]
        last = clock.aware(newest.last)
        age = now - last
        used = [item for item in objects if newest.hour in item.hours]
        lost = losses.of_newest(objects, used, listed, now)
        if age > self._max_age:
            raise StaleData(
                f"the newest reading of {machine} is {clock.in_words(age)} old ({last:%Y-%m-%dT%H:%M:%S %Z}); "
                f"readings older than {clock.in_words(self._max_age)} are not used{lost.in_short()}"
            )
        return History(past, newest, age, dict(total_rejected(used)), unreadable, len(hours) - len(past), lost)

    def _why_no_data(self, machine: Machine, now: datetime, objects: list[ObjectSummary], unreadable: list[str]) -> str:
        if unreadable:
            return f"no readings of {machine}: {unreadable[-1]}"
        if objects:
            return f"no readings of {machine} in {len(objects)} objects{losses.of_all(objects).in_short()}"
        searched = self._days(now)
        earlier = [searched[0] - timedelta(days=n) for n in range(1, LOOK_BACK_DAYS - len(searched) + 1)]
        listed = self._executor.map(lambda day: bool(self._lake.machine_day(machine, day)), earlier)
        newest = next((day for day, has_objects in zip(earlier, listed, strict=True) if has_objects), None)
        where = f"s3://{self._lake.storage.name}/{self._lake.prefix}/date=*/zone_id={machine.zone_id}/equip_id={machine.equip_id}"
        if newest:
            return f"no readings of {machine} since {newest} ({(now.date() - newest).days} days ago); looked in {where}"
        return f"no readings of {machine} in the last {LOOK_BACK_DAYS} days; looked in {where}"

    def _absence(self, machine: Machine) -> _Absence | None:
        absence = self._absences.get(machine)
        return absence if absence and time.monotonic() < absence.until else None

    def _key(self, machine: Machine) -> str:
        return f"{self._folder}/{machine.zone_id}/{machine.equip_id}.msgpack"

    def _complete_entry(
        self, machine: Machine, now: datetime, listings: Mapping[date, Future[list[LakeObject]]]
    ) -> CacheEntry | None:
        """The entry in memory if it is up to date: no further hour is due, and no object is new."""
        entry = self._entries.get(machine)
        if entry is None:
            return None
        newest = max((hour.hour for day in entry.history.days[-2:] for hour in day.content.hours), default=0)
        if newest < clock.hour_of(now) - 1:
            return None  # another process may have stored it by now
        cached = entry.history.by_date()
        if any(self._outdated(cached.get(day), now) for day in self._days(now) if day not in listings):
            return None
        complete = all(day in cached and _is_current(cached[day].content, it.result()) for day, it in listings.items())
        return entry if complete else None

    def _load_in_time(self, machine: Machine) -> CacheEntry:
        try:
            return self._executor.submit(self._load, machine).result(CACHE_SECONDS)
        except TimeoutError:
            self._log.warning("the cached history of %s could not be read in time", machine)
        return self._entries.get(machine) or CacheEntry()

    def _load(self, machine: Machine) -> CacheEntry:
        """The stored entry; the one in memory if the stored one is the same, missing or not readable."""
        entry = self._entries.get(machine)
        try:
            blob = self._storage.get_if_changed(self._key(machine), entry.etag if entry else None)
            if blob:
                entry = CacheEntry(blob.etag, decode(blob.body, self._width))
                self._entries.put(machine, entry)
            return entry or CacheEntry()
        except ObjectNotFound:
            return CacheEntry(None, entry.history if entry else CachedHistory())
        except StorageError as exc:
            self._log.warning("the cached history cannot be read: %s", exc)
            return entry or CacheEntry()
        except (*UNDECODABLE, ValueError) as exc:
            self._log.warning("the cached history of %s is damaged and will be replaced: %s", machine, exc)
            return CacheEntry(blob.etag if blob else None)

    def _save(
        self, machine: Machine, entry: CacheEntry, days: dict[date, CachedDay], now: datetime
    ) -> Future[None] | None:
        """Store the days in the background if they differ from the entry."""
        if not any(day.content.objects for day in days.values()):
            return None  # otherwise callers could fill the bucket with machines that don't exist
        cached = entry.history.by_date()
        changes = (
            day.day not in cached
            or cached[day.day].content is not day.content
            or (self._outdated(cached[day.day], now) and not self._outdated(day, now))
            for day in days.values()
        )
        if entry.etag and not any(changes):
            return None
        history = CachedHistory(tuple(days[day] for day in sorted(days)))
        return self._executor.submit(self._write, machine, entry.etag, history)

    def _write(self, machine: Machine, etag: str | None, history: CachedHistory) -> None:
        body = msgspec.msgpack.encode(history)
        try:
            written = self._storage.put(
                self._key(machine), body, content_type="application/vnd.msgpack", replaces=etag, create=etag is None
            )
        except MonitoryError as exc:
            self._log.info("the cached history of %s was not written: %s", machine, exc)
            return
        self._entries.put(machine, CacheEntry(written, history))


def _is_current(content: MachineDay, objects: list[LakeObject]) -> bool:
    """Whether a machine-day comes from exactly these objects in their present state."""
    return {(item.key, item.etag) for item in content.objects} == {(item.key, item.etag) for item in objects}

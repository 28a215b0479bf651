"""A machine's recent hour rows, each computed once from its raw readings.

They are cached in memory and in one small object per machine in the model bucket. The first process to compute a row
writes it; a lost race or a lost object costs a few reads, and a damaged object is replaced.
"""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from datetime import date, datetime, timedelta
from typing import NamedTuple

from monitory import clock
from monitory.errors import MonitoryError, NoData, ObjectNotFound, StorageError
from monitory.features.hour_row import HourRow
from monitory.history import machine_history
from monitory.history.history_store import HistoryStore, StoredHistory
from monitory.history.machine_history import (
    SETTLE,
    History,
    days_in_reach,
    is_current,
    newest_days,
    refreshed_days,
)
from monitory.history.named_object import named_object
from monitory.history.stored_history import NEVER, CachedDay, CachedHistory
from monitory.lake import Lake, MachineDay
from monitory.lake_listing import UNKNOWN_SIZE, LakeObject
from monitory.log import Logger
from monitory.machine import Machine
from monitory.storage.port import Storage
from monitory_predict.cache.lru import LruCache

RELIST_AFTER = timedelta(hours=6)
"""How often the folder of a past day is listed again, for late objects."""

CACHE_SECONDS = 2.0
"""How long a prediction waits for the cached object to be read, and again for it to be written."""

Listings = Mapping[date, Future[list[LakeObject]]]

LOOK_BACK_DAYS = 30
ABSENT_SECONDS = 600.0
"""How long "no data" is cached: looking back takes 30 listings. A new object in the newest folders ends it."""


class _Absence(NamedTuple):
    """Why a machine has no data, and until when (`time.monotonic`) that is cached."""

    reason: str
    until: float


class HistoryCache:
    """Recent hour rows of any machine."""

    def __init__(
        self,
        lake: Lake,
        storage: Storage,
        executor: Executor,
        log: Logger,
        max_age: timedelta,
        read_only: bool = False,
    ) -> None:
        """Rows of a lake, cached in `storage`; readings older than `max_age` are stale.

        `read_only` is for a cache that the score function keeps up to date: nothing is written to it.
        """
        self._read_only = read_only
        self._lake = lake
        self._store = HistoryStore(storage, lake, log)
        self._executor = executor
        self._log = log
        self._max_age = max_age
        self._entries: LruCache[StoredHistory] = LruCache()
        self._absences: LruCache[_Absence] = LruCache()

    @property
    def lake_name(self) -> str:
        """The fingerprint of the lake that the rows are of."""
        return self._lake.fingerprint()

    def newest_listings(self, machine: Machine, now: datetime) -> Listings:
        """The machine's objects on the days that may hold its newest hour, by date."""
        return {day: self._list(machine, day) for day in newest_days(now, self._max_age)}

    def history_at(self, machine: Machine, now: datetime, newest: Listings | None = None) -> History:
        """A machine's history as of now; `newest` are its `newest_listings` where they are at hand.

        Raises:
            NoData: there are no readings of this machine.
            StaleData: its newest reading is older than the limit.
            StorageUnavailable: the lake cannot be read. A failing cache is logged only.
        """
        listings = dict(newest or self.newest_listings(machine, now))
        if (absence := self._absence(machine)) and not any(listing.result() for listing in listings.values()):
            raise NoData(absence.reason)
        in_reach = self._days(now)
        entry = self._complete_entry(machine, now, in_reach, listings) or self._load_in_time(machine)
        cached = entry.history.by_date()
        for day in in_reach:
            if day not in listings and self._outdated(cached.get(day), now):
                listings[day] = self._list(machine, day)
        listed = {day: listing.result() for day, listing in listings.items()}
        days = {day: cached[day] for day in in_reach if day in cached}
        days |= refreshed_days(self._lake, cached, listed, now, self._executor)
        writing = self._save(machine, entry, days, now)
        history = self._history(machine, days, now, [item for items in listed.values() for item in items])
        if writing:  # a write that is not finished when Lambda freezes the function may be lost
            wait([writing], CACHE_SECONDS)
        return history

    def history_with(self, machine: Machine, now: datetime, key: str) -> History | None:
        """A machine's history as of now from what is stored and one object more, without a listing.

        Nothing is stored of it. None where the stored rows do not reach up to the object's hours: some may be missing.

        Raises:
            InvalidIdentifier: the key is not that of an object of this machine.
            NoData, StaleData, StorageUnavailable: as in `history_at`.
        """
        item = named_object(self._lake, machine, key)
        cached = self._load_in_time(machine).history.by_date()
        before = cached[item.day].content if item.day in cached else MachineDay()
        present = [LakeObject(of.key, of.etag, UNKNOWN_SIZE, machine, item.day) for of in before.objects]
        if key not in {of.key for of in before.objects}:
            present.append(item)
        days = {day: cached[day] for day in self._days(now) if day in cached}
        days |= refreshed_days(self._lake, cached, {item.day: present}, now, self._executor)
        added = {hour for of in days[item.day].content.objects if of.key == key for hour in of.hours}
        others = {hour.hour for day in days.values() for hour in day.content.hours} - added
        if not added or not others or min(added) - max(others) > 1:
            return None
        return machine_history.history_at(machine, days, [], now, self._max_age)

    def stored_rows(self, machine: Machine, now: datetime) -> list[HourRow]:
        """A machine's hour rows up to now as they are stored, oldest first, without a look into the lake."""
        days = self._load_in_time(machine).history.by_date()
        rows = [row for day in sorted(days) for row in days[day].content.hours]
        return [row for row in rows if row.hour <= clock.hour_of(now)]

    def _list(self, machine: Machine, day: date) -> Future[list[LakeObject]]:
        return self._executor.submit(self._lake.machine_day, machine, day)

    def _days(self, now: datetime) -> list[date]:
        return days_in_reach(now, self._max_age)

    def _outdated(self, cached: CachedDay | None, now: datetime) -> bool:
        if cached is None or cached.listed == NEVER:
            return True
        if self._read_only:
            return False
        over = datetime.combine(cached.day + timedelta(days=1), datetime.min.time(), clock.zone()) + SETTLE
        return cached.listed < over or now - cached.listed > RELIST_AFTER

    def _history(
        self, machine: Machine, days: dict[date, CachedDay], now: datetime, listed: Sequence[LakeObject]
    ) -> History:
        if history := machine_history.history_at(machine, days, listed, now, self._max_age):
            return history
        objects = [item for day in days.values() for item in day.content.objects]
        if objects:
            raise NoData(machine_history.why_unusable(machine, objects))
        reason = self._why_absent(machine, now)
        self._absences.put(machine, _Absence(reason, time.monotonic() + ABSENT_SECONDS))
        raise NoData(reason)

    def _why_absent(self, machine: Machine, now: datetime) -> str:
        searched = self._days(now)
        earlier = [searched[0] - timedelta(days=n) for n in range(1, LOOK_BACK_DAYS - len(searched) + 1)]
        listed = self._executor.map(lambda day: bool(self._lake.machine_day(machine, day)), earlier)
        newest = next((day for day, has_objects in zip(earlier, listed, strict=True) if has_objects), None)
        where = self._lake.listing.folder_of(machine)
        if newest:
            return f"no readings of {machine} since {newest} ({(now.date() - newest).days} days ago); looked in {where}"
        return f"no readings of {machine} in the last {LOOK_BACK_DAYS} days; looked in {where}"

    def _absence(self, machine: Machine) -> _Absence | None:
        absence = self._absences.get(machine)
        return absence if absence and time.monotonic() < absence.until else None

    def _complete_entry(
        self, machine: Machine, now: datetime, in_reach: Sequence[date], listings: Listings
    ) -> StoredHistory | None:
        """The entry in memory if it is up to date: no further hour is due, and no object is new."""
        entry = self._entries.get(machine)
        if entry is None:
            return None
        newest = max((hour.hour for day in entry.history.days[-2:] for hour in day.content.hours), default=0)
        if newest < clock.hour_of(now) - 1:
            return None  # another process may have stored it by now
        cached = entry.history.by_date()
        if any(self._outdated(cached.get(day), now) for day in in_reach if day not in listings):
            return None
        complete = all(day in cached and is_current(cached[day].content, it.result()) for day, it in listings.items())
        return entry if complete else None

    def _load_in_time(self, machine: Machine) -> StoredHistory:
        try:
            return self._executor.submit(self._load, machine).result(CACHE_SECONDS)
        except TimeoutError:
            self._log.warning("the cached history of %s could not be read in time", machine)
        return self._entries.get(machine) or StoredHistory()

    def _load(self, machine: Machine) -> StoredHistory:
        """The stored entry; the one in memory if the stored one is the same, missing or not readable."""
        entry = self._entries.get(machine)
        try:
            changed = self._store.read_if_changed(machine, entry.etag if entry else None)
        except ObjectNotFound:
            return StoredHistory(None, entry.history if entry else self._store.former(machine))
        except StorageError as exc:
            self._log.warning("the cached history cannot be read: %s", exc)
            return entry or StoredHistory()
        if changed and changed.history.days:
            self._entries.put(machine, changed)
        return changed or entry or StoredHistory()

    def _save(
        self, machine: Machine, entry: StoredHistory, days: dict[date, CachedDay], now: datetime
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
        if self._read_only:
            self._entries.put(machine, StoredHistory(entry.etag, history))
            return None
        return self._executor.submit(self._write, machine, entry.etag, history)

    def _write(self, machine: Machine, etag: str | None, history: CachedHistory) -> None:
        try:
            self._entries.put(machine, self._store.write(machine, etag, history))
        except MonitoryError as exc:
            self._log.info("the cached history of %s was not written: %s", machine, exc)

"""A backfill: what has to be read of a lake, planned as batches, and the reading of one of them.

Each batch is read into a piece of its own (see `day_cache`), so batches may run side by side, be repeated and be
killed; whoever reads a day later takes what pieces there are, and reads the rest.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Event, Lock

from monitory.errors import StorageError
from monitory.features import vector
from monitory.history.history_store import HistoryStore
from monitory.lake import Lake, ObjectSummary
from monitory.lake_listing import LakeObject
from monitory.log import Logger
from monitory.machine import Machine
from monitory.storage.port import Entry
from monitory_retrain.ingest import batches as batching
from monitory_retrain.ingest import day_update
from monitory_retrain.ingest.batches import Batch, Unread
from monitory_retrain.ingest.counts import Counts
from monitory_retrain.ingest.day_cache import DayCache
from monitory_retrain.ingest.task import Task
from monitory_retrain.ingest.workers import LakeConfig, Workers
from monitory_retrain.runtime.progress import progress

LIST_THREADS = 4
"""Days listed at once: waiting for the store takes most of the time, and each day's listing is held."""

READ_THREADS = 8
SCORED_DAYS = vector.HISTORY_HOURS // 24 + 3
"""Days back from today of which the score function may keep rows."""


_Objects = dict[Machine, list[LakeObject]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be read.

    Attributes:
        batches: of it.
        left: days that were not looked at for lack of time.
    """

    batches: list[Batch]
    left: list[date]


@dataclass(frozen=True, slots=True)
class BatchRead:
    """What came of a batch: counts of all that is kept of its machines, and the machines that are not read yet."""

    counts: Counts
    left: list[Machine]


class Backfill:
    """Plans what has to be read of a lake, and reads it batch by batch into the cache."""

    def __init__(self, config: LakeConfig, lake: Lake, cache: DayCache, log: Logger) -> None:
        """Nothing is read yet."""
        self._config = config
        self._lake = lake
        self._cache = cache
        self._log = log

    def plan(self, days: Sequence[date], today: date, *, refresh: datetime | None, in_time: Callable[[], bool]) -> Plan:
        """Find the finished machine-days of which no rows are kept, neither cached nor scored.

        Args:
            days: dates, ascending; those from today on are left out.
            today: the factory's date.
            refresh: rows that were stored before this time are read again; None takes all.
            in_time: called before each day but the first; False leaves the rest.

        Raises:
            StorageUnavailable: a listing or a cached day cannot be read.
        """
        finished = [day for day in days if day < today]
        pieces = self._cache.pieces()
        scored = None if refresh else self._scored_days(today)
        ended = Event()

        def look(day: date) -> list[Unread] | None:
            if ended.is_set() or (day != finished[0] and not in_time()):
                return None
            return self._unread(day, pieces.get(day, ()), refresh, scored)

        planned: list[Batch] = []
        left = list(finished)
        with progress(self._log, "days planned", len(finished)) as bar, ThreadPoolExecutor(LIST_THREADS) as pool:
            for day, unread in zip(finished, pool.map(look, finished), strict=True):
                fresh = batching.split(day, unread or (), refresh)
                if unread is None or (planned and len(planned) + len(fresh) > batching.MAX_BATCHES):
                    ended.set()
                    break
                planned += fresh
                left.remove(day)
                bar.step()
        return Plan(planned, left)

    def read(self, batch: Batch, in_time: Callable[[], bool]) -> BatchRead:
        """Read a batch's machine-days; those that a former delivery has read are not read again.

        Args:
            batch: which.
            in_time: called before each machine; False leaves the rest.

        Raises:
            StorageUnavailable: an object or a listing cannot be read, or the rows cannot be stored.
        """
        listing = self._listing(batch)
        kept = self._cache.read_piece(batch.day, batch.name, batch.refresh)
        update = day_update.plan(batch.day, listing, kept, batch.refresh is None)

        def tasks() -> Iterator[Task]:
            for task in update.tasks:
                if not in_time():
                    return
                yield task

        # one process: others work on other batches
        with progress(self._log, "machine-days read", len(update.tasks)) as bar, Workers(self._config, 1) as workers:
            for (_, machine), result in workers.refresh(tasks()):
                update.results[machine] = result
                bar.step()
        content = update.merge(len(self._cache.columns))
        if update.results:
            self._cache.write_piece(batch.day, batch.name, content)
        left = [task.machine for task in update.tasks if task.machine not in update.results]
        return BatchRead(update.counts(content), left)

    def _unread(
        self, day: date, pieces: Sequence[Entry], refresh: datetime | None, scored: "_ScoredDays | None"
    ) -> list[Unread]:
        """The machine-days of a date of which no rows are kept; where some are, what is new is left to who needs it."""
        cached = self._cache.read(day, refresh, pieces).objects
        uncached = {
            machine: readable
            for machine, items in self._lake.day(day).items()
            if machine not in cached and (readable := [item for item in items if not item.fault])
        }
        if scored:
            uncached = scored.remove(day, uncached)
        return [Unread(machine, len(items), sum(item.size for item in items)) for machine, items in uncached.items()]

    def _scored_days(self, today: date) -> "_ScoredDays | None":
        if self._config.scored_rows is None or self._config.layout.is_shared:
            return None
        return _ScoredDays(self._config.scored_rows.store(self._lake), today)

    def _listing(self, batch: Batch) -> dict[Machine, list[LakeObject]]:
        """The objects of a batch's machines that have any."""
        owners = batch.owners
        if self._config.layout.is_shared:
            of_day = self._lake.day(batch.day)
            return {owner: of_day[owner] for owner in owners if owner in of_day}
        with ThreadPoolExecutor(READ_THREADS) as pool:
            listed = pool.map(lambda owner: self._lake.machine_day(owner, batch.day), owners)
            return {owner: items for owner, items in zip(owners, listed, strict=True) if items}


class _ScoredDays:
    """Which machine-days the score function keeps rows of; each machine's are read once."""

    def __init__(self, store: HistoryStore, today: date) -> None:
        self._store = store
        self._since = today - timedelta(days=SCORED_DAYS)
        self._known: dict[Machine, dict[date, int]] = {}
        self._reading = Lock()

    def remove(self, day: date, objects: _Objects) -> _Objects:
        """Those of a day's machines of whose objects, exactly, there are no rows."""
        if day < self._since:
            return objects
        with self._reading:
            unknown = [machine for machine in objects if machine not in self._known]
            with ThreadPoolExecutor(READ_THREADS) as pool:
                self._known.update(zip(unknown, pool.map(self._read, unknown), strict=True))
        return {machine: items for machine, items in objects.items() if self._known[machine].get(day) != _digest(items)}

    def _read(self, machine: Machine) -> dict[date, int]:
        try:
            days = self._store.read(machine).history.days
        except StorageError:
            return {}  # then its objects are read
        return {day.day: _digest([item for item in day.content.objects if not item.unreadable]) for day in days}


def _digest(items: Sequence[LakeObject] | Sequence[ObjectSummary]) -> int:
    """One number for all keys and ETags: a history holds thousands of them."""
    return hash(frozenset((item.key, item.etag) for item in items))

"""What has to be read of a lake, planned as batches."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Event, Lock

from monitory.errors import StorageError
from monitory.features import vector
from monitory.history.history_store import HistoryStore
from monitory.lake import ObjectSummary
from monitory.lake_listing import LakeObject
from monitory.log import Logger
from monitory.machine import Machine
from monitory.storage.port import Entry, Storage
from monitory_retrain.ingest.backfill import batches as batching
from monitory_retrain.ingest.backfill.batches import Batch, Unread
from monitory_retrain.ingest.cache.day_cache import DayCache
from monitory_retrain.ingest.lake_config import LakeConfig
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


class Planner:
    """Plans what has to be read of a lake into the cache in `models`; `config` says which lake."""

    def __init__(self, config: LakeConfig, models: Storage, log: Logger) -> None:
        """Nothing is read yet."""
        self._config = config
        self._lake = config.lake()
        self._cache = DayCache(models, self._lake, log)
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

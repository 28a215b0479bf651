"""Days of the lake -> hour rows, each finished day read raw once in its life.

A job lists a day, takes its rows from the cache (see `day_cache`) and looks only at machines whose objects have
changed: at the rows that the score function keeps of them, then at the objects that these lack (see `scored_rows`).
A job that runs out of time within a day caches the machines it has read. Rows are reread from the cache at the end
instead of held, so memory while reading does not grow with the days.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from monitory.lake import MachineDay
from monitory.lake_listing import LakeObject, sample_evenly
from monitory.log import Logger
from monitory.machine import Machine
from monitory.storage.port import Storage
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest.cache.cached_day import CachedDay
from monitory_retrain.ingest.cache.day_cache import DayCache, StoredDay
from monitory_retrain.ingest.counts import Counts, count_day
from monitory_retrain.ingest.day_update import DayUpdate, plan
from monitory_retrain.ingest.lake_config import LakeConfig
from monitory_retrain.ingest.task import Task
from monitory_retrain.ingest.workers import MachineDayTable, Workers
from monitory_retrain.runtime.progress import progress


@dataclass(frozen=True, slots=True)
class Ingested:
    """The hour rows of the days; none while days are left for the next job."""

    table: HourTable
    counts: Counts
    left: list[date]


class Ingest:
    """Reads days of a lake through a cache in the model bucket; `config` says which lake."""

    def __init__(self, config: LakeConfig, cache: Storage, log: Logger, processes: int) -> None:
        """Nothing is read yet."""
        self.config = config
        self._lake = config.lake()
        self._cache = DayCache(cache, self._lake, log)
        self._log = log
        self._processes = processes
        self._width = len(self._cache.columns)

    def days(self, days: Sequence[date], *, refresh: datetime | None, in_time: Callable[[], bool]) -> Ingested:
        """The hour rows of days.

        Args:
            days: KST dates.
            refresh: cached rows older than this time are read again; None takes all.
            in_time: called before each day and each of its machines; False leaves the rest for the next job.

        Raises:
            StorageUnavailable: an object or a listing cannot be read.
        """
        contents: dict[date, HourTable | StoredDay] = {}
        counts: dict[date, Counts] = {}
        updates: dict[date, DayUpdate] = {}
        left = list(days)
        pieces = self._cache.pieces()
        with progress(self._log, "days read", len(days)) as bar, self._workers() as pool:

            def close(day: date) -> None:
                update = updates.pop(day)
                contents[day], counts[day] = self._store(update)
                if update.is_finished:
                    left.remove(day)
                    bar.step()

            def tasks() -> Iterator[Task]:
                for day in days:
                    if not in_time():
                        return
                    unplaced: list[str] = []
                    listing = self._lake.day(day, unplaced)
                    cached = self._cache.read(day, refresh, pieces.get(day, ()))
                    updates[day] = plan(day, listing, cached, refresh is None, unplaced)
                    if updates[day].is_finished:
                        close(day)
                        continue
                    for task in updates[day].tasks:
                        if not in_time():
                            return
                        yield task

            for (day, machine), result in pool.refresh(tasks()):
                updates[day].results[machine] = result
                if updates[day].is_finished:
                    close(day)
            for day in [day for day, update in updates.items() if update.results]:
                close(day)
        tables: list[HourTable] = []
        for day in [] if left else days:
            content = contents[day]
            table = content if isinstance(content, HourTable) else self._cache.reread(content)
            if table is None:
                left.append(day)
            else:
                tables.append(table)
        total = sum((counts[day] for day in sorted(counts)), Counts())
        for key in total.differing:
            self._log.error("the stored rows of %s are not those of its readings; its day was read again", key)
        return Ingested(hour_table.join([] if left else tables, self._width), total, left)

    def history(self, first: date, before: date, max_rows: int, in_time: Callable[[], bool]) -> HourTable:
        """The cached hour rows of earlier days, the newest first, as far as they are there; nothing raw is read.

        Args:
            first: the earliest date.
            before: the date after the last one.
            max_rows: days that would make it more than so many rows are left out, and all before them.
            in_time: called before each day; False leaves out this one and all before it.

        Raises:
            StorageUnavailable: the listing or a day cannot be read.
        """
        tables: list[HourTable] = []
        rows = 0
        pieces = self._cache.pieces()
        for day in sorted({*self._cache.days(), *pieces}, reverse=True):
            if not first <= day < before:
                continue
            content = self._cache.read(day, pieces=pieces.get(day, ())) if in_time() else None
            if content is None or rows + len(content.table) > max_rows:
                self._log.warning("of the history, days from %s back are left out: no time or no room", day)
                break
            if content.is_pieced:
                self._cache.write(day, content)  # read once: the next night finds the day whole
            rows += len(content.table)
            tables.append(content.table)
        return hour_table.join(tables, self._width)

    def sample(self, days: Sequence[date], count: int) -> Ingested:
        """The hour rows of `count` objects, spread evenly over the days, without the cache.

        Raises:
            StorageUnavailable: an object or a listing cannot be read.
        """
        listed = [item for day in days for items in self._lake.day(day).values() for item in items]
        groups: dict[tuple[date, Machine], list[LakeObject]] = {}
        for item in sample_evenly(listed, count):
            groups.setdefault((item.day, item.machine), []).append(item)
        tasks = [
            Task(day, machine, MachineDay(), items, sum(item.size for item in items if not item.fault), False)
            for (day, machine), items in groups.items()
        ]
        results: dict[date, dict[Machine, MachineDayTable]] = {day: {} for day in days}
        with progress(self._log, "machine-days read", len(tasks)) as bar, self._workers() as pool:
            for (day, machine), result in pool.refresh(tasks):
                results[day][machine] = result
                bar.step()
        counts = Counts()
        tables = []
        for day, of in results.items():
            read = [item for task in tasks if task.day == day for item in task.listing if not item.fault]
            tables.append(hour_table.join([result.table for result in of.values()], self._width))
            counts += count_day(day, tables[-1], {machine: result.objects for machine, result in of.items()}, read)
        return Ingested(hour_table.join(tables, self._width), counts, [])

    def _workers(self) -> Workers:
        return Workers(self.config, self._lake, self._processes)

    def _store(self, update: DayUpdate) -> tuple[HourTable | StoredDay, Counts]:
        """The rows of a day, or where they are stored if they have changed."""
        if not update.is_changed:
            return update.cached.table, update.counts(update.cached)
        content: CachedDay = update.merge(self._width)
        counts = update.counts(content)
        stored = self._cache.write(update.day, content) if update.listing else None
        return stored or content.table, counts

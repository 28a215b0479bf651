"""Days of the lake -> hour rows, each finished day read raw once in its life.

    cache/hour-rows/<feature schema>-<sensor set>/<YYYY-MM-DD>.parquet

holds a day's hour rows and the (key, ETag) of the objects that they came from. A later run lists the day and reads
again only machines whose objects are not those any more. A run that is out of time in the middle of a day keeps the
machines that it has read.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import takewhile

from monitory import features, rows
from monitory.errors import ObjectNotFound
from monitory.identifiers import Machine
from monitory.lake import LakeObject, MachineDay, SeenObject, spread, total_rejected
from monitory.log import Logger
from monitory.storage import Storage
from monitory_retrain import table, workers
from monitory_retrain.progress import progress
from monitory_retrain.table import HourTable

FOLDER = "cache/hour-rows"


@dataclass(slots=True)
class Counts:
    """What was read and what was left.

    Attributes:
        objects: objects of the days.
        read: objects that were read now; the others' rows were known.
        raw_bytes: bytes of those.
        readings: readings in the rows.
        rejected: skipped lines by reason.
        unreadable: what was said of objects in which nothing was readable.
        days_without_data: dates without a single row.
    """

    objects: int = 0
    read: int = 0
    raw_bytes: int = 0
    readings: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    days_without_data: list[date] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ingested:
    """The hour rows of the days that were finished, and the days that were left for the next run."""

    table: HourTable
    counts: Counts
    left: list[date]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the cache has of a day."""

    table: HourTable
    objects: dict[Machine, tuple[SeenObject, ...]]


class Ingest:
    """Reads days of a lake through a cache in the model bucket."""

    def __init__(self, source: workers.Source, cache: Storage, log: Logger, processes: int) -> None:
        """Nothing is read yet."""
        self._source = source
        self._lake = source.lake()
        self._cache = cache
        self._log = log
        self._processes = processes
        self._columns = rows.columns(source.sensors)
        self._folder = f"{FOLDER}/{features.SCHEMA}-{source.sensors.fingerprint()}"

    def days(self, days: Sequence[date], *, refresh: bool, in_time: Callable[[], bool]) -> Ingested:
        """The hour rows of days.

        Args:
            days: KST dates.
            refresh: take nothing from the cache.
            in_time: asked before each day and each machine of it; False leaves the rest for another run.

        Raises:
            StorageUnavailable: an object or a listing cannot be read.
        """
        counts = Counts()
        tables: list[HourTable] = []
        with progress(self._log, "days read", len(days)) as shown, self._workers() as pool:
            for at, day in enumerate(days):
                if not in_time():
                    return Ingested(table.join(tables, len(self._columns)), counts, list(days[at:]))
                made = self._day(day, counts, pool, in_time, refresh=refresh)
                if made is None:
                    return Ingested(table.join(tables, len(self._columns)), counts, list(days[at:]))
                tables.append(made)
                shown.step()
        return Ingested(table.join(tables, len(self._columns)), counts, [])

    def sample(self, days: Sequence[date], count: int) -> Ingested:
        """The hour rows of `count` objects, spread evenly over the days; the cache has no part in it.

        Raises:
            StorageUnavailable: an object or a listing cannot be read.
        """
        listed = [item for day in days for items in self._lake.day(day).values() for item in items]
        chosen = spread(listed, count)
        groups: dict[tuple[date, Machine], list[LakeObject]] = {}
        for item in chosen:
            groups.setdefault((item.day, item.machine), []).append(item)
        counts = Counts()
        tables = []
        with progress(self._log, "days read", len(days)) as shown, self._workers() as pool:
            for day in days:
                tasks = [workers.Task(m, MachineDay(), items) for (of, m), items in groups.items() if of == day]
                read = [item for task in tasks for item in task.listed if not item.fault]
                found = dict(pool.refresh(tasks, sum(item.size for item in read)))
                tables.append(table.from_days(found, len(self._columns)))
                self._count(counts, day, tables[-1], {m: found[m].objects for m in found}, read)
                shown.step()
        return Ingested(table.join(tables, len(self._columns)), counts, [])

    def _workers(self) -> workers.Workers:
        return workers.Workers(self._source, self._processes)

    def _day(
        self, day: date, counts: Counts, pool: workers.Workers, in_time: Callable[[], bool], *, refresh: bool
    ) -> HourTable | None:
        """The rows of a day; None where time was over before all its machines were read."""
        key = f"{self._folder}/{day}.parquet"
        listed = self._lake.day(day)
        known = None if refresh else self._known(key)
        if known is None:
            known = _Known(table.join([], len(self._columns)), {})
        where = dict(known.table.slices())
        nothing = slice(0, 0)
        tasks = [
            workers.Task(m, table.machine_day(known.table, where.get(m, nothing), known.objects.get(m, ())), items)
            for m, items in listed.items()
            if {(seen.key, seen.etag) for seen in known.objects.get(m, ())} != {(i.key, i.etag) for i in items}
        ]
        if not tasks and listed.keys() == known.objects.keys():
            self._count(counts, day, known.table, known.objects, [])
            return known.table
        seen = {(s.key, s.etag) for of in known.objects.values() for s in of}
        news = {task.machine: [i for i in task.listed if (i.key, i.etag) not in seen and not i.fault] for task in tasks}
        size = sum(item.size for items in news.values() for item in items)
        fresh = dict(pool.refresh(takewhile(lambda _: in_time(), tasks), size))
        if tasks and not fresh:
            return None
        read = [item for machine in fresh for item in news[machine]]
        days = {
            machine: fresh.get(machine)
            or table.machine_day(known.table, where.get(machine, nothing), known.objects.get(machine, ()))
            for machine in listed
            if machine in fresh or machine in known.objects
        }
        made = table.from_days(days, len(self._columns))
        objects = {machine: content.objects for machine, content in days.items()}
        if listed:
            # Unconditional: rows are a pure function of their objects, so writers that race disagree at most on how
            # many machines they have read, and the next run reads the others again.
            body = table.to_parquet(made, self._columns, objects)
            self._cache.put(key, body, content_type="application/vnd.apache.parquet")
        self._count(counts, day, made, objects, read)
        return made if len(fresh) == len(tasks) else None

    def _known(self, key: str) -> _Known | None:
        try:
            return _Known(*table.from_parquet(self._cache.get(key).body, self._columns))
        except ObjectNotFound:
            return None
        except ValueError as exc:
            self._log.warning("%s is made anew: %s", key, exc)
            return None

    def _count(
        self,
        counts: Counts,
        day: date,
        made: HourTable,
        objects: dict[Machine, tuple[SeenObject, ...]],
        read: Sequence[LakeObject],
    ) -> None:
        seen = [item for of in objects.values() for item in of]
        counts.objects += len(seen)
        counts.read += len(read)
        counts.raw_bytes += sum(item.size for item in read)
        counts.readings += int(made.readings.sum())
        counts.rejected += total_rejected(seen)
        counts.unreadable += [item.unreadable for item in seen if item.unreadable]
        if not len(made):
            counts.days_without_data.append(day)

"""Days of the lake -> hour rows, each finished day read raw once in its life.

    cache/hour-rows/<feature schema>-<sensor set>/<YYYY-MM-DD>.parquet

holds a day's hour rows and the (key, ETag) of their objects. A later job lists the day and rereads only machines whose
objects have changed. A job that runs out of time within a day keeps the machines it has read. Rows are reread from the
cache at the end instead of held, so memory while reading does not grow with the days.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import NamedTuple

from monitory.errors import ObjectNotFound, StorageUnavailable
from monitory.features import hour_row, vector
from monitory.lake import LakeObject, MachineDay, ObjectSummary, reject_samples, sample_evenly, total_rejected
from monitory.log import Logger
from monitory.machine import Machine
from monitory.storage.port import Storage
from monitory_retrain.dataset import hour_table as table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest import parquet_cache, workers
from monitory_retrain.runtime.progress import progress

FOLDER = "cache/hour-rows"

_NOTHING = slice(0, 0)


@dataclass(slots=True)
class Counts:
    """What ingestion read and skipped.

    Attributes:
        objects: objects of the days.
        read: objects read by this job; the others' rows were cached.
        raw_bytes: bytes of those.
        readings: readings in the rows.
        rejected: skipped records by reason.
        samples: the fault of one skipped record, by reason.
        unreadable: a message for each object in which nothing is readable.
        days_without_data: dates without a single row.
    """

    objects: int = 0
    read: int = 0
    raw_bytes: int = 0
    readings: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    days_without_data: list[date] = field(default_factory=list)
    samples: dict[str, str] = field(default_factory=dict)

    def __add__(self, other: "Counts") -> "Counts":
        """The sum of both."""
        summed = {
            of.name: getattr(self, of.name) + getattr(other, of.name) for of in fields(self) if of.name != "samples"
        }
        return Counts(**summed, samples={**other.samples, **self.samples})


@dataclass(frozen=True, slots=True)
class Ingested:
    """The hour rows of the days; none while days are left for the next job."""

    table: HourTable
    counts: Counts
    left: list[date]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the cache has of a day."""

    table: HourTable
    objects: dict[Machine, tuple[ObjectSummary, ...]]


class _Kept(NamedTuple):
    """The object in which this run has kept a day's rows."""

    key: str
    etag: str


@dataclass(frozen=True, slots=True)
class _Day:
    """A day that is being brought up to date.

    Attributes:
        key: where its rows are kept.
        known: what was there.
        listed: the objects of its machines.
        news: of the machines that aren't what was known of them, the objects to be read.
        tasks: to bring these machines up to date.
        fresh: those that are done.
    """

    key: str
    known: _Known
    listed: dict[Machine, list[LakeObject]]
    news: dict[Machine, list[LakeObject]]
    tasks: list[workers.Task]
    fresh: dict[Machine, workers.Fresh] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to be done."""
        return len(self.fresh) == len(self.tasks)

    @property
    def changed(self) -> bool:
        """Whether there is something else to keep than what was known."""
        return bool(self.fresh) or self.listed.keys() != self.known.objects.keys()


class Ingest:
    """Reads days of a lake through a cache in the model bucket."""

    def __init__(self, source: workers.Source, cache: Storage, log: Logger, processes: int) -> None:
        """Nothing is read yet."""
        self._source = source
        self._lake = source.lake()
        self._cache = cache
        self._log = log
        self._processes = processes
        self._columns = hour_row.Columns(source.sensors).names
        self._folder = f"{FOLDER}/{vector.SCHEMA}-{source.sensors.fingerprint()}"

    def days(self, days: Sequence[date], *, refresh: datetime | None, in_time: Callable[[], bool]) -> Ingested:
        """The hour rows of days.

        Args:
            days: KST dates.
            refresh: take nothing from the cache that was kept before this time; None for no matter when.
            in_time: asked before each day and each machine of it; False leaves the rest for another run.

        Raises:
            StorageUnavailable: an object or a listing cannot be read.
        """
        made: dict[date, tuple[HourTable | _Kept, Counts]] = {}
        opened: dict[date, _Day] = {}
        left = list(days)
        with progress(self._log, "days read", len(days)) as shown, self._workers() as pool:

            def close(day: date) -> None:
                closed = opened.pop(day)
                made[day] = self._closed(day, closed)
                if closed.finished:
                    left.remove(day)
                    shown.step()

            def tasks() -> Iterator[workers.Task]:
                for day in days:
                    if not in_time():
                        return
                    opened[day] = self._opened(day, refresh)
                    if opened[day].finished:
                        close(day)
                        continue
                    for task in opened[day].tasks:
                        if not in_time():
                            return
                        yield task

            for (day, machine), fresh in pool.refresh(tasks()):
                opened[day].fresh[machine] = fresh
                if opened[day].finished:
                    close(day)
            for day in [day for day, unfinished in opened.items() if unfinished.fresh]:
                close(day)
        counts = sum((made[day][1] for day in sorted(made)), Counts())
        tables: list[HourTable] = []
        for day in [] if left else days:
            known, _ = made[day]
            found = known if isinstance(known, HourTable) else self._reread(known)
            if found is None:
                left.append(day)
            else:
                tables.append(found)
        return Ingested(table.join([] if left else tables, len(self._columns)), counts, left)

    def sample(self, days: Sequence[date], count: int) -> Ingested:
        """The hour rows of `count` objects, spread evenly over the days; the cache has no part in it.

        Raises:
            StorageUnavailable: an object or a listing cannot be read.
        """
        listed = [item for day in days for items in self._lake.day(day).values() for item in items]
        chosen = sample_evenly(listed, count)
        groups: dict[tuple[date, Machine], list[LakeObject]] = {}
        for item in chosen:
            groups.setdefault((item.day, item.machine), []).append(item)
        tasks = [
            workers.Task(day, machine, MachineDay(), items, sum(item.size for item in items if not item.fault))
            for (day, machine), items in groups.items()
        ]
        found: dict[date, dict[Machine, workers.Fresh]] = {day: {} for day in days}
        with progress(self._log, "machine-days read", len(tasks)) as shown, self._workers() as pool:
            for (day, machine), fresh in pool.refresh(tasks):
                found[day][machine] = fresh
                shown.step()
        counts = Counts()
        tables = []
        for day, of in found.items():
            read = [item for task in tasks if task.day == day for item in task.listed if not item.fault]
            tables.append(table.join([fresh.table for fresh in of.values()], len(self._columns)))
            counts += _counted(day, tables[-1], {machine: fresh.objects for machine, fresh in of.items()}, read)
        return Ingested(table.join(tables, len(self._columns)), counts, [])

    def _workers(self) -> workers.Workers:
        return workers.Workers(self._source, self._processes)

    def _opened(self, day: date, refresh: datetime | None) -> _Day:
        """What is known of a day and what there is to do."""
        key = f"{self._folder}/{day}.parquet"
        listed = self._lake.day(day)
        known = self._known(key, refresh)
        if known is None:
            known = _Known(table.join([], len(self._columns)), {})
        where = dict(known.table.slices())
        news: dict[Machine, list[LakeObject]] = {}
        tasks = []
        for machine, items in listed.items():
            objects = known.objects.get(machine, ())
            seen = {(item.key, item.etag) for item in objects}
            if seen == {(item.key, item.etag) for item in items}:
                continue
            before = table.machine_day(known.table, where.get(machine, _NOTHING), objects)
            news[machine] = [item for item in items if not item.fault and (item.key, item.etag) not in seen]
            tasks.append(workers.Task(day, machine, before, items, sum(item.size for item in news[machine])))
        return _Day(key, known, listed, news, tasks)

    def _closed(self, day: date, of: _Day) -> tuple[HourTable | _Kept, Counts]:
        """The rows of a day, kept if they are others than before; machines that were not read have their old ones."""
        if not of.changed:
            return of.known.table, _counted(day, of.known.table, of.known.objects, [])
        where = dict(of.known.table.slices())
        parts: list[HourTable] = []
        objects: dict[Machine, tuple[ObjectSummary, ...]] = {}
        for machine in of.listed:
            if fresh := of.fresh.get(machine):
                parts.append(fresh.table)
                objects[machine] = fresh.objects
            elif machine in of.known.objects:
                parts.append(table.part(of.known.table, machine, where.get(machine, _NOTHING)))
                objects[machine] = of.known.objects[machine]
        made = table.join(parts, len(self._columns))
        read = [item for machine in of.fresh for item in of.news[machine]]
        counts = _counted(day, made, objects, read)
        if not of.listed:
            return made, counts
        # Unconditional: rows are a pure function of their objects; racing writers differ only in the machines read.
        body = parquet_cache.to_parquet(made, self._columns, objects)
        return _Kept(of.key, self._cache.put(of.key, body, content_type="application/vnd.apache.parquet")), counts

    def _reread(self, of: _Kept) -> HourTable | None:
        """The rows of a day that were kept; None where another run has written others since.

        Raises:
            StorageUnavailable: what comes is not what was kept.
        """
        try:
            blob = self._cache.get(of.key)
            return parquet_cache.from_parquet(blob.body, self._columns)[0] if blob.etag == of.etag else None
        except ObjectNotFound:
            return None
        except ValueError as exc:
            raise StorageUnavailable(f"s3://{self._cache.name}/{of.key} is damaged: {exc}") from exc

    def _known(self, key: str, since: datetime | None) -> _Known | None:
        try:
            blob = self._cache.get(key)
            if since and blob.modified < since.replace(microsecond=0):  # stores have whole seconds
                return None
            return _Known(*parquet_cache.from_parquet(blob.body, self._columns))
        except ObjectNotFound:
            return None
        except ValueError as exc:
            self._log.warning("%s is rebuilt: %s", key, exc)
            return None


def _counted(
    day: date, made: HourTable, objects: Mapping[Machine, Sequence[ObjectSummary]], read: Sequence[LakeObject]
) -> Counts:
    """What there is to tell of a day; `read` are the objects that were read now."""
    seen = [item for of in objects.values() for item in of]
    return Counts(
        objects=len(seen),
        read=len(read),
        raw_bytes=sum(item.size for item in read),
        readings=int(made.readings.sum()),
        rejected=total_rejected(seen),
        unreadable=[item.unreadable for item in seen if item.unreadable],
        days_without_data=[] if len(made) else [day],
        samples=reject_samples(seen),
    )

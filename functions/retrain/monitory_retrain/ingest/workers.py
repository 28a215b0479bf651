"""Brings machine-days up to date, in several processes where there is much to read."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import date
from itertools import chain
from typing import NamedTuple

from monitory import clock, metric_names
from monitory.decoding.tables import Row
from monitory.features import hour_row
from monitory.history.history_store import HistoryStore
from monitory.lake import Lake, MachineDay, ObjectSummary
from monitory.lake_listing import LakeObject
from monitory.layout.lake_layout import DEFAULT_LAYOUT, LakeLayout
from monitory.log import Logger
from monitory.machine import Machine
from monitory.sensors import SensorSet
from monitory.storage.port import Storage
from monitory.storage.s3 import S3Storage
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest import scored_rows
from monitory_retrain.ingest.kernels import VECTORISED
from monitory_retrain.ingest.task import Task
from monitory_retrain.runtime.processes import Processes

READ_THREADS = 8
WORTH_BYTES = 16 << 20
"""Starting processes takes longer than reading less raw data than this."""


class MachineDayTable(NamedTuple):
    """An up-to-date machine-day.

    Attributes:
        table: its rows as arrays.
        objects: what they come from.
        read, verified, differing: see `scored_rows.Refreshed`.
    """

    table: HourTable
    objects: tuple[ObjectSummary, ...]
    read: tuple[LakeObject, ...] = ()
    verified: int = 0
    differing: tuple[str, ...] = ()


Result = tuple[tuple[date, Machine], MachineDayTable]


class ScoredRowsConfig(NamedTuple):
    """Where the score function keeps rows, and how many of its objects are read again; see `scored_rows`."""

    bucket: str
    region: str
    verify_one_in: int

    def store(self, lake: Lake) -> HistoryStore:
        """The rows of a lake."""
        log = Logger(service=metric_names.RETRAIN_SERVICE)
        return HistoryStore(S3Storage(self.bucket, region=self.region), lake, log)


class LakeConfig(NamedTuple):
    """What a process needs to open the lake; it can be pickled. Without `scored_rows` only the lake is read."""

    bucket: str
    region: str
    prefix: str
    sensors: SensorSet
    time_zone: str = clock.DEFAULT_ZONE
    layout: LakeLayout = DEFAULT_LAYOUT
    scored_rows: ScoredRowsConfig | None = None

    def lake(self) -> Lake:
        """The lake with the kernel of training."""
        return self.lake_in(S3Storage(self.bucket, region=self.region))

    def fingerprint(self) -> str:
        """Eight hex digits that tell lakes apart."""
        return self.layout.fingerprint(self.bucket, self.prefix)

    def lake_in(self, storage: Storage) -> Lake:
        """The lake, read through `storage`."""
        kernel = VECTORISED._replace(parquet_rows=_parquet_rows)
        return Lake(storage, self.prefix, self.sensors, kernel, self.layout)


class Workers:
    """Brings machine-days up to date; a context manager that ends its processes."""

    def __init__(self, config: LakeConfig, count: int) -> None:
        """No process starts yet; `count` 1 does all work in this process."""
        self._count = count
        self._executor = ThreadPoolExecutor(READ_THREADS)
        self._refresh = _refresher(config, self._executor)
        self._processes: Processes[Task, Result] = Processes(_prepare, config, count)

    def __enter__(self) -> "Workers":
        """Processes start with the first large piece of work: many nights have little to read."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        self._processes.__exit__()
        self._executor.shutdown()

    def refresh(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """Bring machine-days up to date; results come in no order.

        Args:
            tasks: an iterator is advanced as workers become free. This process works on them until their sizes sum to
                `WORTH_BYTES`; then the processes start.

        Raises:
            StorageUnavailable: an object could not be read.
            WorkerDied: a process died.
        """
        queue = iter(tasks)
        size = 0
        for task in queue:
            size += task.size
            if self._count > 1 and size >= WORTH_BYTES:
                yield from self._processes.results(chain([task], queue))
            else:
                yield self._refresh(task)


def _parquet_rows(path: str, chunks: Iterable[bytes]) -> Iterator[list[Row]]:
    from monitory_retrain.ingest import parquet_lake  # Arrow takes more memory than the work of most lakes

    return parquet_lake.rows(path, chunks)


def _prepare(config: LakeConfig) -> Callable[[Task], Result]:
    clock.set_zone(config.time_zone)
    return _refresher(config, ThreadPoolExecutor(READ_THREADS))


def _refresher(config: LakeConfig, executor: Executor) -> Callable[[Task], Result]:
    lake = config.lake()
    width = len(hour_row.Columns(config.sensors))
    store = config.scored_rows.store(lake) if config.scored_rows else None
    verify_one_in = config.scored_rows.verify_one_in if config.scored_rows else 0

    def refresh(task: Task) -> Result:
        if config.layout.is_shared:
            rows, objects = lake.refresh_shared(task.listing, executor)
            days = {machine: MachineDay(hours=hours) for machine, hours in rows.items()}
            read = tuple(item for item in task.listing if not item.fault)
            return (task.day, task.machine), MachineDayTable(hour_table.from_days(days, width), objects, read)
        refreshed = scored_rows.refresh(lake, task, store, verify_one_in, executor)
        content = refreshed.content
        table = hour_table.from_days({task.machine: content}, width)
        result = MachineDayTable(table, content.objects, refreshed.read, refreshed.verified, refreshed.differing)
        return (task.day, task.machine), result

    return refresh

"""Machine-days brought up to date, by several processes where there is much to read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import date
from itertools import chain
from typing import NamedTuple

from monitory import clock
from monitory.features import hour_row
from monitory.lake import Lake, LakeObject, MachineDay, ObjectSummary
from monitory.machine import Machine
from monitory.sensors import SensorSet
from monitory.storage.s3 import S3Storage
from monitory_retrain.dataset import hour_table as table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest.kernels import VECTORISED
from monitory_retrain.runtime.processes import Processes

READ_THREADS = 8
WORTH_BYTES = 16 << 20
"""Less raw data is read sooner than processes start."""


class Task(NamedTuple):
    """A machine-day to bring up to date."""

    day: date
    machine: Machine
    known: MachineDay
    listed: Sequence[LakeObject]
    size: int
    """Bytes to be read for it."""


class Fresh(NamedTuple):
    """A machine-day that was brought up to date: its rows as arrays, and the objects that they came from."""

    table: HourTable
    objects: tuple[ObjectSummary, ...]


Result = tuple[tuple[date, Machine], Fresh]


class Source(NamedTuple):
    """The lake, in words that can be sent to a process."""

    bucket: str
    region: str
    prefix: str
    sensors: SensorSet
    time_zone: str = clock.DEFAULT_ZONE

    def lake(self) -> Lake:
        """The lake with the vectorised kernel."""
        return Lake(S3Storage(self.bucket, region=self.region), self.prefix, self.sensors, VECTORISED)


class Workers:
    """Brings machine-days up to date; a context manager, its processes end with it."""

    def __init__(self, source: Source, count: int) -> None:
        """Nothing is started yet; `count` 1 does all work in this process."""
        self._count = count
        self._executor = ThreadPoolExecutor(READ_THREADS)
        self._here = _refreshing(source, self._executor)
        self._processes: Processes[Task, Result] = Processes(_prepare, source, count)

    def __enter__(self) -> "Workers":
        """Start when the first large piece of work comes, not before: many nights have little to read."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        self._processes.__exit__()
        self._executor.shutdown()

    def refresh(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """Bring machine-days up to date; results come in no order.

        Args:
            tasks: which; taken as they are needed. Processes start when these come to `WORTH_BYTES`, the ones before
                are done in this process.

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
                yield self._here(task)


def _prepare(source: Source) -> Callable[[Task], Result]:
    clock.set_zone(source.time_zone)
    return _refreshing(source, ThreadPoolExecutor(READ_THREADS))


def _refreshing(source: Source, executor: Executor) -> Callable[[Task], Result]:
    lake = source.lake()
    width = len(hour_row.Columns(source.sensors))

    def refresh(task: Task) -> Result:
        content = lake.refresh(task.known, task.listed, executor)
        return (task.day, task.machine), Fresh(table.from_days({task.machine: content}, width), content.objects)

    return refresh

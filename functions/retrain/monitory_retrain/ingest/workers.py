"""Brings machine-days up to date, in several processes where there is much to read."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import date
from itertools import chain
from typing import NamedTuple

from monitory import clock
from monitory.features import hour_row
from monitory.lake import Lake, MachineDay, ObjectSummary
from monitory.lake_listing import LakeObject
from monitory.machine import Machine
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest import scored_rows
from monitory_retrain.ingest.lake_config import LakeConfig
from monitory_retrain.ingest.task import Task
from monitory_retrain.runtime.processes import Processes

READ_THREADS = 8
WORTH_BYTES = 256 << 20
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


class Workers:
    """Brings machine-days up to date; a context manager that ends its processes."""

    def __init__(self, config: LakeConfig, lake: Lake, count: int) -> None:
        """No process starts yet; `count` 1 does all work in this process, which reads `lake`."""
        self._count = count
        self._executor = ThreadPoolExecutor(READ_THREADS)
        self._refresh = _refresher(config, lake, self._executor)
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


def _prepare(config: LakeConfig) -> Callable[[Task], Result]:
    clock.set_zone(config.time_zone)
    return _refresher(config, config.lake(), ThreadPoolExecutor(READ_THREADS))


def _refresher(config: LakeConfig, lake: Lake, executor: Executor) -> Callable[[Task], Result]:
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

"""Machine-days brought up to date, by several processes where there is much to read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import NamedTuple

from monitory.identifiers import Machine
from monitory.lake import Lake, LakeObject, MachineDay
from monitory.sensors import SensorSet
from monitory.storage import S3Storage
from monitory_retrain.kernel import rolling_deviations
from monitory_retrain.processes import Processes

READ_THREADS = 8
WORTH_BYTES = 16 << 20
"""Less raw data is read sooner than processes start."""


class Task(NamedTuple):
    """A machine-day to bring up to date."""

    machine: Machine
    known: MachineDay
    listed: Sequence[LakeObject]


Result = tuple[Machine, MachineDay]


class Source(NamedTuple):
    """The lake, in words that can be sent to a process."""

    bucket: str
    region: str
    prefix: str
    sensors: SensorSet

    def lake(self) -> Lake:
        """The lake with the vectorised kernel."""
        return Lake(S3Storage(self.bucket, region=self.region), self.prefix, self.sensors, rolling_deviations)


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

    def refresh(self, tasks: Iterable[Task], size: int) -> Iterator[Result]:
        """Bring machine-days up to date; results come in no order.

        Args:
            tasks: which; taken as they are needed.
            size: bytes to be read; little is read in this process.

        Raises:
            StorageUnavailable: an object could not be read.
            WorkerDied: a process died.
        """
        if self._count <= 1 or (size < WORTH_BYTES and not self._processes.started):
            return map(self._here, tasks)
        return self._processes.results(tasks)


def _prepare(source: Source) -> Callable[[Task], Result]:
    return _refreshing(source, ThreadPoolExecutor(READ_THREADS))


def _refreshing(source: Source, executor: Executor) -> Callable[[Task], Result]:
    lake = source.lake()

    def refresh(task: Task) -> Result:
        return task.machine, lake.refresh(task.known, task.listed, executor)

    return refresh

"""Reads batches of a plan.

Each batch is read into a piece of its own (see `day_cache`), so batches may run side by side, be repeated and be
killed; whoever reads a day later takes what pieces there are, and reads the rest.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from monitory.lake_listing import LakeObject
from monitory.log import Logger
from monitory.machine import Machine
from monitory.storage.port import Storage
from monitory_retrain.ingest import day_update
from monitory_retrain.ingest.backfill.batches import Batch
from monitory_retrain.ingest.cache.day_cache import DayCache
from monitory_retrain.ingest.counts import Counts
from monitory_retrain.ingest.lake_config import LakeConfig
from monitory_retrain.ingest.task import Task
from monitory_retrain.ingest.workers import Workers
from monitory_retrain.runtime.progress import progress

LIST_THREADS = 8


@dataclass(frozen=True, slots=True)
class BatchRead:
    """What came of a batch: counts of all that is kept of its machines, and the machines that are not read yet."""

    counts: Counts
    left: list[Machine]


class BatchReader:
    """Reads batches of a lake into the cache in `models`; `config` says which lake."""

    def __init__(self, config: LakeConfig, models: Storage, log: Logger) -> None:
        """Nothing is read yet."""
        self._config = config
        self._lake = config.lake()
        self._cache = DayCache(models, self._lake, log)
        self.log = log

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
        workers = Workers(self._config, self._lake, 1)
        with progress(self.log, "machine-days read", len(update.tasks)) as bar, workers:
            for (_, machine), result in workers.refresh(tasks()):
                update.results[machine] = result
                bar.step()
        content = update.merge(len(self._cache.columns))
        if update.results:
            self._cache.write_piece(batch.day, batch.name, content)
        left = [task.machine for task in update.tasks if task.machine not in update.results]
        return BatchRead(update.counts(content), left)

    def _listing(self, batch: Batch) -> dict[Machine, list[LakeObject]]:
        """The objects of a batch's machines that have any."""
        owners = batch.owners
        if self._config.layout.is_shared:
            of_day = self._lake.day(batch.day)
            return {owner: of_day[owner] for owner in owners if owner in of_day}
        with ThreadPoolExecutor(LIST_THREADS) as pool:
            listed = pool.map(lambda owner: self._lake.machine_day(owner, batch.day), owners)
            return {owner: items for owner, items in zip(owners, listed, strict=True) if items}

"""A day's update: which machine-days have changed objects, and the day's rows once these are read. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from monitory.lake import ObjectSummary
from monitory.lake_listing import LakeObject
from monitory.machine import Machine
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest.cache.cached_day import CachedDay, covered
from monitory_retrain.ingest.counts import Counts, count_day
from monitory_retrain.ingest.task import Task
from monitory_retrain.ingest.workers import MachineDayTable

_NO_ROWS = slice(0, 0)


@dataclass(frozen=True, slots=True)
class DayUpdate:
    """A day between its cached state and its objects as they are listed now.

    Attributes:
        day: the date.
        cached: the cached state.
        listing: the objects of its machines.
        tasks: one for each of these machines.
        unplaced: keys that look like data, but whose folders name no machine.
        results: of the finished tasks.
    """

    day: date
    cached: CachedDay
    listing: Mapping[Machine, Sequence[LakeObject]]
    tasks: Sequence[Task]
    unplaced: Sequence[str] = ()
    results: dict[Machine, MachineDayTable] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """Whether all tasks have their results."""
        return len(self.results) == len(self.tasks)

    @property
    def is_changed(self) -> bool:
        """Whether the day differs from what is stored under its date."""
        return bool(self.results) or self.cached.is_pieced or self.listing.keys() != self.cached.objects.keys()

    def merge(self, width: int) -> CachedDay:
        """The day with its results; a machine without a result keeps its cached rows.

        Args:
            width: the number of an hour row's values.
        """
        slices = dict(self.cached.table.slices())
        tables: list[HourTable] = []
        objects: dict[Machine, tuple[ObjectSummary, ...]] = {}
        for machine in self.listing:
            if result := self.results.get(machine):
                tables.append(result.table)
                objects[machine] = result.objects
            elif machine in self.cached.objects:
                tables += [hour_table.part(self.cached.table, of, slices[of]) for of in covered(machine, slices)]
                objects[machine] = self.cached.objects[machine]
        return CachedDay(hour_table.join(tables, width), objects)

    def counts(self, content: CachedDay) -> Counts:
        """The counts of the day with its content."""
        results = self.results.values()
        read = [item for result in results for item in result.read]
        counts = count_day(self.day, content.table, content.objects, read, self.unplaced)
        counts.verified = sum(result.verified for result in results)
        counts.differing = [key for result in results for key in result.differing]
        return counts


def plan(
    day: date,
    listing: Mapping[Machine, Sequence[LakeObject]],
    cached: CachedDay,
    may_use_scored: bool = True,
    unplaced: Sequence[str] = (),
) -> DayUpdate:
    """Compare a day's objects with its cached state; `may_use_scored` as in `Task`, `unplaced` as in `DayUpdate`."""
    slices = dict(cached.table.slices())
    tasks = []
    for machine, items in listing.items():
        objects = cached.objects.get(machine, ())
        read = {(item.key, item.etag) for item in objects}
        if read == {(item.key, item.etag) for item in items}:
            continue
        state = hour_table.machine_day(cached.table, slices.get(machine, _NO_ROWS), objects)
        size = sum(item.size for item in items if not item.fault and (item.key, item.etag) not in read)
        tasks.append(Task(day, machine, state, items, size, may_use_scored))
    return DayUpdate(day, cached, listing, tasks, unplaced)

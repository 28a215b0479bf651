"""The sensor lake: hour rows out of its objects.

    EQUIPMENT/date=YYYY-MM-DD/zone_id=<zoneId>/equip_id=<equipId>/equip-<uuid>-<n>.json

is where an object lies unless `layout` says otherwise; `date` is the factory's date on which the hour starts. Names are
random: only an object's readings say which hours it holds. The unit of work is the *machine-day*: the hour rows of one
machine and date, brought up to date by reading just the objects that are new or have another ETag.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from datetime import date

import msgspec

from monitory.decoding.rejects import Rejects
from monitory.errors import ObjectNotFound, UnreadableObject
from monitory.features.hour_row import HourRow, has_plausible_extremes, hour_row
from monitory.features.uniform import UniformHour, UniformObjects
from monitory.lake_bodies import ObjectBodies
from monitory.lake_listing import LakeListing, LakeObject
from monitory.layout.lake_layout import DEFAULT_LAYOUT, LakeLayout
from monitory.machine import Machine
from monitory.readings.by_hour import ReadingsByHour
from monitory.readings.by_machine import ReadingsByMachine
from monitory.readings.kernels import PURE, Kernel
from monitory.readings.objects import ObjectKey
from monitory.readings.pool import SMALL_BYTES, PooledHour, ReadingPool
from monitory.readings.sensor_readings import HourReadings
from monitory.sensors import SensorSet
from monitory.storage.port import Storage

POOLED_HOURS = 2
"""A day's newest hours whose readings are stored, if small objects share them."""


class ObjectSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """An object's hours and rejects. The field names are the stored format.

    Attributes:
        key, etag: which object, in which state.
        hours: the hours of its readings, see `clock`.
        rejected: number of skipped records, by reason.
        unreadable: why nothing in it is readable; None where something is.
        samples: the defect of one of the skipped records, by reason.
    """

    key: str
    etag: str
    hours: tuple[int, ...]
    rejected: dict[str, int]
    unreadable: str | None = None
    samples: dict[str, str] = {}


class MachineDay(msgspec.Struct, frozen=True):
    """The state of a machine's folder of a date. The field names, `kept` for `pooled`, are the stored format.

    Attributes:
        objects: in the order of keys.
        hours: in order.
        pooled: readings of the newest hours that save requests; may be empty.
    """

    objects: tuple[ObjectSummary, ...] = ()
    hours: tuple[HourRow, ...] = ()
    pooled: tuple[PooledHour, ...] = msgspec.field(default=(), name="kept")


class Lake:
    """Reads a lake; never writes to it."""

    def __init__(
        self,
        storage: Storage,
        prefix: str,
        sensors: SensorSet,
        kernel: Kernel = PURE,
        layout: LakeLayout = DEFAULT_LAYOUT,
    ) -> None:
        """A lake under `prefix` of a bucket; `kernel` is the implementation of the inner loops."""
        self.storage = storage
        self.prefix = prefix.rstrip("/")
        self.sensors = sensors
        self.layout = layout
        self.listing = LakeListing(storage, self.prefix, layout)
        self._kernel = kernel
        self._uniform = UniformObjects(sensors, layout)
        self._bodies = ObjectBodies(storage)

    def fingerprint(self) -> str:
        """Eight hex digits that tell lakes apart."""
        return self.layout.fingerprint(self.storage.name, self.prefix)

    def machine_day(self, owner: Machine, day: date) -> list[LakeObject]:
        """The objects of a date that hold a machine's readings."""
        return self.listing.machine_day(owner, day)

    def day(self, day: date, unplaced: list[str] | None = None) -> dict[Machine, list[LakeObject]]:
        """All objects of a date by machine; `unplaced` receives the keys whose folders name no machine."""
        return self.listing.day(day, unplaced)

    def refresh(self, cached: MachineDay, listed: Sequence[LakeObject], executor: Executor | None = None) -> MachineDay:
        """Bring a machine-day up to date by reading the objects that are new or have changed.

        An hour that several objects share (a restart of the producer splits it) is computed from all their
        readings together. Memory is that of one hour's readings, however many objects there are.

        Args:
            cached: the former state, `MachineDay()` for none.
            listed: the objects of the folder now; one machine, one date.
            executor: reads objects ahead; None reads them one after the other.

        Raises:
            StorageUnavailable: an object cannot be read.
        """
        present = {item.key: item for item in listed}
        valid = [item for item in cached.objects if item.key in present and present[item.key].etag == item.etag]
        valid_keys = {item.key for item in valid}
        stale = {hour for item in cached.objects if item.key not in valid_keys for hour in item.hours}
        rows = {row.hour: row for row in cached.hours if row.hour not in stale}
        keys_by_hour: dict[int, list[str]] = {}
        for summary in valid:
            for number in summary.hours:
                keys_by_hour.setdefault(number, []).append(summary.key)

        empty = ReadingsByHour(self.sensors, self._kernel, self.layout)
        pool = ReadingPool(empty, cached.pooled, {(item.key, item.etag) for item in valid})
        fresh: list[ObjectSummary] = []
        touched = set(stale)
        unread = [item for item in listed if item.key not in valid_keys]
        for item in unread:
            if item.fault:
                fresh.append(_faulty(item))
        for summary, of_object in self._rows([item for item in unread if not item.fault], pool, executor):
            fresh.append(summary)
            for row in of_object:
                keys_by_hour.setdefault(row.hour, []).append(summary.key)
                touched.add(row.hour)
                rows[row.hour] = row

        shared = {number for number in touched if len(keys_by_hour.get(number, ())) > 1 or number not in rows}
        for number in list(shared):
            if pooled := pool.readings(number, keys_by_hour.get(number, ())):
                rows[number] = self._hour(number, pooled)
                shared.discard(number)
        if keys := sorted({key for number in shared for key in keys_by_hour.get(number, ())}):
            rows |= self._joint_hours([present[key] for key in keys], shared, pool, executor)
        numbers = tuple(sorted(rows))
        return MachineDay(
            tuple(sorted(valid + fresh, key=lambda item: item.key)),
            tuple(rows[number] for number in numbers),
            pool.to_store(keys_by_hour, numbers[-POOLED_HOURS:]),
        )

    def refresh_shared(
        self, listed: Sequence[LakeObject], executor: Executor | None = None
    ) -> tuple[dict[Machine, tuple[HourRow, ...]], tuple[ObjectSummary, ...]]:
        """The hour rows of all machines whose readings share a date's objects, which are all read.

        Arguments and errors are those of `refresh`.
        """
        summaries = [_faulty(item) for item in listed if item.fault]
        joint = ReadingsByMachine(self.sensors, self._kernel, self.layout)
        for item, fetch in self._bodies.each([item for item in listed if not item.fault], executor):
            try:
                hours, rejects, unreadable = joint.add(ObjectKey(item.key, item.machine, item.day), fetch())
            except ObjectNotFound:
                continue  # deleted since the listing
            numbers, samples = tuple(sorted(hours)), dict(rejects.samples)
            summaries.append(ObjectSummary(item.key, item.etag, numbers, dict(rejects.counts), unreadable, samples))
        rows: dict[Machine, tuple[HourRow, ...]] = {}
        implausible = Rejects()
        for owner, readings in joint.machines.items():
            of_hours = [row for number in sorted(readings.hours) if (row := self._plausible_hour(number, readings))]
            rows[owner] = tuple(of_hours)
            implausible.update(readings.rejected, readings.samples)
        if summaries and implausible.counts:  # of all objects together, counted with the last
            counts = {**summaries[-1].rejected, **implausible.counts}
            samples = {**implausible.samples, **summaries[-1].samples}
            summaries[-1] = msgspec.structs.replace(summaries[-1], rejected=counts, samples=samples)
        return rows, tuple(sorted(summaries, key=lambda item: item.key))

    def _rows(
        self, items: Sequence[LakeObject], pool: ReadingPool, executor: Executor | None
    ) -> Iterator[tuple[ObjectSummary, list[HourRow]]]:
        """Each object's hour rows, in order; readings of small ones go into the pool."""
        for item, fetch in self._bodies.each(items, executor):
            try:
                body = fetch()
                if uniform := self._uniform_hour(item, body):
                    yield _summary(item, [uniform.row], uniform.rejects.counts, uniform.rejects.samples), [uniform.row]
                    continue
                readings, unreadable = self._readings(item, body)
            except ObjectNotFound:
                continue  # deleted since the listing
            found = [self._plausible_hour(number, readings) for number in sorted(readings.hours)]
            if item.size <= SMALL_BYTES:
                pool.add(item.key, item.etag, readings, readings.hours)
            rows = [row for row in found if row]
            yield _summary(item, rows, readings.rejected, readings.samples, unreadable), rows

    def _uniform_hour(self, item: LakeObject, body: Iterable[bytes]) -> UniformHour | None:
        """The hour of an object whose readings nobody needs one by one; None where somebody may, or it has to be."""
        if isinstance(body, list) and len(body[0]) > SMALL_BYTES:
            return self._uniform.read(ObjectKey(item.key, item.machine, item.day), body[0])
        return None

    def _joint_hours(
        self, items: Sequence[LakeObject], hours: set[int], pool: ReadingPool, executor: Executor | None
    ) -> dict[int, HourRow]:
        joint = ReadingsByHour(self.sensors, self._kernel, self.layout)
        for item, fetch in self._bodies.each(items, executor):
            try:
                readings, _ = self._readings(item, fetch())
            except ObjectNotFound:
                continue  # deleted since the listing
            for number in hours & readings.hours.keys():
                readings.discard_implausible(number)
            shared = hours & readings.hours.keys()
            joint.absorb(readings, shared)
            if item.size <= SMALL_BYTES:
                pool.add(item.key, item.etag, readings, shared)
        return {number: self._hour(number, of_hour) for number, of_hour in joint.hours.items()}

    def _plausible_hour(self, number: int, readings: ReadingsByHour) -> HourRow | None:
        """An hour without its implausible readings, of which few hours have any; None if no others are left."""
        hour = self._hour(number, readings.hours[number])
        if has_plausible_extremes(hour, self.sensors):
            return hour
        readings.discard_implausible(number)
        return self._hour(number, readings.hours[number]) if number in readings.hours else None

    def _hour(self, number: int, readings: HourReadings) -> HourRow:
        return hour_row(number, readings, self.sensors, self._kernel)

    def _readings(self, item: LakeObject, body: Iterable[bytes]) -> tuple[ReadingsByHour, str | None]:
        """An object's readings, and why nothing in it is readable, if so.

        Raises:
            ObjectNotFound: it was deleted since the listing.
        """
        readings = ReadingsByHour(self.sensors, self._kernel, self.layout)
        try:
            readings.add(ObjectKey(item.key, item.machine, item.day), body)
        except UnreadableObject as exc:
            return readings, str(exc)
        return readings, None


def _summary(
    item: LakeObject,
    rows: Iterable[HourRow],
    rejected: Mapping[str, int],
    samples: Mapping[str, str],
    unreadable: str | None = None,
) -> ObjectSummary:
    hours = tuple(row.hour for row in rows)
    return ObjectSummary(item.key, item.etag, hours, dict(rejected), unreadable, dict(samples))


def _faulty(item: LakeObject) -> ObjectSummary:
    return ObjectSummary(item.key, item.etag, (), {}, f"{item.key!r} cannot be read: {item.fault}")


def total_rejected(objects: Iterable[ObjectSummary]) -> Counter[str]:
    """Number of skipped records of several objects, by reason."""
    total: Counter[str] = Counter()
    for item in objects:
        total.update(item.rejected)
    return total


def reject_samples(objects: Iterable[ObjectSummary]) -> dict[str, str]:
    """The defect of one of the skipped records, by reason."""
    samples: dict[str, str] = {}
    for item in objects:
        samples = {**item.samples, **samples}
    return samples

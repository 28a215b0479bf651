"""The sensor lake: its layout, and hour rows out of its objects.

    EQUIPMENT/date=YYYY-MM-DD/zone_id=<zoneId>/equip_id=<equipId>/equip-<uuid>-<n>.json

`date` is the factory's date on which the hour starts. Names are random: only an object's readings say which hours it
holds. `layout` decides which names are data. The unit of work is the *machine-day*: the hour rows of one machine's
folder of a date, brought up to date by reading just the objects that are new or have another ETag.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from datetime import date, datetime
from functools import partial
from itertools import islice
from typing import NamedTuple

import msgspec

from monitory import layout
from monitory.errors import ObjectNotFound, StorageUnavailable, UnreadableObject
from monitory.features.hour_row import HourRow, has_plausible_extremes, hour_row
from monitory.machine import Machine
from monitory.readings.by_hour import ObjectKey, ReadingsByHour
from monitory.readings.kernels import PURE, Kernel
from monitory.readings.pool import SMALL_BYTES, PooledHour, ReadingPool
from monitory.readings.sensor_readings import HourReadings
from monitory.sensors import SensorSet
from monitory.storage.port import Entry, IncompleteListing, Storage

WHOLE_BYTES = 8 << 20
"""Larger objects are streamed."""

CHUNK_BYTES = 4 << 20
POOLED_HOURS = 2
"""A day's newest hours whose readings are stored, if small objects share them."""

READ_AHEAD = 8
"""Objects fetched ahead while one is decoded."""


UNKNOWN_SIZE = -1
"""Of an object that was not listed."""


class LakeObject(NamedTuple):
    """An object of the lake; `size` in bytes; `fault` says why it cannot be requested."""

    key: str
    etag: str
    size: int
    machine: Machine
    day: date
    fault: str = ""
    modified: datetime | None = None


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
    """The state of a machine's folder of one date. The field names, `kept` for `pooled`, are the stored format.

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

    def __init__(self, storage: Storage, prefix: str, sensors: SensorSet, kernel: Kernel = PURE) -> None:
        """A lake under `prefix` of a bucket; `kernel` is the implementation of the inner loops."""
        self.storage = storage
        self.prefix = prefix.rstrip("/")
        self.sensors = sensors
        self._kernel = kernel

    def machine_day(self, owner: Machine, day: date) -> list[LakeObject]:
        """The objects of a machine's folder of a date."""
        folder = f"{self.prefix}/date={day}/zone_id={owner.zone_id}/equip_id={owner.equip_id}"
        return [self._object(entry, owner, day) for entry in self._listed(folder) if self._is_data(entry)]

    def day(self, day: date) -> dict[Machine, list[LakeObject]]:
        """All objects of a date by machine, without keys that don't follow the layout."""
        objects: dict[Machine, list[LakeObject]] = {}
        for entry in self._listed(f"{self.prefix}/date={day}"):
            owner = layout.owner(self._below(entry.key))
            if owner and self._is_data(entry):
                objects.setdefault(owner, []).append(self._object(entry, owner, day))
        return objects

    def _object(self, entry: Entry, owner: Machine, day: date) -> LakeObject:
        return LakeObject(entry.key, entry.etag, entry.size, owner, day, entry.fault, entry.modified)

    def _is_data(self, entry: Entry) -> bool:
        """Whether there is something to read, or a fault to report."""
        return bool(entry.fault) or (entry.size > 0 and layout.is_data(layout.below_machine(self._below(entry.key))))

    def _below(self, key: str) -> str:
        return key.removeprefix(self.prefix + "/")

    def _listed(self, folder: str) -> Iterator[Entry]:
        """A folder's entries; a gap in one machine's folder does not hide the other machines."""
        try:
            yield from self.storage.list(folder)
        except IncompleteListing as exc:
            if not all(layout.owner(f"{self._below(of)}/") for of in exc.folders):
                raise

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

        empty = ReadingsByHour(self.sensors, self._kernel)
        pool = ReadingPool(empty, cached.pooled, {(item.key, item.etag) for item in valid})
        fresh: list[ObjectSummary] = []
        touched = set(stale)
        unread = [item for item in listed if item.key not in valid_keys]
        for item in unread:
            if item.fault:
                why = f"{item.key!r} cannot be read: {item.fault}"
                fresh.append(ObjectSummary(item.key, item.etag, (), {}, why))
        for item, readings, unreadable in self._read([item for item in unread if not item.fault], executor):
            for number in sorted(readings.hours):
                if row := self._plausible_hour(number, readings):
                    keys_by_hour.setdefault(number, []).append(item.key)
                    touched.add(number)
                    rows[number] = row
            if item.size <= SMALL_BYTES:
                pool.add(item.key, item.etag, readings, readings.hours)
            numbers, rejected, samples = tuple(sorted(readings.hours)), dict(readings.rejected), dict(readings.samples)
            fresh.append(ObjectSummary(item.key, item.etag, numbers, rejected, unreadable, samples))

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

    def _joint_hours(
        self, items: Sequence[LakeObject], hours: set[int], pool: ReadingPool, executor: Executor | None
    ) -> dict[int, HourRow]:
        joint = ReadingsByHour(self.sensors, self._kernel)
        for item, readings, _ in self._read(items, executor):
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

    def _read(
        self, items: Sequence[LakeObject], executor: Executor | None
    ) -> Iterator[tuple[LakeObject, ReadingsByHour, str | None]]:
        """Decode objects one by one, while the next ones are fetched."""
        for item, fetch in self._bodies(items, executor):
            readings = ReadingsByHour(self.sensors, self._kernel)
            unreadable = None
            try:
                readings.add(ObjectKey(item.key, item.machine, item.day), fetch())
            except UnreadableObject as exc:
                unreadable = str(exc)
            except ObjectNotFound:
                continue  # deleted since the listing
            yield item, readings, unreadable

    def _bodies(
        self, items: Sequence[LakeObject], executor: Executor | None
    ) -> Iterator[tuple[LakeObject, Callable[[], Iterable[bytes]]]]:
        if executor is None or len(items) == 1:
            for item in items:
                yield item, partial(self._chunks, item)
            return
        small = iter([item for item in items if item.size <= WHOLE_BYTES])
        ahead: list[tuple[LakeObject, Future[list[bytes]]]] = []
        for item in islice(small, READ_AHEAD):
            ahead.append((item, executor.submit(self._whole, item)))
        while ahead:
            item, body = ahead.pop(0)
            for following in islice(small, 1):
                ahead.append((following, executor.submit(self._whole, following)))
            yield item, body.result
        for item in items:
            if item.size > WHOLE_BYTES:
                yield item, partial(self._chunks, item)

    def _whole(self, item: LakeObject) -> list[bytes]:
        blob = self.storage.get(item.key)
        if blob.etag == item.etag:
            self._expect(item, len(blob.body))
        return [blob.body]

    def _chunks(self, item: LakeObject) -> Iterable[bytes]:
        return self._streamed(item) if item.size > WHOLE_BYTES else self._whole(item)

    def _streamed(self, item: LakeObject) -> Iterator[bytes]:
        size = 0
        for chunk in self.storage.stream(item.key, CHUNK_BYTES):
            size += len(chunk)
            yield chunk
        self._expect(item, size)

    def _expect(self, item: LakeObject, size: int) -> None:
        """Refuse a truncated object: it would pass for an hour with fewer readings, and be cached as one."""
        if item.size not in (size, UNKNOWN_SIZE):
            raise StorageUnavailable(
                f"s3://{self.storage.name}/{item.key} came with {size:,} bytes, it was listed with {item.size:,}"
            )


def sample_evenly(objects: Sequence[LakeObject], count: int) -> list[LakeObject]:
    """`count` objects spread evenly over a sequence, all of them when there are no more.

    >>> sample_evenly(list("abcdefghij"), 3)
    ['a', 'd', 'g']
    """
    if count >= len(objects):
        return list(objects)
    return [objects[index * len(objects) // count] for index in range(count)]


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

"""The sensor lake: its layout, and hour rows out of its objects.

    EQUIPMENT/date=YYYY-MM-DD/zone_id=<zoneId>/equip_id=<equipId>/equip-<uuid>-<n>.json

`date` is the factory's date on which the hour starts. Names are random, so which hour an object holds is known
only from its readings; which names are data is decided in `layout`. The unit of work is the *machine-day*: what is
known of one machine's folder of a date, brought up to date by reading just the objects that are new or have another
ETag.
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
from monitory.readings.column import HourReadings
from monitory.readings.decoding import Readings, Source
from monitory.readings.kept import SMALL_BYTES, Gathered, KeptHour
from monitory.readings.kernels import PURE, Kernel
from monitory.sensors import SensorSet
from monitory.storage.port import Entry, IncompleteListing, Storage

WHOLE_BYTES = 8 << 20
"""A larger object is streamed instead of being held whole."""

CHUNK_BYTES = 4 << 20
KEPT_HOURS = 2
"""Of so many of a day's newest hours readings are kept, where small objects share them."""

READ_AHEAD = 8
"""Objects on their way while one is decoded."""


class LakeObject(NamedTuple):
    """An object of the lake; `size` in bytes, `fault` says why it can't be asked for, `modified` when written."""

    key: str
    etag: str
    size: int
    machine: Machine
    day: date
    fault: str = ""
    modified: datetime | None = None


class SeenObject(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of an object that was read.

    Attributes:
        key, etag: which object, in which state.
        hours: the hours that its readings lie in.
        rejected: records that were skipped, by reason.
        unreadable: why nothing in it could be read, or None.
        samples: what was wrong with one of the records that were skipped, by reason.
    """

    key: str
    etag: str
    hours: tuple[int, ...]
    rejected: dict[str, int]
    unreadable: str | None = None
    samples: dict[str, str] = {}


class MachineDay(msgspec.Struct, frozen=True):
    """All that is known of a machine's folder of one date, hours in order; `kept` saves requests and may be empty."""

    objects: tuple[SeenObject, ...] = ()
    hours: tuple[HourRow, ...] = ()
    kept: tuple[KeptHour, ...] = ()


class Lake:
    """Reads a lake; never writes to it."""

    def __init__(self, storage: Storage, prefix: str, sensors: SensorSet, kernel: Kernel = PURE) -> None:
        """A lake under `prefix` of a bucket; `kernel` says how what is done with every reading is spelled."""
        self.storage = storage
        self.prefix = prefix.rstrip("/")
        self.sensors = sensors
        self._kernel = kernel

    def machine_day(self, owner: Machine, day: date) -> list[LakeObject]:
        """The objects of a machine's folder of a date."""
        folder = f"{self.prefix}/date={day}/zone_id={owner.zone_id}/equip_id={owner.equip_id}"
        return [self._object(entry, owner, day) for entry in self._listed(folder) if self._is_data(entry)]

    def day(self, day: date) -> dict[Machine, list[LakeObject]]:
        """All objects of a date by machine; keys that don't follow the layout are left out."""
        found: dict[Machine, list[LakeObject]] = {}
        for entry in self._listed(f"{self.prefix}/date={day}"):
            owner = layout.owner(self._below(entry.key))
            if owner and self._is_data(entry):
                found.setdefault(owner, []).append(self._object(entry, owner, day))
        return found

    def _object(self, entry: Entry, owner: Machine, day: date) -> LakeObject:
        return LakeObject(entry.key, entry.etag, entry.size, owner, day, entry.fault, entry.modified)

    def _is_data(self, entry: Entry) -> bool:
        """Whether there is something to read; what can't be asked for is told of, whatever it is."""
        return bool(entry.fault) or (entry.size > 0 and layout.is_data(layout.below_machine(self._below(entry.key))))

    def _below(self, key: str) -> str:
        return key.removeprefix(self.prefix + "/")

    def _listed(self, folder: str) -> Iterator[Entry]:
        """A folder's entries. What is missing in one machine's folder alone is no reason to do without the others."""
        try:
            yield from self.storage.list(folder)
        except IncompleteListing as exc:
            if not all(layout.owner(f"{self._below(of)}/") for of in exc.folders):
                raise

    def refresh(self, known: MachineDay, listed: Sequence[LakeObject], executor: Executor | None = None) -> MachineDay:
        """Bring a machine-day up to date by reading the objects that aren't known in their present state.

        An hour that several objects hold (a restart of the producer splits it) is computed from all their
        readings together. Memory is that of one hour's readings, however many objects there are.

        Args:
            known: what is known, `MachineDay()` for nothing.
            listed: the objects of the folder as they are now; one machine, one date.
            executor: where objects are read ahead; none reads them one after the other.

        Raises:
            StorageUnavailable: an object cannot be read.
        """
        present = {item.key: item for item in listed}
        kept = [seen for seen in known.objects if seen.key in present and present[seen.key].etag == seen.etag]
        kept_keys = {seen.key for seen in kept}
        stale = {hour for seen in known.objects if seen.key not in kept_keys for hour in seen.hours}
        hours = {hour.hour: hour for hour in known.hours if hour.hour not in stale}
        owners: dict[int, list[str]] = {}
        for seen in kept:
            for number in seen.hours:
                owners.setdefault(number, []).append(seen.key)

        gathered = Gathered(Readings(self.sensors, self._kernel), known.kept, {(seen.key, seen.etag) for seen in kept})
        fresh: list[SeenObject] = []
        touched = set(stale)
        news = [item for item in listed if item.key not in kept_keys]
        for item in news:
            if item.fault:
                why = f"{item.key!r} cannot be read: {item.fault}"
                fresh.append(SeenObject(item.key, item.etag, (), {}, why))
        for item, readings, unreadable in self._read([item for item in news if not item.fault], executor):
            for number in sorted(readings.hours):
                if hour := self._plausible_hour(number, readings):
                    owners.setdefault(number, []).append(item.key)
                    touched.add(number)
                    hours[number] = hour
            if item.size <= SMALL_BYTES:
                gathered.add(item.key, item.etag, readings, readings.hours)
            numbers, rejected, samples = tuple(sorted(readings.hours)), dict(readings.rejected), dict(readings.samples)
            fresh.append(SeenObject(item.key, item.etag, numbers, rejected, unreadable, samples))

        shared = {number for number in touched if len(owners.get(number, ())) > 1 or number not in hours}
        for number in list(shared):
            if columns := gathered.columns(number, owners.get(number, ())):
                hours[number] = self._hour(number, columns)
                shared.discard(number)
        together = sorted({key for number in shared for key in owners.get(number, ())})
        if together:
            items = [present[key] for key in together]
            hours |= self._joint_hours(items, shared, gathered, executor)
        objects = tuple(sorted(kept + fresh, key=lambda seen: seen.key))
        newest = sorted(hours)[-KEPT_HOURS:]
        return MachineDay(objects, tuple(hours[number] for number in sorted(hours)), gathered.kept(owners, newest))

    def _joint_hours(
        self, items: Sequence[LakeObject], wanted: set[int], gathered: Gathered, executor: Executor | None
    ) -> dict[int, HourRow]:
        pooled = Readings(self.sensors, self._kernel)
        for item, readings, _ in self._read(items, executor):
            for number in wanted & readings.hours.keys():
                readings.discard_implausible(number)
            shared = wanted & readings.hours.keys()
            pooled.absorb(readings, shared)
            if item.size <= SMALL_BYTES:
                gathered.add(item.key, item.etag, readings, shared)
        return {number: self._hour(number, columns) for number, columns in pooled.hours.items()}

    def _plausible_hour(self, number: int, readings: Readings) -> HourRow | None:
        """An hour without readings that can't be true, None if no others are in it. Few hours have any."""
        hour = self._hour(number, readings.hours[number])
        if has_plausible_extremes(hour, self.sensors):
            return hour
        readings.discard_implausible(number)
        return self._hour(number, readings.hours[number]) if number in readings.hours else None

    def _hour(self, number: int, readings: HourReadings) -> HourRow:
        return hour_row(number, readings, self.sensors, self._kernel)

    def _read(
        self, items: Sequence[LakeObject], executor: Executor | None
    ) -> Iterator[tuple[LakeObject, Readings, str | None]]:
        """Decode objects one by one, while the next ones are on their way."""
        for item, fetch in self._bodies(items, executor):
            readings = Readings(self.sensors, self._kernel)
            unreadable = None
            try:
                readings.add(Source(item.key, item.machine, item.day), fetch())
            except UnreadableObject as exc:
                unreadable = str(exc)
            except ObjectNotFound:
                continue  # deleted since it was listed
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
        """Half an object would pass for an hour with fewer readings, and be remembered as such."""
        if size != item.size:
            raise StorageUnavailable(
                f"s3://{self.storage.name}/{item.key} came with {size:,} bytes, it was listed with {item.size:,}"
            )


def spread(objects: Sequence[LakeObject], count: int) -> list[LakeObject]:
    """`count` objects spread evenly over a sequence, all of them when there are no more.

    >>> spread(list("abcdefghij"), 3)
    ['a', 'd', 'g']
    """
    if count >= len(objects):
        return list(objects)
    return [objects[index * len(objects) // count] for index in range(count)]


def total_rejected(objects: Iterable[SeenObject]) -> Counter[str]:
    """Skipped records of several objects, by reason."""
    total: Counter[str] = Counter()
    for seen in objects:
        total.update(seen.rejected)
    return total


def reject_samples(objects: Iterable[SeenObject]) -> dict[str, str]:
    """What was wrong with one of the skipped records, by reason."""
    samples: dict[str, str] = {}
    for seen in objects:
        samples = {**seen.samples, **samples}
    return samples

"""A bounded sample of a lake's objects: hour rows of some machines, and the raw records of some objects."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import date, datetime

from monitory import clock
from monitory.decoding.form import RecordForm
from monitory.decoding.reading import Reading
from monitory.decoding.rejects import Rejects
from monitory.errors import ObjectNotFound, UnreadableObject
from monitory.features import hour_row
from monitory.lake import Lake, MachineDay
from monitory.lake_listing import LakeObject, sample_evenly
from monitory.machine import Machine
from monitory.readings import objects
from monitory.sensors import SensorSet
from monitory_retrain.check.survey import Survey
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest.counts import Counts, count_day
from monitory_retrain.ingest.kernels import VECTORISED

MAX_MACHINES = 12
MAX_OBJECTS = 2_500
MAX_BYTES = 256 << 20
RAW_OBJECTS = 40
RAW_BYTES = 32 << 20
MAX_DELAY_HOURS = 30.0
"""Objects written later after their readings are a history that was imported."""

MAX_VALUES = 5_000
"""Of a sensor."""


@dataclass(slots=True)
class SensorSample:
    """Readings of one `sensorType` in the raw objects."""

    count: int = 0
    values: list[float] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


@dataclass(slots=True)
class RawSample:
    """Raw objects.

    Attributes:
        objects, bytes: how many were read.
        formats: of these objects.
        sensors: by `sensorType`.
        delays: hours from an object's newest reading to its writing, without objects that were written days later.
        rejects: records that cannot be read.
    """

    objects: int = 0
    bytes: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    sensors: dict[str, SensorSample] = field(default_factory=lambda: defaultdict(SensorSample))
    delays: list[float] = field(default_factory=list)
    rejects: Rejects = field(default_factory=Rejects)


@dataclass(frozen=True, slots=True)
class Sample:
    """What was read.

    Attributes:
        table: hour rows.
        counts: objects and rejects.
        machines: how many of the lake's machines the rows are of.
        whole: owners of objects that were all read; of others nobody knows which hours are missing.
        is_complete: whether that is everything of the dates.
        raw: raw records.
    """

    table: HourTable
    counts: Counts
    machines: int
    whole: frozenset[Machine]
    is_complete: bool
    raw: RawSample


def read(lake: Lake, sensors: SensorSet, found: Survey, executor: Executor) -> Sample:
    """Read whole machines as far as the bounds allow, the newest days first where even one is too much.

    Raises:
        StorageUnavailable: the store failed.
    """
    chosen = _chosen(found)
    width = len(hour_row.Columns(sensors))
    tables: list[HourTable] = []
    counts = Counts()
    for day, machines in chosen.items():
        days: dict[Machine, MachineDay] = {}
        summaries = {}
        for machine, items in machines.items():
            if lake.layout.is_shared:
                rows, summaries[machine] = lake.refresh_shared(items, executor)
                days |= {owner: MachineDay(hours=hours) for owner, hours in rows.items()}
            else:
                days[machine] = lake.refresh(MachineDay(), items, executor)
                summaries[machine] = days[machine].objects
        tables.append(hour_table.from_days(days, width))
        counts += count_day(day, tables[-1], summaries, [item for items in machines.values() for item in items])
    table = hour_table.join(tables, width)
    read_objects = [item for machines in chosen.values() for items in machines.values() for item in items]
    is_complete = not found.is_cut and len(read_objects) == len(found.objects)
    taken = Counter(owner for machines in chosen.values() for owner, items in machines.items() for _ in items)
    whole = frozenset(owner for owner, count in taken.items() if count == found.machines[owner] and not found.is_cut)
    return Sample(table, counts, len(table.slices()), whole, is_complete, _raw(lake, sensors, read_objects))


def _chosen(found: Survey) -> dict[date, dict[Machine, list[LakeObject]]]:
    """The objects to read, by date and machine."""
    names = sorted(found.machines)
    machines = (
        [names[at * len(names) // MAX_MACHINES] for at in range(MAX_MACHINES)] if len(names) > MAX_MACHINES else names
    )
    if len(found.objects) <= MAX_OBJECTS and sum(item.size for item in found.objects) <= MAX_BYTES:
        machines = names
    chosen: dict[date, dict[Machine, list[LakeObject]]] = {}
    count = size = 0
    for machine in machines:
        if count and count + found.machines[machine] > MAX_OBJECTS:
            continue
        for day in sorted(found.listing, reverse=True):
            items = [item for item in found.listing[day].get(machine, []) if item.size <= MAX_BYTES - size]
            items = items[: MAX_OBJECTS - count]
            if items:
                chosen.setdefault(day, {})[machine] = items
            count += len(items)
            size += sum(item.size for item in items)
    return dict(sorted(chosen.items()))


def _raw(lake: Lake, sensors: SensorSet, items: Sequence[LakeObject]) -> RawSample:
    raw = RawSample()
    for item in sample_evenly([item for item in items if not item.fault], RAW_OBJECTS):
        if item.size > RAW_BYTES - raw.bytes:
            continue
        try:
            body = lake.storage.get(item.key).body
        except ObjectNotFound:
            continue
        raw.objects += 1
        raw.bytes += len(body)
        _add(raw, item, body, lake, sensors)
    return raw


def _add(raw: RawSample, item: LakeObject, body: bytes, lake: Lake, sensors: SensorSet) -> None:
    fields = lake.layout.fields
    owner = Machine(
        "" if fields.zone_id and lake.layout.zone is None else item.machine.zone_id,
        "" if fields.equip_id else item.machine.equip_id,
    )
    form = RecordForm(owner, tuple(sensor.lake_name for sensor in sensors.sensors), lake.layout)
    newest: datetime | None = None

    def take(batch: list[Reading], _: int) -> None:
        nonlocal newest
        for reading in batch:
            sample = raw.sensors[reading.sensor_type]
            sample.count += 1
            if len(sample.values) < MAX_VALUES:
                sample.values.append(reading.val)
            if len(sample.ids) < MAX_VALUES:
                sample.ids.add(reading.sensor_id)
        newest = max([reading.time for reading in batch] + ([newest] if newest else []), default=None)

    packing = "gzip, " if body.startswith(b"\x1f\x8b") else ""
    try:
        count = objects.read(item.key, [body], form, VECTORISED, raw.rejects, take)
        raw.formats[packing + (lake.layout.format.upper() if count else "nothing readable")] += 1
    except UnreadableObject:
        raw.formats[raw.rejects.samples.get("foreign_format", "another format").partition(",")[0]] += 1
    if newest and item.modified:
        written = item.modified.astimezone(clock.zone()).replace(tzinfo=None)
        delay = (written - newest).total_seconds() / 3600
        if delay < MAX_DELAY_HOURS:
            raw.delays.append(delay)

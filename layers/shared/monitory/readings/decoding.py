"""Objects of the lake -> readings in columns, with every reject counted by its reason.

A line that can't be read is skipped and counted, never guessed. The fast path decodes a whole piece of lines
in one call of msgspec; only a piece with a defect in it is gone through line by line.
"""

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from operator import attrgetter, lt
from typing import Annotated, Literal, NamedTuple, cast

import msgspec

from monitory.clock import first_hour, hour_of
from monitory.errors import UnreadableObject
from monitory.machine import Machine
from monitory.readings import framing
from monitory.readings.column import Column, Columns
from monitory.readings.compact import SensorIds
from monitory.readings.framing import MAX_RECORD_BYTES, TOO_LONG
from monitory.readings.kernels import PURE, Kernel
from monitory.sensors import SensorSet

MAX_VALUE = 1e100
"""A larger value, in either direction, counts as not finite: its square could not be computed with."""

NOT_JSON = "not_json"
NOT_UTF8 = "not_utf8"
WRONG_TYPE = "wrong_type"
MISSING_FIELD = "missing_field"
NOT_FINITE = "not_finite"
UNKNOWN_SENSOR = "unknown_sensor"
OTHER_MACHINE = "other_machine"
OTHER_DATE = "other_date"
TOO_MANY_SENSORS = "too_many_sensors"

LOOSE_BYTES = 16 << 20
"""Readings of more text than this are packed."""

READABLE_REJECTS = frozenset({UNKNOWN_SENSOR, OTHER_MACHINE, OTHER_DATE})
"""Reasons for which a line was read, but isn't wanted."""

_SENSOR_ID = attrgetter("sensor_id")

Value = Annotated[float, msgspec.Meta(ge=-MAX_VALUE, le=MAX_VALUE)]
WallClock = Annotated[datetime, msgspec.Meta(tz=False)]


class Reading(msgspec.Struct, gc=False, rename="camel"):
    """One line of the lake, as the producer writes it; other fields are ignored."""

    zone_id: str
    equip_id: str
    sensor_id: str
    sensor_type: str
    val: Value
    time: WallClock


class Source(NamedTuple):
    """Whose readings an object may hold, and of which date: what its key says."""

    key: str
    machine: Machine
    day: date


class Readings:
    """Readings of one machine, gathered hour by hour from any number of objects."""

    def __init__(self, sensors: SensorSet, kernel: Kernel = PURE) -> None:
        """Start with none; only sensors of the set are kept."""
        self._kernel = kernel
        self.hours: dict[int, Columns] = {}
        self.rejected: Counter[str] = Counter()
        self._loose_bytes = 0  # of text whose readings aren't packed
        self._sensor_ids: SensorIds | None = None
        self._names = {sensor.lake_name: sensor.name for sensor in sensors.sensors}
        self._sensor_types = tuple(self._names)

    def add(self, source: Source, chunks: Iterable[bytes]) -> None:
        """Add what an object holds.

        Args:
            source: what the object's key says of it.
            chunks: its bytes, in pieces of any size.

        Raises:
            UnreadableObject: it holds no line that could be read. What was gathered before stays.
        """
        readable = 0
        rejected: Counter[str] = Counter()
        for piece, is_array in framing.pieces(chunks, rejected):
            batch = _decode(piece, is_array, source.machine, self._sensor_types, rejected, self._kernel)
            readable += len(batch)
            self._take(batch, first_hour(source.day), rejected)
            self._added(len(piece))
        self._count_refused(rejected)
        self.rejected += rejected
        if not readable and not any(rejected[reason] for reason in READABLE_REJECTS):
            reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.items())
            raise UnreadableObject(f"nothing in {source.key} is readable ({reasons or 'it is empty'})")

    def absorb(self, other: "Readings", hours: Iterable[int]) -> None:
        """Add what another one holds of some hours, without what it had rejected."""
        for hour in hours:
            for name, column in other.hours[hour].items():
                for times, values, ids in column.parts():
                    self._column(hour, name).extend(times, values, ids, ordered=column.ordered)
        self._added(other._loose_bytes)
        self._count_refused(self.rejected)

    def _take(self, batch: list[Reading], midnight: int, rejected: Counter[str]) -> None:
        by_type: dict[str, list[Reading]] = {}
        for reading in batch:
            try:
                by_type[reading.sensor_type].append(reading)
            except KeyError:
                by_type[reading.sensor_type] = [reading]
        for lake_name, group in by_type.items():
            name = self._names.get(lake_name)
            if name is None:
                rejected[UNKNOWN_SENSOR] += len(group)
                continue
            times = [reading.time for reading in group]
            ordered = all(map(lt, times, islice(times, 1, None)))
            first, last = (times[0], times[-1]) if ordered else (min(times), max(times))
            hour = hour_of(first)
            if hour == hour_of(last):
                self._put(hour, midnight, name, group, times, rejected, ordered=ordered)
                continue
            by_hour: dict[int, list[Reading]] = {}
            for reading in group:
                by_hour.setdefault(hour_of(reading.time), []).append(reading)
            for hour, part in by_hour.items():
                self._put(hour, midnight, name, part, [r.time for r in part], rejected, ordered=False)

    def _put(
        self,
        hour: int,
        midnight: int,
        name: str,
        group: list[Reading],
        times: list[datetime],
        rejected: Counter[str],
        *,
        ordered: bool,
    ) -> None:
        if not midnight <= hour < midnight + 24:
            rejected[OTHER_DATE] += len(group)
            return
        column = self._column(hour, name)
        column.extend(times, [r.val for r in group], map(_SENSOR_ID, group), ordered=ordered)

    def _column(self, hour: int, name: str) -> Column:
        column = self.hours.setdefault(hour, {}).setdefault(name, Column())
        if self._sensor_ids:
            column.pack(hour, self._sensor_ids)
        return column

    def _added(self, loose_bytes: int) -> None:
        """Pack everything, and all that comes later, once it has grown large."""
        self._loose_bytes += loose_bytes
        if self._loose_bytes > LOOSE_BYTES and not self._sensor_ids:
            self._sensor_ids = SensorIds()
            for hour, columns in self.hours.items():
                for column in columns.values():
                    column.pack(hour, self._sensor_ids)

    def _count_refused(self, rejected: Counter[str]) -> None:
        if not self._sensor_ids or not self._sensor_ids.refused:
            return
        rejected[TOO_MANY_SENSORS] += self._sensor_ids.refused
        self._sensor_ids.refused = 0
        kept = {hour: {name: c for name, c in columns.items() if len(c)} for hour, columns in self.hours.items()}
        self.hours = {hour: columns for hour, columns in kept.items() if columns}


_LINES = msgspec.json.Decoder(Reading)


@lru_cache(maxsize=256)  # two for each machine that serving holds in memory
def _own_decoders(
    owner: Machine, sensor_types: tuple[str, ...]
) -> tuple[msgspec.json.Decoder[Reading], msgspec.json.Decoder[list[Reading]]]:
    """Decoders that accept readings of one machine only, and of some sensor types only where any are named.

    So neither check costs anything per reading, and all readings of a type share one string.
    """
    own = msgspec.defstruct(
        "OwnReading",
        [
            ("zone_id", Literal[owner.zone_id]),
            ("equip_id", Literal[owner.equip_id]),
            ("sensor_id", str),
            ("sensor_type", Literal[sensor_types] if sensor_types else str),
            ("val", Value),
            ("time", WallClock),
        ],
        gc=False,
        rename="camel",
    )
    reading = cast(type[Reading], own)
    return msgspec.json.Decoder(reading), msgspec.json.Decoder(cast(type[list[Reading]], list[reading]))  # type: ignore[valid-type]


def _decode(
    piece: bytes,
    is_array: bool,
    owner: Machine,
    sensor_types: tuple[str, ...],
    rejected: Counter[str],
    kernel: Kernel,
) -> list[Reading]:
    if is_array or not framing.has_long_line(piece):
        for types in (sensor_types, ()):  # most machines have no sensors but those of the set
            lines, array = _own_decoders(owner, types)
            with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                if is_array:
                    return array.decode(b"[" + piece.strip(framing.BETWEEN) + b"]")
                found = lines.decode_lines(piece)
                if framing.has_lines(piece, len(found), kernel.newlines):
                    return found
    # A defect somewhere: find it, record by record.
    batch: list[Reading] = []
    for record in framing.elements(piece) if is_array else framing.lines(piece):
        reason = _reject_reason(record, owner, batch)
        if reason:
            rejected[reason] += 1
    return batch


def _reject_reason(record: bytes, owner: Machine, batch: list[Reading]) -> str | None:
    """Add a record to the batch, or tell why it cannot be."""
    if len(record) > MAX_RECORD_BYTES:
        return TOO_LONG
    try:
        reading = _LINES.decode(record)
    except UnicodeDecodeError:
        return NOT_UTF8
    except msgspec.ValidationError as exc:
        text = str(exc)
        if "missing required field" in text:
            return MISSING_FIELD
        return NOT_FINITE if "out of range" in text or "1e+100" in text else WRONG_TYPE
    except (msgspec.MsgspecError, RecursionError):
        return _not_json_reason(record)
    if reading.zone_id != owner.zone_id or reading.equip_id != owner.equip_id:
        return OTHER_MACHINE
    batch.append(reading)
    return None


_NON_FINITE = re.compile(rb":\s*[-+]?(?:NaN|Infinity|inf|nan)\b")


def _not_json_reason(record: bytes) -> str:
    """NaN and Infinity aren't JSON, but what many writers print: they get a name of their own."""
    try:
        record.decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    return NOT_FINITE if _NON_FINITE.search(record) else NOT_JSON

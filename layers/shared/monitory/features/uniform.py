"""The hour row of an object whose lines are all alike, as stream processors write them: in one pass, in C.

Python looks at the first line; `uniform.c` compares the others with it. An object of any other kind, and every one
where the library was not compiled, is read by `readings`, reading by reading; both ways give the same bits, by test.
"""

import ctypes
import re
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from monitory.clock import hour_of, hours_of
from monitory.decoding.form import RecordForm
from monitory.decoding.rejects import UNKNOWN_SENSOR, Rejects
from monitory.features.hour_row import SILENT, HourRow, has_plausible_extremes, row_of_columns
from monitory.layout.lake_layout import LakeLayout
from monitory.readings.by_hour import LOOSE_BYTES, suggestion
from monitory.readings.objects import ObjectKey
from monitory.sensors import SensorSet

MAX_LINE_BYTES = 4096
MAX_OTHER_TYPES = 64
"""Different types of sensors outside the set in an object."""

_LIBRARY = Path(__file__).with_name("libuniform.so")
_FIELD = re.compile(rb'"([^"]*)"[ \t]*:[ \t]*(?:"([^"]*)"|([^"{}\[\],\s]+))')
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d):\d\d:\d\d(?:\.\d{1,6})?", re.ASCII)
_TIME_KIND, _TO_MINUTES = 3, len("2026-11-20T16:")
_LAST = timedelta(minutes=59, seconds=59, microseconds=999_999)


class _Field(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int32), ("start", ctypes.c_int32), ("end", ctypes.c_int32))


class _Type(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("size", ctypes.c_int32),
        ("count", ctypes.c_int32),
        ("newest", ctypes.c_int64),
        ("low", ctypes.c_double),
        ("high", ctypes.c_double),
    )


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL | None:
    """The compiled `uniform.c`; None where there is none for this machine."""
    try:
        return ctypes.CDLL(str(_LIBRARY))
    except OSError:
        return None


class UniformHour(NamedTuple):
    """The only hour of an object, and its readings of sensors outside the set."""

    row: HourRow
    rejects: Rejects


class UniformObjects:
    """Reads a lake's objects whose lines are all alike."""

    def __init__(self, sensors: SensorSet, layout: LakeLayout) -> None:
        """A lake's; of some layouts there are none."""
        fields = layout.fields
        kinds = (fields.sensor_id, fields.sensor_type, fields.val, fields.time)  # as numbered in C
        self._kinds = {name: kind for kind, name in enumerate(kinds) if name}
        self._sensors = sensors
        self._layout = layout
        is_plain = layout.format == "json" and not (layout.wide or layout.is_shared or layout.naive_time_zone)
        self._library = library() if is_plain else None
        names = [sensor.lake_name.encode() for sensor in sensors.sensors]
        self._names = [ctypes.create_string_buffer(name) for name in names]  # the types below point to them
        self._types = (_Type * (len(names) + MAX_OTHER_TYPES))(
            *(
                _Type(ctypes.addressof(buffer), len(name), 0, -1, sensor.low, sensor.high)
                for buffer, name, sensor in zip(self._names, names, sensors.sensors, strict=True)
            )
        )
        self._columns = (ctypes.c_double * (len(names) * len(SILENT)))(*SILENT * len(names))

    def read(self, key: ObjectKey, body: bytes) -> UniformHour | None:
        """An object's hour; None where the object has to be read reading by reading."""
        size = body.find(b"\n", 0, MAX_LINE_BYTES)
        if self._library is None or size < 0 or len(body) > LOOSE_BYTES or not body.startswith(b'{"'):
            return None
        line = body[:size]
        found = self._fields(line, key)
        if found is None:
            return None
        start, fields = found
        hour = hour_of(start)
        if hour != hour_of(start + _LAST) or hour not in hours_of(key.day):
            return None
        same = size - sum(end - start for _, start, end in fields)
        types = type(self._types).from_buffer_copy(self._types)
        columns = type(self._columns).from_buffer_copy(self._columns)
        count = self._library.monitory_uniform_hour(
            body,
            ctypes.c_int64(len(body)),
            ctypes.c_int64(size),
            ctypes.c_int64(len(body) // same + 1),
            (_Field * len(fields))(*(_Field(*field) for field in fields)),
            len(fields),
            types,
            len(self._names),
            len(types),
            columns,
        )
        heard = [of for of in types[: len(self._names)] if of.count] if count else []
        if not heard:
            return None
        last = start + timedelta(microseconds=max(of.newest for of in heard))
        row = row_of_columns(hour, list(columns), sum(of.count for of in heard), last, self._sensors)
        if not has_plausible_extremes(row, self._sensors):
            return None
        rejects = Rejects()
        for of in types[len(self._names) : count]:
            name = ctypes.string_at(of.name, of.size).decode()
            rejects.add(UNKNOWN_SENSOR, suggestion(self._sensors, name), of.count)
        return UniformHour(row, rejects)

    def _fields(self, line: bytes, key: ObjectKey) -> tuple[datetime, list[tuple[int, int, int]]] | None:
        """The hour's start, and kind, start and end of the fields that differ by line; None if it is no such line."""
        try:
            record = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        found = list(_FIELD.finditer(line))
        names = [match[1].decode() for match in found]
        if b"\\" in line or names != list(record) or not self._is_reading(record, key):
            return None
        time = _TIME.fullmatch(record[self._layout.fields.time])
        if not time:
            return None
        try:
            start = datetime.fromisoformat(time[1])
        except ValueError:
            return None
        fields = []
        for name, match in zip(names, found, strict=True):
            if (kind := self._kinds.get(name)) is not None:
                at, end = match.span(3 if match[2] is None else 2)
                fields.append((kind, at + _TO_MINUTES if kind == _TIME_KIND else at, end))
        return start, fields

    def _is_reading(self, record: dict[str, object], key: ObjectKey) -> bool:
        """Whether a record is a reading of the machine, in the contract's types."""
        fields = self._layout.fields
        zone = fields.zone_id if RecordForm(key.machine, layout=self._layout).has_zone else None
        ids = ((zone, key.machine.zone_id), (fields.equip_id, key.machine.equip_id))
        texts = (fields.sensor_id, fields.sensor_type, fields.time)
        return (
            all(record.get(name) == value for name, value in ids if name)
            and all(type(record.get(name)) is str for name in texts if name)
            and type(record.get(fields.val)) in (int, float)
        )

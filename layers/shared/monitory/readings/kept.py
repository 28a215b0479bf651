"""The readings of an hour that many small objects hold, kept so that the next one doesn't ask for all of them again."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

import msgspec

from monitory.clock import hour_start
from monitory.readings.column import HourReadings
from monitory.readings.decoding import Readings

SMALL_BYTES = 64 << 10
"""Readings of larger objects are not kept: a producer that writes such writes few of them."""

MAX_READINGS = 1 << 14
"""Of one hour; more are read again when they are needed."""

_MICROSECOND = timedelta(microseconds=1)


class KeptHour(msgspec.Struct, frozen=True, array_like=True):
    """An hour's readings.

    Attributes:
        hour: which.
        objects: key and ETag of all objects that they come from.
        columns: by the sensors' feature names: microseconds of the hour, values, sensorIds.
    """

    hour: int
    objects: tuple[tuple[str, str], ...]
    columns: dict[str, tuple[list[int], list[float], list[str]]]


class Gathered:
    """Readings of hours that several small objects hold, and which objects they come from."""

    def __init__(self, readings: Readings, kept: Iterable[KeptHour], present: set[tuple[str, str]]) -> None:
        """Start with what was kept of objects (key, ETag) that are still there."""
        self._readings = readings
        self._objects: dict[int, set[tuple[str, str]]] = {}
        for hour in kept:
            if present.issuperset(hour.objects):
                start = hour_start(hour.hour).replace(tzinfo=None)
                for name, (offsets, values, ids) in hour.columns.items():
                    times = [start + timedelta(microseconds=offset) for offset in offsets]
                    readings.extend(hour.hour, name, times, values, ids)
                self._objects[hour.hour] = set(hour.objects)

    def add(self, key: str, etag: str, readings: Readings, hours: Iterable[int]) -> None:
        """Add an object's readings of some hours."""
        self._readings.absorb(readings, hours)
        for hour in hours:
            self._objects.setdefault(hour, set()).add((key, etag))

    def columns(self, hour: int, keys: Iterable[str]) -> HourReadings | None:
        """An hour's readings, if they come from all objects that hold it."""
        return self._readings.hours.get(hour) if self._keys(hour) == set(keys) else None

    def kept(self, owners: Mapping[int, list[str]], hours: Iterable[int]) -> tuple[KeptHour, ...]:
        """What to keep of hours that more than one object holds."""
        found = []
        for hour in hours:
            keys = owners.get(hour, ())
            columns = self.columns(hour, keys) if len(keys) > 1 else None
            if columns and sum(map(len, columns.values())) <= MAX_READINGS:
                packed = {name: _packed(hour, columns, name) for name in sorted(columns)}
                found.append(KeptHour(hour, tuple(sorted(self._objects[hour])), packed))
        return tuple(found)

    def _keys(self, hour: int) -> set[str]:
        return {key for key, _ in self._objects.get(hour, ())}


def _packed(hour: int, columns: HourReadings, name: str) -> tuple[list[int], list[float], list[str]]:
    start = hour_start(hour).replace(tzinfo=None)
    offsets: list[int] = []
    values: list[float] = []
    ids: list[str] = []
    for part_times, part_values, part_ids in columns[name].parts():
        offsets += [(time - start) // _MICROSECOND for time in part_times]
        values += part_values
        ids += part_ids
    return offsets, values, ids

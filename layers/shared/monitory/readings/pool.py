"""The readings of an hour that small objects share, stored so that a new object does not cost reading the others."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

import msgspec

from monitory.clock import hour_start
from monitory.readings.by_hour import ReadingsByHour
from monitory.readings.sensor_readings import HourReadings, SensorReadings

SMALL_BYTES = 64 << 10
"""Readings of larger objects are not stored: their producers write few of them."""

MAX_READINGS = 1 << 14
"""Of one hour; more are read again when needed."""

_MICROSECOND = timedelta(microseconds=1)


class PooledHour(msgspec.Struct, frozen=True, array_like=True):
    """The stored readings of an hour. The order of the fields is the stored format.

    Attributes:
        hour: which hour, see `clock`.
        objects: key and ETag of every object with readings of the hour.
        sensors: by feature name: microseconds of the hour, values, sensorIds.
    """

    hour: int
    objects: tuple[tuple[str, str], ...]
    sensors: dict[str, tuple[list[int], list[float], list[str]]]


class ReadingPool:
    """Readings of hours that several small objects share, and the objects they come from."""

    def __init__(self, readings: ReadingsByHour, stored: Iterable[PooledHour], present: set[tuple[str, str]]) -> None:
        """The stored hours whose objects (key, ETag) are all `present`, in empty `readings`."""
        self._readings = readings
        self._objects: dict[int, set[tuple[str, str]]] = {}
        for hour in stored:
            if present.issuperset(hour.objects):
                start = hour_start(hour.hour).replace(tzinfo=None)
                for name, (offsets, values, ids) in hour.sensors.items():
                    times = [start + timedelta(microseconds=offset) for offset in offsets]
                    readings.extend(hour.hour, name, times, values, ids)
                self._objects[hour.hour] = set(hour.objects)

    def add(self, key: str, etag: str, readings: ReadingsByHour, hours: Iterable[int]) -> None:
        """Add an object's readings of some hours."""
        self._readings.absorb(readings, hours)
        for hour in hours:
            self._objects.setdefault(hour, set()).add((key, etag))

    def readings(self, hour: int, keys: Iterable[str]) -> HourReadings | None:
        """An hour's readings; None unless they come from exactly these objects."""
        pooled_keys = {key for key, _ in self._objects.get(hour, ())}
        return self._readings.hours.get(hour) if pooled_keys == set(keys) else None

    def to_store(self, keys_by_hour: Mapping[int, list[str]], hours: Iterable[int]) -> tuple[PooledHour, ...]:
        """The stored form of those of the hours that several objects share."""
        pooled = []
        for hour in hours:
            keys = keys_by_hour.get(hour, ())
            readings = self.readings(hour, keys) if len(keys) > 1 else None
            if readings and sum(map(len, readings.values())) <= MAX_READINGS:
                sensors = {name: _stored_form(hour, readings[name]) for name in sorted(readings)}
                pooled.append(PooledHour(hour, tuple(sorted(self._objects[hour])), sensors))
        return tuple(pooled)


def _stored_form(hour: int, readings: SensorReadings) -> tuple[list[int], list[float], list[str]]:
    start = hour_start(hour).replace(tzinfo=None)
    offsets: list[int] = []
    values: list[float] = []
    ids: list[str] = []
    for part_times, part_values, part_ids in readings.parts():
        offsets += [(time - start) // _MICROSECOND for time in part_times]
        values += part_values
        ids += part_ids
    return offsets, values, ids

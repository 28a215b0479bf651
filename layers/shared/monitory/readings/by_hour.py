"""Objects of the lake -> readings by hour and sensor, with every reject counted by its reason.

A record that can't be read is skipped and counted, never guessed.
"""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import islice
from operator import attrgetter, lt

from monitory.clock import hour_of, hours_of
from monitory.decoding.form import RecordForm
from monitory.decoding.reading import Reading
from monitory.decoding.rejects import (
    IMPLAUSIBLE,
    OTHER_DATE,
    OTHER_HOURS,
    TOO_MANY_SENSORS,
    UNKNOWN_SENSOR,
    Rejects,
)
from monitory.layout.lake_layout import DEFAULT_LAYOUT, LakeLayout
from monitory.readings import objects
from monitory.readings.compact import SensorIds
from monitory.readings.kernels import PURE, Kernel
from monitory.readings.objects import ObjectKey
from monitory.readings.sensor_readings import HourReadings, SensorReadings
from monitory.sensors import SensorSet

LOOSE_BYTES = 16 << 20
"""Bytes of text above which readings are packed."""

OTHER_ZONE_HOURS = range(2, 16)
"""Distance of readings from their folder's date that another time zone explains."""

_SENSOR_ID = attrgetter("sensor_id")


class ReadingsByHour:
    """Readings of one machine, gathered hour by hour from any number of objects.

    Attributes:
        hours: readings by hour (see `clock`) and sensor.
        rejected: number of skipped records, by reason.
        samples: the defect of one of them, by reason.
    """

    def __init__(
        self, sensors: SensorSet, kernel: Kernel = PURE, layout: LakeLayout = DEFAULT_LAYOUT, *, is_packed: bool = False
    ) -> None:
        """No readings yet; sensors outside the set are rejected. `is_packed` saves memory from the start."""
        self._kernel = kernel
        self._layout = layout
        self.hours: dict[int, HourReadings] = {}
        self._rejects = Rejects()
        self.rejected, self.samples = self._rejects.counts, self._rejects.samples
        self._loose_bytes = 0  # of text, not packed yet
        self._sensor_ids: SensorIds | None = SensorIds() if is_packed else None
        self._sensor_set = sensors
        self._sensors = {sensor.name: sensor for sensor in sensors.sensors}
        self._names = {sensor.lake_name: sensor.name for sensor in sensors.sensors}
        self._sensor_types = tuple(self._names)

    def add(self, key: ObjectKey, chunks: Iterable[bytes]) -> None:
        """Add an object's readings of one machine.

        Args:
            key: the object's.
            chunks: its bytes, in pieces of any size; gzip is unpacked.

        Raises:
            UnreadableObject: no record in it can be read. Earlier readings stay.
        """
        rejects = Rejects()
        date_filter = DateFilter(key.day, rejects)
        own = RecordForm(key.machine, self._sensor_types, self._layout)
        is_shared = self._layout.is_shared

        def take(batch: list[Reading], size: int) -> None:
            if is_shared:  # the others' readings are no mistake
                batch = [reading for reading in batch if own.is_owner(reading.zone_id, reading.equip_id)]
            self.take(batch, size, date_filter)

        try:
            readable = objects.read(key.path, chunks, own.of_any() if is_shared else own, self._kernel, rejects, take)
        finally:
            date_filter.close()
            self._count_refused(rejects)
            self._rejects.update(rejects.counts, rejects.samples)
        objects.check_readable(key.path, readable, rejects)

    def discard_implausible(self, hour: int) -> None:
        """Drop and count an hour's readings outside their sensor's plausible range."""
        by_sensor = self.hours[hour]
        for name in list(by_sensor):
            sensor = self._sensors[name]
            dropped = by_sensor[name].discard(sensor.is_plausible)
            if dropped:
                self._rejects.add(IMPLAUSIBLE, f"{sensor.lake_name} {dropped[0]:g}", len(dropped))
            if not len(by_sensor[name]):
                del by_sensor[name]
        if not by_sensor:
            del self.hours[hour]

    def absorb(self, other: "ReadingsByHour", hours: Iterable[int]) -> None:
        """Add the readings of some hours of another one, without its rejects."""
        for hour in hours:
            for name, readings in other.hours[hour].items():
                for times, values, ids in readings.parts():
                    self._sensor_readings(hour, name).extend(times, values, ids, ordered=readings.ordered)
        self._added(other._loose_bytes)
        self._count_refused(self._rejects)

    def extend(self, hour: int, name: str, times: list[datetime], values: list[float], ids: list[str]) -> None:
        """Add readings of a sensor (its feature name) in an hour."""
        self._sensor_readings(hour, name).extend(times, values, ids, ordered=False)

    def take(self, batch: list[Reading], size: int, date_filter: "DateFilter") -> None:
        """Add readings of the machine; `size` is that of their text."""
        by_type: dict[str, list[Reading]] = {}
        for reading in batch:
            try:
                by_type[reading.sensor_type].append(reading)
            except KeyError:
                by_type[reading.sensor_type] = [reading]
        for lake_name, group in by_type.items():
            name = self._names.get(lake_name)
            if name is None:
                date_filter.rejects.add(UNKNOWN_SENSOR, suggestion(self._sensor_set, lake_name), len(group))
                continue
            times = [reading.time for reading in group]
            ordered = all(map(lt, times, islice(times, 1, None)))
            first, last = (times[0], times[-1]) if ordered else (min(times), max(times))
            hour = hour_of(first)
            if hour == hour_of(last):
                self._put(hour, name, group, times, date_filter, ordered=ordered)
                continue
            by_hour: dict[int, list[Reading]] = {}
            for reading in group:
                by_hour.setdefault(hour_of(reading.time), []).append(reading)
            for hour, part in by_hour.items():
                self._put(hour, name, part, [r.time for r in part], date_filter, ordered=False)
        self._added(size)

    def _put(
        self,
        hour: int,
        name: str,
        group: list[Reading],
        times: list[datetime],
        date_filter: "DateFilter",
        *,
        ordered: bool,
    ) -> None:
        if not date_filter.accepts(hour, times):
            return
        readings = self._sensor_readings(hour, name)
        readings.extend(times, [r.val for r in group], map(_SENSOR_ID, group), ordered=ordered)

    def _sensor_readings(self, hour: int, name: str) -> SensorReadings:
        readings = self.hours.setdefault(hour, {}).setdefault(name, SensorReadings())
        if self._sensor_ids:
            readings.pack(hour, self._sensor_ids)
        return readings

    def _added(self, loose_bytes: int) -> None:
        """Pack all readings, present and future, above `LOOSE_BYTES` of text."""
        self._loose_bytes += loose_bytes
        if self._loose_bytes > LOOSE_BYTES and not self._sensor_ids:
            self._sensor_ids = SensorIds()
            for hour, by_sensor in self.hours.items():
                for readings in by_sensor.values():
                    readings.pack(hour, self._sensor_ids)

    def _count_refused(self, rejects: Rejects) -> None:
        if not self._sensor_ids or not self._sensor_ids.refused:
            return
        rejects.add(TOO_MANY_SENSORS, count=self._sensor_ids.refused)
        self._sensor_ids.refused = 0
        filled = {hour: {name: c for name, c in by_sensor.items() if len(c)} for hour, by_sensor in self.hours.items()}
        self.hours = {hour: by_sensor for hour, by_sensor in filled.items() if by_sensor}


def suggestion(sensors: SensorSet, lake_name: str) -> str:
    """For a sensor outside the set; empty where none resembles it."""
    near = sensors.resembling(lake_name)
    return f"{ascii(lake_name)[1:-1]}; did you mean {near}?" if near else ""


class DateFilter:
    """Accepts an object's readings of its folder's date, and counts the others.

    Attributes:
        hours: the hours of accepted readings.
    """

    def __init__(self, day: date, rejects: Rejects) -> None:
        self.rejects = rejects
        self._day = day
        self._hours = hours_of(day)
        self.hours: set[int] = set()
        self._outside = 0
        self._distances: set[int] = set()  # in hours from the folder's date; negative is before it
        self._sample = ""

    def accepts(self, hour: int, times: list[datetime]) -> bool:
        """Whether an hour lies in the folder's date; its readings are counted otherwise."""
        if hour in self._hours:
            self.hours.add(hour)
            return True
        self._outside += len(times)
        self._distances.add(hour - self._hours.start if hour < self._hours.start else hour - self._hours.stop + 1)
        self._sample = self._sample or f"{times[0].isoformat(timespec='seconds')} in the folder of {self._day}"
        return False

    def close(self) -> None:
        """Count the others by reason: an object that is off as a whole, by some hours, is in another time zone."""
        if not self._outside:
            return
        farthest = max(self._distances, key=abs)
        is_one_sided = len({distance > 0 for distance in self._distances}) == 1
        if not self.hours and is_one_sided and abs(farthest) in OTHER_ZONE_HOURS:
            where = f"{abs(farthest)} h {'after' if farthest > 0 else 'before'} it: {self._sample}"
            self.rejects.add(OTHER_HOURS, where, self._outside)
        else:
            self.rejects.add(OTHER_DATE, self._sample, self._outside)

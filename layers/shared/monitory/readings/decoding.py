"""Objects of the lake -> readings in columns, with every reject counted by its reason.

A record that can't be read is skipped and counted, never guessed.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from itertools import islice
from operator import attrgetter, lt
from typing import NamedTuple

from monitory.clock import hour_of, hours_of
from monitory.errors import UnreadableObject
from monitory.machine import Machine
from monitory.readings import decoders, formats, framing
from monitory.readings.column import HourReadings, SensorReadings
from monitory.readings.compact import SensorIds
from monitory.readings.kernels import PURE, Kernel
from monitory.readings.reading import Reading
from monitory.readings.rejects import (
    FOREIGN_FORMAT,
    IMPLAUSIBLE,
    OTHER_DATE,
    OTHER_HOURS,
    READABLE,
    TOO_MANY_SENSORS,
    UNKNOWN_SENSOR,
    Rejects,
    sentences,
)
from monitory.sensors import SensorSet

LOOSE_BYTES = 16 << 20
"""Readings of more text than this are packed."""

OTHER_ZONE_HOURS = range(2, 16)
"""So far from their folder's date readings lie when the one is in another time zone than the other."""

_SENSOR_ID = attrgetter("sensor_id")


class Source(NamedTuple):
    """Whose readings an object may hold, and of which date: what its key says."""

    key: str
    machine: Machine
    day: date


class Readings:
    """Readings of one machine, gathered hour by hour from any number of objects.

    Attributes:
        hours: what was gathered.
        rejected: records that were skipped, by reason.
        samples: what was wrong with one of them.
    """

    def __init__(self, sensors: SensorSet, kernel: Kernel = PURE) -> None:
        """Start with none; only sensors of the set are kept."""
        self._kernel = kernel
        self.hours: dict[int, HourReadings] = {}
        self._rejects = Rejects()
        self.rejected, self.samples = self._rejects.counts, self._rejects.samples
        self._loose_bytes = 0  # of text whose readings aren't packed
        self._sensor_ids: SensorIds | None = None
        self._sensors = {sensor.name: sensor for sensor in sensors.sensors}
        self._names = {sensor.lake_name: sensor.name for sensor in sensors.sensors}
        self._sensor_types = tuple(self._names)

    def add(self, source: Source, chunks: Iterable[bytes]) -> None:
        """Add what an object holds.

        Args:
            source: what the object's key says of it.
            chunks: its bytes, in pieces of any size; gzip is unpacked.

        Raises:
            UnreadableObject: it holds no record that could be read. What was gathered before stays.
        """
        readable = 0
        rejects = Rejects()
        taken = _Taken(source.day, rejects)
        stream = formats.unpacked(chunks, rejects)
        first = next(stream, b"")
        if (not first.startswith(b"{") or first[1:2] == b"\0") and (foreign := formats.recognised(first)):
            self._refuse(source, foreign, first, stream, rejects)
        for piece, is_array in framing.pieces(_again(first, stream), rejects.counts):
            batch = decoders.decode(piece, is_array, source.machine, self._sensor_types, rejects, self._kernel)
            readable += len(batch)
            self._take(batch, taken)
            self._added(len(piece))
        taken.close()
        self._count_refused(rejects)
        self._rejects.update(rejects.counts, rejects.samples)
        if not readable and not any(rejects.counts[reason] for reason in READABLE):
            raise UnreadableObject(_unreadable(source, rejects))

    def _refuse(
        self, source: Source, foreign: formats.Format, first: bytes, rest: Iterable[bytes], rejects: Rejects
    ) -> None:
        """Count the records of another format.

        Raises:
            UnreadableObject: always.
        """
        size, lines = len(first), first.count(b"\n")
        for chunk in rest:
            size += len(chunk)
            lines += chunk.count(b"\n")
        rejects.add(FOREIGN_FORMAT, f"{foreign.name}, {size:,} bytes", max(lines, 1) if foreign.is_text else 1)
        self._rejects.update(rejects.counts, rejects.samples)
        raise UnreadableObject(
            f"nothing in {source.key} is readable: it is {foreign.name} ({size:,} bytes), not JSON; {foreign.remedy}"
        )

    def discard_implausible(self, hour: int) -> None:
        """Take readings outside their sensor's plausible range out of an hour, and count them."""
        columns = self.hours[hour]
        for name in list(columns):
            sensor = self._sensors[name]
            dropped = columns[name].discard(sensor.is_plausible)
            if dropped:
                self._rejects.add(IMPLAUSIBLE, f"{sensor.lake_name} {dropped[0]:g}", len(dropped))
            if not len(columns[name]):
                del columns[name]
        if not columns:
            del self.hours[hour]

    def absorb(self, other: "Readings", hours: Iterable[int]) -> None:
        """Add what another one holds of some hours, without what it had rejected."""
        for hour in hours:
            for name, column in other.hours[hour].items():
                for times, values, ids in column.parts():
                    self._column(hour, name).extend(times, values, ids, ordered=column.ordered)
        self._added(other._loose_bytes)
        self._count_refused(self._rejects)

    def extend(self, hour: int, name: str, times: list[datetime], values: list[float], ids: list[str]) -> None:
        """Add readings of a sensor, by its feature name, and an hour."""
        self._column(hour, name).extend(times, values, ids, ordered=False)

    def _take(self, batch: list[Reading], taken: "_Taken") -> None:
        by_type: dict[str, list[Reading]] = {}
        for reading in batch:
            try:
                by_type[reading.sensor_type].append(reading)
            except KeyError:
                by_type[reading.sensor_type] = [reading]
        for lake_name, group in by_type.items():
            name = self._names.get(lake_name)
            if name is None:
                taken.rejects.add(UNKNOWN_SENSOR, _resembling(lake_name, self._names), len(group))
                continue
            times = [reading.time for reading in group]
            ordered = all(map(lt, times, islice(times, 1, None)))
            first, last = (times[0], times[-1]) if ordered else (min(times), max(times))
            hour = hour_of(first)
            if hour == hour_of(last):
                self._put(hour, name, group, times, taken, ordered=ordered)
                continue
            by_hour: dict[int, list[Reading]] = {}
            for reading in group:
                by_hour.setdefault(hour_of(reading.time), []).append(reading)
            for hour, part in by_hour.items():
                self._put(hour, name, part, [r.time for r in part], taken, ordered=False)

    def _put(
        self,
        hour: int,
        name: str,
        group: list[Reading],
        times: list[datetime],
        taken: "_Taken",
        *,
        ordered: bool,
    ) -> None:
        if not taken.accepts(hour, times):
            return
        column = self._column(hour, name)
        column.extend(times, [r.val for r in group], map(_SENSOR_ID, group), ordered=ordered)

    def _column(self, hour: int, name: str) -> SensorReadings:
        column = self.hours.setdefault(hour, {}).setdefault(name, SensorReadings())
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

    def _count_refused(self, rejects: Rejects) -> None:
        if not self._sensor_ids or not self._sensor_ids.refused:
            return
        rejects.add(TOO_MANY_SENSORS, count=self._sensor_ids.refused)
        self._sensor_ids.refused = 0
        kept = {hour: {name: c for name, c in columns.items() if len(c)} for hour, columns in self.hours.items()}
        self.hours = {hour: columns for hour, columns in kept.items() if columns}


class _Taken:
    """Which readings of an object lie in the date of its folder."""

    def __init__(self, day: date, rejects: Rejects) -> None:
        self.rejects = rejects
        self._day = day
        self._hours = hours_of(day)
        self._is_any_inside = False
        self._outside = 0
        self._distances: set[int] = set()  # in hours from the folder's date; negative is before it
        self._sample = ""

    def accepts(self, hour: int, times: list[datetime]) -> bool:
        """Whether readings of an hour are of the folder's date; those that aren't are counted."""
        if hour in self._hours:
            self._is_any_inside = True
            return True
        self._outside += len(times)
        self._distances.add(hour - self._hours.start if hour < self._hours.start else hour - self._hours.stop + 1)
        self._sample = self._sample or f"{times[0].isoformat(timespec='seconds')} in the folder of {self._day}"
        return False

    def close(self) -> None:
        """Count them under their reason: an object that lies some hours off as a whole has another time zone."""
        if not self._outside:
            return
        farthest = max(self._distances, key=abs)
        is_one_sided = len({distance > 0 for distance in self._distances}) == 1
        if not self._is_any_inside and is_one_sided and abs(farthest) in OTHER_ZONE_HOURS:
            where = f"{abs(farthest)} h {'after' if farthest > 0 else 'before'} it: {self._sample}"
            self.rejects.add(OTHER_HOURS, where, self._outside)
        else:
            self.rejects.add(OTHER_DATE, self._sample, self._outside)


def _resembling(lake_name: str, names: Mapping[str, str]) -> str:
    """What an unknown sensor may mean, where its name differs by case, style or a letter, or is the feature's name."""
    plain = {_plain(name): known for known, feature in names.items() for name in (feature, known)}
    near = plain.get(_plain(lake_name)) or next(iter(get_close_matches(lake_name.lower(), names, 1, 0.85)), None)
    return f"{ascii(lake_name)[1:-1]}; did you mean {near}?" if near else ""


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _unreadable(source: Source, rejects: Rejects) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in rejects.counts.items())
    told = "; ".join(sentences(rejects.counts, rejects.samples))
    return f"nothing in {source.key} is readable ({reasons or 'it is empty'}){told and ': ' + told}"

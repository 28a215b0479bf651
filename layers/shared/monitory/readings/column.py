"""The readings of one sensor in one hour: gathered in any order, told in order of time."""

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, compress

from monitory.readings.compact import Packed, SensorIds


@dataclass(slots=True)
class SensorReadings:
    """The readings of one sensor in one hour, in parallel lists, or packed where there are very many.

    Attributes:
        times: KST wall clock, naive.
        values: in the sensor's unit, finite.
        id_parts: each reading's sensorId, some readings at a time; seldom looked at, see `ids`.
        ordered: times strictly increase, so nothing is out of order and nothing is repeated.
        packed: the readings, when they aren't in the lists.
    """

    times: list[datetime] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    id_parts: list[Iterable[str]] = field(default_factory=list)
    ordered: bool = True
    packed: Packed | None = None

    def __len__(self) -> int:
        """The number of readings."""
        return len(self.values if self.packed is None else self.packed)

    @property
    def ids(self) -> list[str]:
        """Each reading's sensorId; two sensors of a kind may share an hour."""
        ids = list(chain.from_iterable(self.id_parts))
        self.id_parts = [ids]
        return ids

    @property
    def last(self) -> datetime:
        """The time of the reading that came last."""
        return self.times[-1] if self.packed is None else self.packed.last

    def extend(self, times: list[datetime], values: list[float], ids: Iterable[str], *, ordered: bool) -> None:
        """Append readings; their `ids` are gone through once, now or later."""
        self.ordered = self.ordered and ordered and (not self or self.last < times[0])
        if self.packed is not None:
            self.packed.append(times, values, list(ids))
            return
        self.times += times
        self.values += values
        self.id_parts.append(ids)

    def pack(self, hour: int, ids: SensorIds) -> None:
        """Hold the readings, all of one hour, in little memory from now on."""
        if self.packed is None:
            self.packed = Packed(hour, ids)
            if self.times:
                self.packed.append(self.times, self.values, self.ids)
            self.times, self.values, self.id_parts = [], [], []

    def discard(self, is_wanted: Callable[[float], bool]) -> list[float]:
        """Drop readings whose value isn't wanted; returns those values."""
        if self.packed is not None:
            return self.packed.discard(is_wanted)
        wanted = list(map(is_wanted, self.values))
        dropped = [value for value, keeps in zip(self.values, wanted, strict=True) if not keeps]
        if dropped:
            self.id_parts = [list(compress(self.ids, wanted))]
            self.times, self.values = list(compress(self.times, wanted)), list(compress(self.values, wanted))
        return dropped

    def settled_values(self) -> "list[float] | array[float]":
        """The values in order of time, exact repeats (same sensor, time and value) counted once."""
        if self.packed is not None:
            if not self.ordered:
                self.packed.settle()
                self.ordered = True
            return self.packed.values
        if not self.ordered:
            settled = sorted(set(zip(self.times, self.ids, self.values, strict=True)))
            self.times = [time for time, _, _ in settled]
            self.id_parts = [[sensor_id for _, sensor_id, _ in settled]]
            self.values = [value for _, _, value in settled]
            self.ordered = True
        return self.values

    def parts(self) -> Iterable[tuple[list[datetime], list[float], list[str]]]:
        """Times, values and sensorIds, some readings at a time."""
        return [(self.times, self.values, self.ids)] if self.packed is None else self.packed.parts()


HourReadings = dict[str, SensorReadings]
"""The readings of one machine in one hour, by the sensors' feature names."""

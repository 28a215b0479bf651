"""The readings of one sensor in one hour: appended in any order, returned in order of time."""

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, compress

from monitory.readings.compact import Packed, SensorIds


@dataclass(slots=True)
class SensorReadings:
    """The readings of one sensor in one hour, in parallel lists, or packed when there are very many.

    Attributes:
        times: the factory's wall clock, naive.
        values: in the sensor's unit, finite.
        id_parts: each reading's sensorId, in iterables of some readings each; `ids` joins them when needed.
        ordered: times strictly increase, so there are no repeats.
        packed: the readings instead of the lists; None while the lists hold them.
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
        """The time of the reading appended last."""
        return self.times[-1] if self.packed is None else self.packed.last

    def extend(self, times: list[datetime], values: list[float], ids: Iterable[str], *, ordered: bool) -> None:
        """Append readings; `ids` is iterated once, now or later."""
        self.ordered = self.ordered and ordered and (not self or self.last < times[0])
        if self.packed is not None:
            self.packed.append(times, values, list(ids))
            return
        self.times += times
        self.values += values
        self.id_parts.append(ids)

    def pack(self, hour: int, ids: SensorIds) -> None:
        """Switch to the packed form, for good; all readings lie in `hour`."""
        if self.packed is None:
            self.packed = Packed(hour, ids)
            if self.times:
                self.packed.append(self.times, self.values, self.ids)
            self.times, self.values, self.id_parts = [], [], []

    def discard(self, is_valid: Callable[[float], bool]) -> list[float]:
        """Drop the readings whose values fail the predicate; returns the dropped values."""
        if self.packed is not None:
            return self.packed.discard(is_valid)
        valid = list(map(is_valid, self.values))
        dropped = [value for value, is_ok in zip(self.values, valid, strict=True) if not is_ok]
        if dropped:
            self.id_parts = [list(compress(self.ids, valid))]
            self.times, self.values = list(compress(self.times, valid)), list(compress(self.values, valid))
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

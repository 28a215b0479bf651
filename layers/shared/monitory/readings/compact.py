"""The readings of one sensor and hour in 16 bytes each, for objects that hold millions of them.

As Python objects a reading takes 300 bytes, so the largest object of short lines would not fit into memory.
Here its time and sensorId are one integer, its value a double.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import compress, pairwise

from monitory.clock import hour_start

MAX_SENSOR_IDS = 4096
"""Different sensorIds per object whose readings are packed; a machine has a few dozen."""

MAX_ID_CHARACTERS = 256

_ID_BITS = 16
_ID_MASK = (1 << _ID_BITS) - 1
_RUN = 1 << 20
"""Readings sorted together: 130 MB."""

_PART = 1 << 16
"""Readings unpacked together."""


class SensorIds:
    """Numbers for sensorIds, `MAX_SENSOR_IDS` at most.

    Attributes:
        refused: number of readings with others.
    """

    def __init__(self) -> None:
        """No sensorIds yet."""
        self.refused = 0
        self._numbers: dict[str, int] = {}

    def numbers(self, ids: Sequence[str]) -> tuple[list[bool], list[int]]:
        """Whether each one is accepted, and the numbers of those that are."""
        numbers = self._numbers
        for name in dict.fromkeys(ids):
            if name not in numbers and len(numbers) < MAX_SENSOR_IDS and len(name) <= MAX_ID_CHARACTERS:
                numbers[name] = len(numbers)
        accepted = [name in numbers for name in ids]
        self.refused += accepted.count(False)
        return accepted, [numbers[name] for name in compress(ids, accepted)]

    def names(self) -> list[str]:
        """Each number's sensorId."""
        return list(self._numbers)


class Packed:
    """Readings of one sensor in one hour.

    Attributes:
        values: in the sensor's unit.
    """

    def __init__(self, hour: int, ids: SensorIds) -> None:
        """No readings yet; `ids` may be shared with other sensors."""
        self.values = array("d")
        self._keys = array("Q")  # microseconds of the hour, then the number of the sensorId
        self._ids = ids
        self._start = hour_start(hour).replace(tzinfo=None)

    def __len__(self) -> int:
        """The number of readings."""
        return len(self.values)

    @property
    def last(self) -> datetime:
        """The time of the reading appended last."""
        return self._time(self._keys[-1])

    def append(self, times: Sequence[datetime], values: Sequence[float], ids: Sequence[str]) -> None:
        """Add readings of the hour, except those whose sensorId is refused."""
        accepted, numbers = self._ids.numbers(ids)
        if len(numbers) < len(ids):
            times, values = list(compress(times, accepted)), list(compress(values, accepted))
        self.values.extend(values)
        self._keys.extend(
            [
                ((time.minute * 60 + time.second) * 1_000_000 + time.microsecond << _ID_BITS) | number
                for time, number in zip(times, numbers, strict=True)
            ]
        )

    def discard(self, is_valid: Callable[[float], bool]) -> list[float]:
        """Drop the readings whose values fail the predicate; returns the dropped values."""
        valid = bytearray(map(is_valid, self.values))
        dropped = [value for value, is_ok in zip(self.values, valid, strict=True) if not is_ok]
        if dropped:
            self.values = array("d", compress(self.values, valid))
            self._keys = array("Q", compress(self._keys, valid))
        return dropped

    def settle(self) -> None:
        """Sort the readings by time, sensorId and value, and drop exact repeats.

        Runs of readings are sorted and then merged, so few are unpacked at a time.
        """
        names = self._ids.names()
        by_place = sorted(range(len(names)), key=names.__getitem__)
        places = [0] * len(names)
        for place, number in enumerate(by_place):
            places[number] = place
        keys, values, starts = array("Q"), array("d"), [0]
        for at in range(0, len(self), _RUN):
            placed = _renumbered(self._keys[at : at + _RUN], places)
            run = sorted(set(zip(placed, self.values[at : at + _RUN], strict=True)))
            keys.extend(key for key, _ in run)
            values.extend(value for _, value in run)
            starts.append(len(keys))
        self._keys, self.values = _merged(keys, values, starts) if len(starts) > 2 else (keys, values)
        if names != sorted(names):
            self._keys = array("Q", _renumbered(self._keys, by_place))

    def parts(self) -> Iterator[tuple[list[datetime], list[float], list[str]]]:
        """The readings' times, values and sensorIds, some at a time."""
        names = self._ids.names()
        for at in range(0, len(self), _PART):
            keys = self._keys[at : at + _PART]
            times = [self._time(key) for key in keys]
            yield times, self.values[at : at + _PART].tolist(), [names[key & _ID_MASK] for key in keys]

    def _time(self, key: int) -> datetime:
        return self._start + timedelta(microseconds=key >> _ID_BITS)


def _renumbered(keys: Iterable[int], numbers: Sequence[int]) -> Iterator[int]:
    return (key & ~_ID_MASK | numbers[key & _ID_MASK] for key in keys)


def _merged(keys: "array[int]", values: "array[float]", starts: Sequence[int]) -> "tuple[array[int], array[float]]":
    """Sorted runs merged, without repeats."""
    key_view, value_view = memoryview(keys), memoryview(values)
    runs = [zip(key_view[start:end], value_view[start:end], strict=True) for start, end in pairwise(starts)]
    merged_keys, merged_values = array("Q"), array("d")
    before = None
    for reading in merge(*runs):
        if reading != before:
            merged_keys.append(reading[0])
            merged_values.append(reading[1])
            before = reading
    return merged_keys, merged_values

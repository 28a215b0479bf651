"""Level 1 of the features: the readings of one machine and hour -> one hour row.

For the readings v_1..v_n of a sensor, in order of time and without repeats:

- ``<name>``: their mean.
- ``<name>_rollmean``: the mean of the n-4 means over 5 neighbouring readings.
- ``<name>_rollstd``: the mean of the n-4 standard deviations (divisor 4) over 5 neighbouring readings.
- ``<name>_min``, ``<name>_max``: the extremes.
- ``<name>_outside``: the share of readings beyond the sensor's alert limits, 0..1.
- ``<name>_count``: n.

and ``power_factor`` = P / sqrt(P^2 + Q^2) of the means, 0 when both are 0.

A sensor without readings has NaN everywhere and a count of 0; with fewer than five readings its
rollmean and rollstd are NaN, as in `pandas.Series.rolling(5)`.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from math import fsum, hypot, nan
from typing import NamedTuple

import msgspec

from monitory.readings.kernels import PURE, Kernel
from monitory.readings.sensor_readings import HourReadings, SensorReadings
from monitory.sensors import SensorSet

WINDOW = 5
"""Readings in a rolling window."""

STATISTICS = ("mean", "rollmean", "rollstd", "min", "max", "outside", "count")
"""Of each sensor, in the order of an hour row's columns."""

PER_SENSOR = ("", *(f"_{statistic}" for statistic in STATISTICS[1:]))
MIN, MAX, OUTSIDE, COUNT = (PER_SENSOR.index(suffix) for suffix in ("_min", "_max", "_outside", "_count"))
"""Offsets within a sensor's columns; new code asks `Columns`."""

IDLE_SHARE = 0.02
"""Of active power's span between its alert limits; a running machine draws several times more."""

IDLE_READINGS = 5
"""Of active power; fewer may all be low by chance though the machine runs."""

POWER_FACTOR = "power_factor"

ENOUGH_READINGS = 12
"""Fewer than one every five minutes may all be equal though the sensor works, if its resolution is coarse."""

_PART = 1 << 16


class Columns:
    """An hour row's columns by sensor and statistic.

    >>> from monitory.sensors import load
    >>> columns = Columns(load())
    >>> columns.names[columns.index("vibration", "rollstd")]
    'vibration_rollstd'
    """

    def __init__(self, sensors: SensorSet) -> None:
        """The columns of a sensor set's rows."""
        self._sensors = sensors.names
        self._last = (POWER_FACTOR,) if sensors.power_factor else ()

    def __len__(self) -> int:
        """The number of columns."""
        return len(self._sensors) * len(STATISTICS) + len(self._last)

    @property
    def names(self) -> tuple[str, ...]:
        """In order: each sensor's statistics, then the power factor."""
        return (*(name + suffix for name in self._sensors for suffix in PER_SENSOR), *self._last)

    def index(self, sensor: str, statistic: str) -> int:
        """The column of a sensor's statistic, one of `STATISTICS`.

        Raises:
            ValueError: there is no such sensor or statistic.
        """
        return self._sensors.index(sensor) * len(STATISTICS) + STATISTICS.index(statistic)

    def indices(self, statistic: str) -> list[int]:
        """The columns of a statistic, in the order of the sensors."""
        first = STATISTICS.index(statistic)
        return list(range(first, len(self._sensors) * len(STATISTICS), len(STATISTICS)))


class HourRow(msgspec.Struct, frozen=True):
    """One machine's hour. The field names are the stored format.

    Attributes:
        hour: which hour, see `clock`.
        values: one for each of the sensor set's `Columns`; NaN is missing.
        readings: number of readings; 0 for a row of values alone.
        last: wall-clock time of the newest reading, naive; 1970 for a row of values alone.
    """

    hour: int
    values: tuple[float, ...]
    readings: int = 0
    last: datetime = datetime(1970, 1, 1)


def off_rule(sensors: SensorSet) -> Callable[[Sequence[float]], bool]:
    """A predicate of an hour row's values: whether the machine stood still.

    Either it drew next to no active power (a mean of `IDLE_READINGS` or more in the lowest `IDLE_SHARE` of the span
    between the alert limits), or no sensor changed, and one that had `ENOUGH_READINGS` should have.
    """
    columns = Columns(sensors)
    extremes = list(zip(*(columns.indices(statistic) for statistic in ("min", "max", "count")), strict=True))
    idle = _idle_power(sensors)

    def is_off(values: Sequence[float]) -> bool:
        if idle and values[idle.mean] <= idle.limit and values[idle.readings] >= IDLE_READINGS:
            return True
        has_enough = False
        for smallest, largest, count in extremes:
            if values[count] > 1 and values[smallest] != values[largest]:
                return False
            has_enough = has_enough or values[count] >= ENOUGH_READINGS
        return has_enough

    return is_off


class _IdlePower(NamedTuple):
    """The columns of mean and count of active power, and the mean up to which the machine counts as off."""

    mean: int
    readings: int
    limit: float


def _idle_power(sensors: SensorSet) -> _IdlePower | None:
    """How to see that a machine is off; None where no sensor measures its active power."""
    if not sensors.power_factor:
        return None
    name, columns = sensors.power_factor.active, Columns(sensors)
    sensor = sensors.sensors[sensors.names.index(name)]
    limit = sensor.low + IDLE_SHARE * (sensor.high - sensor.low)
    return _IdlePower(columns.index(name, "mean"), columns.index(name, "count"), limit)


def hour_row(hour: int, readings: HourReadings, sensors: SensorSet, kernel: Kernel = PURE) -> HourRow:
    """The hour row of one machine's readings.

    Args:
        hour: which hour, see `clock`.
        readings: by sensor; at least one sensor has readings, a sensor without any is left out.
        sensors: the sensor set, with its alert limits.
        kernel: the implementation of the inner loops.
    """
    values: list[float] = []
    for sensor in sensors.sensors:
        of_sensor = readings.get(sensor.name)
        values += SILENT if of_sensor is None else _statistics(of_sensor, sensor.low, sensor.high, kernel)
    count = sum(map(len, readings.values()))
    return row_of_columns(hour, values, count, max(of_sensor.last for of_sensor in readings.values()), sensors)


def row_of_columns(hour: int, values: list[float], readings: int, last: datetime, sensors: SensorSet) -> HourRow:
    """The hour row of each sensor's statistics, to which the power factor is added; otherwise as in `HourRow`."""
    if sensors.power_factor:
        powers = (sensors.power_factor.active, sensors.power_factor.reactive)
        active, reactive = (values[sensors.names.index(name) * len(STATISTICS)] for name in powers)
        values.append(active / apparent if (apparent := hypot(active, reactive)) else 0.0)
    return HourRow(hour, tuple(values), readings, last)


SILENT = (nan, nan, nan, nan, nan, nan, 0.0)
"""The statistics of a sensor without readings."""


def has_plausible_extremes(row: HourRow, sensors: SensorSet) -> bool:
    """Whether every sensor's smallest and largest reading can be true; sensors without readings pass."""
    columns = Columns(sensors)
    for sensor, at_min, at_max in zip(sensors.sensors, columns.indices("min"), columns.indices("max"), strict=True):
        smallest, largest = row.values[at_min], row.values[at_max]
        if smallest == smallest and not (sensor.is_plausible(smallest) and sensor.is_plausible(largest)):
            return False
    return True


def _statistics(readings: SensorReadings, low: float, high: float, kernel: Kernel) -> tuple[float, ...]:
    values = readings.settled_values()
    count = len(values)
    total = fsum(values)  # exact: the order of lines and the version of Python make no difference
    mean = total / count
    if isinstance(values, list):
        smallest, largest, outside, deviations = kernel.reading_statistics(values, mean, low, high)
        deviation = fsum(deviations)
    else:
        smallest, largest = min(values) + 0.0, max(values) + 0.0
        outside = sum(not low <= value <= high for value in values)
        parts = (kernel.reading_statistics(part, mean, low, high) for part in _parts(values))
        deviation = fsum(chain.from_iterable(part.deviations for part in parts))
    if count < WINDOW:
        return mean, nan, nan, smallest, largest, outside / count, float(count)
    # A reading is in five windows, those near the ends in fewer: subtract what they lack.
    lacking = [(WINDOW - 1 - i) * (values[i] + values[-1 - i]) for i in range(WINDOW - 1)]
    windows = count - WINDOW + 1
    rollmean = (WINDOW * total - fsum(lacking)) / (WINDOW * windows)
    return mean, rollmean, deviation / windows, smallest, largest, outside / count, float(count)


def _parts(values: "array[float]") -> Iterator[list[float]]:
    """Packed values as lists of `_PART` values, overlapping so that every window lies whole in one of them."""
    for start in range(0, len(values) - (WINDOW - 1), _PART):
        yield values[start : start + _PART + WINDOW - 1].tolist()

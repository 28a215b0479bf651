"""Level 1 of the features: the readings of one machine and hour -> one hour row.

For the readings v_1..v_n of a sensor in order of time, repeats counted once:

- ``<name>``: their mean.
- ``<name>_rollmean``: the mean of the n-4 means over 5 neighbouring readings.
- ``<name>_rollstd``: the mean of the n-4 standard deviations (divisor 4) over 5 neighbouring readings.
- ``<name>_min``, ``<name>_max``: the extremes.
- ``<name>_outside``: the share of readings beyond the sensor's alert limits, 0..1.
- ``<name>_count``: n.

and ``power_factor`` = P / sqrt(P^2 + Q^2) of the means, 0 when both are 0.

A sensor without readings has NaN everywhere and a count of 0; with fewer than five readings its
rollmean and rollstd are NaN, as `pandas.Series.rolling(5)` has it.
"""

from array import array
from collections.abc import Callable, Iterator
from itertools import chain
from math import fsum, hypot, nan
from typing import NamedTuple, Protocol

from monitory.readings.column import HourReadings, SensorReadings
from monitory.readings.kernels import PURE, Kernel
from monitory.sensors import SensorSet

WINDOW = 5
"""Readings in a rolling window."""

STATISTICS = ("mean", "rollmean", "rollstd", "min", "max", "outside", "count")
"""Of each sensor, in the order of an hour row's columns."""

PER_SENSOR = ("", "_rollmean", "_rollstd", "_min", "_max", "_outside", "_count")
MIN, MAX, OUTSIDE, COUNT = (PER_SENSOR.index(suffix) for suffix in ("_min", "_max", "_outside", "_count"))
"""Where a sensor's part of an hour row has what is no feature by itself."""

IDLE_SHARE = 0.02
"""Of active power's span between its alert limits; a machine that works draws several times more."""

POWER_FACTOR = "power_factor"

ENOUGH_READINGS = 12
"""Fewer than one every five minutes may well be equal though the sensor works, if it is a coarse one."""

_PART = 1 << 16


class Columns:
    """An hour row's columns by sensor and statistic.

    Attributes:
        names: in order: each sensor's statistics, then the power factor.

    >>> from monitory.sensors import load
    >>> columns = Columns(load())
    >>> columns.names[columns.index("vibration", "rollstd")]
    'vibration_rollstd'
    """

    def __init__(self, sensors: SensorSet) -> None:
        """The columns of a sensor set's rows."""
        self._sensors = sensors.names
        names = [name + suffix for name in sensors.names for suffix in PER_SENSOR]
        self.names = (*names, POWER_FACTOR) if sensors.power_factor else tuple(names)

    def __len__(self) -> int:
        """The number of columns."""
        return len(self.names)

    def index(self, sensor: str, statistic: str) -> int:
        """The column of a sensor's statistic, one of `STATISTICS`.

        Raises:
            ValueError: there is no such sensor or statistic.
        """
        return self._sensors.index(sensor) * len(STATISTICS) + STATISTICS.index(statistic)

    def indices(self, statistic: str) -> list[int]:
        """The columns of a statistic, in the order of the sensors."""
        return [self.index(sensor, statistic) for sensor in self._sensors]


class Row(Protocol):
    """One machine's hour: `values` are named by `columns` of the sensor set."""

    @property
    def hour(self) -> int:
        """Which hour."""

    @property
    def values(self) -> tuple[float, ...]:
        """One for each column; NaN is missing."""


class HourRow(NamedTuple):
    """A row as it is computed."""

    hour: int
    values: tuple[float, ...]


def columns(sensors: SensorSet) -> tuple[str, ...]:
    """The names of an hour row's values, in order."""
    return Columns(sensors).names


def off_rule(sensors: SensorSet) -> Callable[[Row], bool]:
    """Tells of hour rows whether the machine stood still.

    Either it drew next to no active power (a mean in the lowest `IDLE_SHARE` of the span between the alert limits),
    or no sensor changed, and one that had `ENOUGH_READINGS` should have.
    """
    width = len(PER_SENSOR)
    starts = range(0, len(sensors.sensors) * width, width)
    idle = idle_power(sensors)

    def is_off(row: Row) -> bool:
        values = row.values
        if idle and values[idle.column] <= idle.limit:
            return True
        heard = False
        for start in starts:
            if values[start + COUNT] > 1 and values[start + MIN] != values[start + MAX]:
                return False
            heard = heard or values[start + COUNT] >= ENOUGH_READINGS
        return heard

    return is_off


class IdlePower(NamedTuple):
    """The column of mean active power in an hour row, and up to which value the machine counts as off."""

    column: int
    limit: float


def idle_power(sensors: SensorSet) -> IdlePower | None:
    """Where to see that a machine is off; None where no sensor gives its active power."""
    if not sensors.power_factor:
        return None
    index = sensors.names.index(sensors.power_factor.active)
    sensor = sensors.sensors[index]
    return IdlePower(index * len(PER_SENSOR), sensor.low + IDLE_SHARE * (sensor.high - sensor.low))


def hour_row(hour: int, readings: HourReadings, sensors: SensorSet, kernel: Kernel = PURE) -> HourRow:
    """The hour row of one machine's readings.

    Args:
        hour: which hour.
        readings: the sensors that spoke in it.
        sensors: the sensor set; decides what is in the row, and the alert limits.
        kernel: how what is done with every reading is spelled.
    """
    values: list[float] = []
    means: dict[str, float] = {}
    for sensor in sensors.sensors:
        column = readings.get(sensor.name)
        part = _sensor_values(column, sensor.low, sensor.high, kernel) if column is not None else _SILENT
        means[sensor.name] = part[0]
        values += part
    if sensors.power_factor:
        active, reactive = means[sensors.power_factor.active], means[sensors.power_factor.reactive]
        values.append(active / apparent if (apparent := hypot(active, reactive)) else 0.0)
    return HourRow(hour, tuple(values))


_SILENT = (nan, nan, nan, nan, nan, nan, 0.0)


def has_plausible_extremes(row: Row, sensors: SensorSet) -> bool:
    """Whether no sensor's least or largest value is one that can't be true."""
    for index, sensor in enumerate(sensors.sensors):
        at = index * len(PER_SENSOR)
        smallest, largest = row.values[at + MIN], row.values[at + MAX]
        if smallest == smallest and not (sensor.is_plausible(smallest) and sensor.is_plausible(largest)):
            return False
    return True


def _sensor_values(column: SensorReadings, low: float, high: float, kernel: Kernel) -> tuple[float, ...]:
    values = column.settled_values()
    count = len(values)
    total = fsum(values)  # exact: the order of lines and the version of Python make no difference
    mean = total / count
    if isinstance(values, list):
        smallest, largest, outside, deviations = kernel.spread(values, mean, low, high)
        deviation = fsum(deviations)
    else:
        smallest, largest = min(values) + 0.0, max(values) + 0.0
        outside = sum(not low <= value <= high for value in values)
        spreads = (kernel.spread(part, mean, low, high) for part in _parts(values))
        deviation = fsum(chain.from_iterable(part.deviations for part in spreads))
    if count < WINDOW:
        return mean, nan, nan, smallest, largest, outside / count, float(count)
    # A reading is in five windows, those near the ends in fewer: take away what they lack.
    lacking = [(WINDOW - 1 - i) * (values[i] + values[-1 - i]) for i in range(WINDOW - 1)]
    windows = count - WINDOW + 1
    rollmean = (WINDOW * total - fsum(lacking)) / (WINDOW * windows)
    return mean, rollmean, deviation / windows, smallest, largest, outside / count, float(count)


def _parts(values: "array[float]") -> Iterator[list[float]]:
    """Packed values as lists of a bearable length, which overlap so that every window is whole in one of them."""
    for start in range(0, len(values) - (WINDOW - 1), _PART):
        yield values[start : start + _PART + WINDOW - 1].tolist()

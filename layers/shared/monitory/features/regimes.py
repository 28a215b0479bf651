"""Operating regimes: hour rows expressed as they would be in one and the same regime.

A machine that runs at several set points (load, speed, altitude) has readings that jump with each change, far more than
wear moves them. Where a sensor set names operating sensors, training groups the hours by them and learns of each sensor
how it lies in each group:

    x' = mean_ref + (x - mean_r) * std_ref / std_r

is what a value x of regime r would be in the reference regime, the commonest one; so it keeps the sensor's unit.
Source: regime-wise standardisation of C-MAPSS, e.g. Peel, "Data driven prognostics using a Kalman filter ensemble of
neural network models", 2008.
"""

from collections.abc import Iterable
from math import hypot, isfinite, nan

import msgspec

from monitory.features.hour_row import MAX, MIN, PER_SENSOR, HourRow, Row, off_rule
from monitory.sensors import SensorSet

_WIDTH = len(PER_SENSOR)
_SHIFTED = (PER_SENSOR.index(""), PER_SENSOR.index("_rollmean"), MIN, MAX)
_SCALED = PER_SENSOR.index("_rollstd")


class Regime(msgspec.Struct, frozen=True):
    """A regime.

    Attributes:
        centre: the operating sensors' hourly means, in the order of `Regimes.operating`.
        scales, offsets: x' = scale * x + offset, in the order of `Regimes.sensors`; a scale of 0 where a sensor tells
            nothing.
        hours: of training that lay in it.
    """

    centre: tuple[float, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    hours: int


class Regimes(msgspec.Struct, frozen=True):
    """The regimes that training saw, at least two.

    Attributes:
        operating: the sensors that tell regimes apart.
        spreads: of each of these, in its unit: distances count in these.
        radius: an hour farther than this from every centre is of a regime that training has not seen.
        sensors: the sensors that are expressed in the reference regime.
        regimes: the commonest, which is the reference, first.
    """

    operating: tuple[str, ...]
    spreads: tuple[float, ...]
    radius: float
    sensors: tuple[str, ...]
    regimes: tuple[Regime, ...]

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ValueError: fewer than two regimes, lengths that don't match, or numbers that can't be computed with.
        """
        if len(self.regimes) < 2 or not self.operating:
            raise ValueError("regimes need operating sensors, and there must be two at least")
        for regime in self.regimes:
            counts = len(regime.centre), len(regime.scales), len(regime.offsets)
            if counts != (len(self.operating), len(self.sensors), len(self.sensors)):
                raise ValueError("a regime has other numbers than the regimes have sensors")
            numbers = (*regime.centre, *regime.scales, *regime.offsets)
            if not all(map(isfinite, numbers)) or min(regime.scales, default=0.0) < 0:
                raise ValueError("a regime has a number that cannot be computed with")
        lengths = (*self.spreads, self.radius)
        if len(self.spreads) != len(self.operating) or not all(isfinite(x) and x > 0 for x in lengths):
            raise ValueError("regimes need a positive radius, and a positive spread for each operating sensor")

    def number(self, row: Row, sensors: SensorSet) -> int | None:
        """Which regime an hour row is of; None where an operating sensor was silent, or none is near."""
        settings = [row.values[sensors.names.index(name) * _WIDTH] for name in self.operating]
        best, nearest = None, self.radius
        for number, regime in enumerate(self.regimes):
            parts = zip(settings, regime.centre, self.spreads, strict=True)
            distance = hypot(*((x - centre) / spread for x, centre, spread in parts))
            if distance <= nearest:  # never, where a setting is NaN
                best, nearest = number, distance
        return best

    def normalised(self, rows: Iterable[Row], sensors: SensorSet) -> list[HourRow]:
        """Hour rows in terms of the reference regime.

        Shares, counts, the power factor and operating sensors stay as they are. In an hour of no known regime, and when
        the machine stood still, the sensors count as not heard (NaN), for nobody knows what their values mean then.

        Args:
            rows: of one machine or several.
            sensors: the sensor set that they were made with; it has all sensors that these regimes name.
        """
        starts = [sensors.names.index(name) * _WIDTH for name in self.sensors]
        maps = [list(zip(starts, regime.scales, regime.offsets, strict=True)) for regime in self.regimes]
        unknown = [(start, nan, nan) for start in starts]
        is_off = off_rule(sensors)
        found = []
        for row in rows:
            number = None if is_off(row) else self.number(row, sensors)
            values = list(row.values)
            for start, scale, offset in unknown if number is None else maps[number]:
                for at in _SHIFTED:
                    values[start + at] = values[start + at] * scale + offset
                values[start + _SCALED] *= scale
            found.append(HourRow(row.hour, tuple(values)))
        return found

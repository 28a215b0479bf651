"""Operating regimes: hour rows in terms of one reference regime.

The readings of a machine that runs at several set points (load, speed, altitude) jump with each change, far more than
wear moves them. Where a sensor set names operating sensors, training groups the hours by them and learns each sensor's
mean and standard deviation in each group:

    x' = mean_ref + (x - mean_r) * std_ref / std_r

is what a value x of regime r would be in the reference regime, the commonest one; it keeps the sensor's unit.
Source: regime-wise standardisation of C-MAPSS, e.g. Peel, "Data driven prognostics using a Kalman filter ensemble of
neural network models", 2008.
"""

from collections.abc import Iterable
from math import hypot, isfinite, nan

import msgspec

from monitory.features.hour_row import Columns, HourRow, off_rule
from monitory.sensors import SensorSet

_LEVELS = ("mean", "rollmean", "min", "max")
"""Statistics that a regime scales and shifts; it only scales the standard deviation, and leaves the others alone."""


class Regime(msgspec.Struct, frozen=True):
    """A regime.

    Attributes:
        centre: the operating sensors' hourly means, in the order of `Regimes.operating`.
        scales, offsets: x' = scale * x + offset, in the order of `Regimes.sensors`; a scale of 0 where a sensor has
            no information.
        hours: number of training hours in it.
    """

    centre: tuple[float, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    hours: int


class Regimes(msgspec.Struct, frozen=True):
    """The regimes in the training data, at least two.

    Attributes:
        operating: the sensors that tell regimes apart.
        spreads: the unit of distance for each of these, in the sensor's unit.
        radius: an hour farther than this from every centre is of an unknown regime.
        sensors: the sensors that are normalised.
        regimes: the commonest, which is the reference, first.
    """

    operating: tuple[str, ...]
    spreads: tuple[float, ...]
    radius: float
    sensors: tuple[str, ...]
    regimes: tuple[Regime, ...]

    def __post_init__(self) -> None:
        """Validate the fields.

        Raises:
            ValueError: fewer than two regimes, lengths that don't match, or numbers out of range.
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

    def number(self, row: HourRow, sensors: SensorSet) -> int | None:
        """The regime of an hour row; None where an operating sensor is missing, or no centre is near."""
        columns = Columns(sensors)
        settings = [row.values[columns.index(name, "mean")] for name in self.operating]
        best, nearest = None, self.radius
        for number, regime in enumerate(self.regimes):
            parts = zip(settings, regime.centre, self.spreads, strict=True)
            distance = hypot(*((x - centre) / spread for x, centre, spread in parts))
            if distance <= nearest:  # never, where a setting is NaN
                best, nearest = number, distance
        return best

    def normalised(self, rows: Iterable[HourRow], sensors: SensorSet) -> list[HourRow]:
        """Hour rows in terms of the reference regime.

        Shares, counts, the power factor and operating sensors stay as they are. In an hour of an unknown regime, and
        while the machine is off, the other sensors are missing (NaN): their values cannot be compared.

        Args:
            rows: of one machine or several.
            sensors: the sensor set of the rows; it has all sensors that these regimes name.
        """
        columns = Columns(sensors)
        levels = [[columns.index(name, statistic) for statistic in _LEVELS] for name in self.sensors]
        deviations = [columns.index(name, "rollstd") for name in self.sensors]
        maps = [list(zip(levels, deviations, r.scales, r.offsets, strict=True)) for r in self.regimes]
        missing = [(level, deviation, nan, nan) for level, deviation in zip(levels, deviations, strict=True)]
        is_off = off_rule(sensors)
        normalised = []
        for row in rows:
            number = None if is_off(row.values) else self.number(row, sensors)
            values = list(row.values)
            for level, deviation, scale, offset in missing if number is None else maps[number]:
                for at in level:
                    values[at] = values[at] * scale + offset
                values[deviation] *= scale
            normalised.append(HourRow(row.hour, tuple(values), row.readings, row.last))
        return normalised

"""Failures that show in the readings: excursions.

In an hour a sensor is *out* if at least `share` of its readings lie beyond its alert limits. That alone proves
nothing: spikes are up to `SPIKE_SHARE` of single readings, and where a sensor speaks once an hour every spike is all of
an hour. So an excursion takes as many readings as are needed to be sure, in as many consecutive hours as that takes
(a sequential probability ratio test; Wald, "Sequential Tests of Statistical Hypotheses", 1945): each reading outside
adds ln(share / SPIKE_SHARE), every other one ln((1 - share) / (1 - SPIKE_SHARE)), and they must come to `CERTAINTY`.
With the default share that is an hour of a sensor with twelve readings or more, and six hours of one with a single one.

A sensor that lies is no machine that fails: readings that never change prove nothing, nor do those before a sensor
gets stuck at their extreme. Implausible readings are no readings (`readings.by_hour`).
"""

from collections.abc import Sequence
from math import log

import msgspec

from monitory.features.hour_row import ENOUGH_READINGS, Columns
from monitory.sensors import SensorSet

SPIKE_SHARE = 0.05
"""The most that spikes are of single readings."""

CERTAINTY = 13.8
"""Spikes reach it once in a million series: ln(10^6)."""

_MOST_SILENT_HOURS = 6
"""A sensor that is silent for longer begins another series."""

Row = Sequence[float]
"""The values of an hour row, see `hour_row.Columns`."""


class Excursion(msgspec.Struct, frozen=True):
    """The failure rule: `sensors` sensors are out at once, for sure.

    Attributes:
        share: of an hour's readings that must lie beyond a sensor's alert limits, 0..1.
        sensors: how many sensors must be out at once.
    """

    share: float
    sensors: int

    def failing(self, hours: Sequence[int], rows: Sequence[Row], sensors: SensorSet) -> list[bool]:
        """Which hours are excursions, from the first hour of each, though only later ones make it sure.

        Args:
            hours: of one machine, ascending; see `clock`.
            rows: the values of its hour rows.
            sensors: the sensor set of the rows.
        """
        columns = Columns(sensors)
        outside = columns.indices("outside")
        places = list(zip(*(columns.indices(kind) for kind in ("outside", "count", "min", "max")), strict=True))
        likely = min(max(self.share, 2 * SPIKE_SHARE), 0.99)
        gain, loss = log(likely / SPIKE_SHARE), log((1 - likely) / (1 - SPIKE_SHARE))
        flags = [False] * len(rows)
        series: dict[int, _Series] = {}
        for at, values in enumerate(rows):
            if not series and not any(values[place] >= self.share for place in outside):
                continue  # nearly every hour
            for sensor, (share, count, smallest, largest) in enumerate(places):
                if not values[count]:
                    continue  # a silent sensor proves nothing
                before = series.pop(sensor, None)
                if before and hours[at] - hours[before.last] > _MOST_SILENT_HOURS:
                    before = None
                low, high = values[smallest], values[largest]
                if low == high and values[count] >= ENOUGH_READINGS:
                    if before and low in (before.low, before.high):  # it got stuck within the series
                        flags[before.first : at] = [False] * (at - before.first)
                    continue
                if not values[share] >= self.share:
                    continue
                count_outside = values[share] * values[count]
                evidence = count_outside * gain + (values[count] - count_outside) * loss
                if before:
                    low, high, evidence = min(low, before.low), max(high, before.high), evidence + before.evidence
                series[sensor] = _Series(before.first if before else at, at, evidence, low, high)
            # a sensor that is silent now takes no part
            certain = sorted(one.first for one in series.values() if one.last == at and one.is_certain)
            if len(certain) >= self.sensors:
                first = certain[self.sensors - 1]
                flags[first : at + 1] = [True] * (at + 1 - first)
        return flags


class _Series(msgspec.Struct, frozen=True):
    """Consecutive hours in which a sensor is out.

    Attributes:
        first, last: places of the first and the last row.
        evidence: logarithm of the odds that these are no spikes.
        low, high: the smallest and the largest reading.
    """

    first: int
    last: int
    evidence: float
    low: float
    high: float

    @property
    def is_certain(self) -> bool:
        """Whether it is neither spikes nor a sensor that always reads the same."""
        return self.evidence >= CERTAINTY and self.low < self.high

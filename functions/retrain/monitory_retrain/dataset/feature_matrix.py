"""The features of many hours of one machine, by whole arrays.

`monitory.features.vector.build` is the definition, hour by hour, and says what each feature means; a parity test holds
this form to it. The two differ by rounding at most: Python's `sum` loses less than a sum of arrays from 3.12 on.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitory.clock import HOURS_PER_DAY
from monitory.features import vector
from monitory.features.hour_row import POWER_FACTOR, Columns, HourRow, off_rule
from monitory.features.regimes import Regimes
from monitory.sensors import SensorSet
from monitory_retrain.array_types import Floats, Ints

Flags = npt.NDArray[np.bool_]


class History(NamedTuple):
    """A machine's hour rows.

    Attributes:
        hour: ascending, shape (n,).
        values: named by `hour_row.Columns`, shape (n, columns).
        last_failure: hour of the last failure before each row, -1 without one, shape (n,).
        wanted: indices of the rows to build features for, shape (m,).
    """

    hour: Ints
    values: Floats
    last_failure: Ints
    wanted: Ints


def matrix(history: History, sensors: SensorSet, regimes: Regimes | None, names: Sequence[str]) -> Floats:
    """The named features of the wanted rows in terms of the regimes, shape (m, features); NaN is missing.

    Args:
        history: the machine's rows, those of hours in which it did not run included.
        sensors: the sensor set of the rows.
        regimes: in whose terms the features are.
        names: some of `vector.names`.
    """
    values = _normalised(history, sensors, regimes) if regimes else history.values
    is_off = off_rule(sensors)
    off = np.fromiter(map(is_off, values.tolist()), np.bool_, len(values))
    columns = Columns(sensors)
    machine = _Machine(history, values[:, columns.indices("mean")].T.copy(), off)
    features = _trends(machine, sensors, names)
    for suffix, statistic in zip(vector.SNAPSHOT, ("mean", "rollmean", "rollstd"), strict=True):
        for name, column in zip(sensors.names, columns.indices(statistic), strict=True):
            features[name + suffix] = values[:, column]
    if sensors.power_factor:
        features[POWER_FACTOR] = values[:, -1]
    features[vector.LIMIT_SHARE], features[vector.DAYS_TO_LIMIT] = _nearest(features, sensors, len(values))
    features[vector.AGE] = np.where(history.last_failure < 0, np.nan, history.hour - history.last_failure)
    x = np.empty((len(history.wanted), len(names)))
    for at, name in enumerate(names):
        x[:, at] = features[name][history.wanted]
    return x


def _normalised(history: History, sensors: SensorSet, regimes: Regimes) -> Floats:
    """The rows' values in terms of the regimes, shape (n, columns)."""
    rows = map(HourRow, history.hour.tolist(), map(tuple, history.values.tolist()))
    return np.array([row.values for row in regimes.normalised(rows, sensors)]).reshape(history.values.shape)


def _trends(machine: "_Machine", sensors: SensorSet, names: Sequence[str]) -> dict[str, Floats]:
    """The features of windows at each row by name, shape (n,) each: the named ones and what `_nearest` needs."""
    needed = {*names, *(f"{name}_mean_24h" for name in sensors.names)}
    needed |= {f"{name}_slope_{vector.LONG_WINDOW}h" for name in sensors.names}
    trends = {}
    for window in (*vector.WINDOWS, vector.LONG_WINDOW):
        kinds = [kind for kind in _KINDS if any(f"{name}_{kind}_{window}h" in needed for name in sensors.names)]
        for kind, values in machine.over(window, kinds).items():
            trends.update({f"{name}_{kind}_{window}h": row for name, row in zip(sensors.names, values, strict=True)})
    return trends


_KINDS = ("mean", "std", "slope")


class _Machine:
    """The hourly means of a machine's sensors, which windows go over."""

    def __init__(self, history: History, means: Floats, off: Flags) -> None:
        """`means` has the shape (sensors, n), `off` says in which hours the machine stood still."""
        self._hour, self._last_failure, self._means = history.hour, history.last_failure, means
        self._rows = np.arange(len(off))
        self._heard = ~np.isnan(means)
        self._told = self._heard & ~off  # to later hours; an hour tells of itself even when it is off
        since = history.hour - history.hour[:1]
        self._counts = _Sums(self._told, self._heard, np.ones_like(since))
        self._hours = _Sums(self._told, self._heard, since)
        self._squares = _Sums(self._told, self._heard, since * since)
        self._since = since
        # the first row from each one on that tells
        places = np.where(self._told, self._rows, len(off))
        self._next = np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]

    def over(self, window: int, kinds: Collection[str]) -> dict[str, Floats]:
        """The trends of some kinds over a window that ends with each row, shape (sensors, n) each."""
        first = np.maximum(self._hour - window, self._last_failure)
        begin = np.minimum(np.searchsorted(self._hour, first, side="right"), self._rows)
        count, steps = self._counts.since(begin), self._steps(begin)
        made: dict[str, Floats] = {}
        with np.errstate(invalid="ignore", divide="ignore"):
            if "mean" in kinds or "std" in kinds:
                made["mean"] = self._total(steps) / count
            if "std" in kinds:
                made["std"] = np.where(count > 1, np.sqrt(self._deviations(steps, made["mean"]) / (count - 1)), np.nan)
            if "slope" in kinds:
                made["slope"] = np.where(count > 1, self._slope(steps, begin, count), np.nan)
        return {kind: made[kind] for kind in kinds}

    def _steps(self, begin: Ints) -> "list[_Step]":
        """The hours of each row's window, the oldest first: so many rows before all rows at once."""
        n = len(self._rows)
        steps = []
        for back in range(int((self._rows - begin).max(initial=-1)), -1, -1):
            used = (self._told if back else self._heard)[:, : n - back] & (begin[back:] <= self._rows[: n - back])
            steps.append(_Step(slice(back, n), slice(0, n - back), used))
        return steps

    def _total(self, steps: "list[_Step]") -> Floats:
        total = np.zeros_like(self._means)
        for now, then, used in steps:
            np.add(total[:, now], self._means[:, then], out=total[:, now], where=used)
        return total

    def _deviations(self, steps: "list[_Step]", mean: Floats) -> Floats:
        """The sum of squared deviations from the window's mean."""
        total = np.zeros_like(self._means)
        for now, then, used in steps:
            deviation = self._means[:, then] - mean[:, now]
            np.add(total[:, now], deviation * deviation, out=total[:, now], where=used)
        return total

    def _slope(self, steps: "list[_Step]", begin: Ints, count: Ints) -> Floats:
        """See `vector`; values are taken from the window's first one, so that the sums don't cancel."""
        origin = np.take_along_axis(self._means, np.minimum(self._next[:, begin], self._rows), axis=1)
        rises, weighted = np.zeros_like(self._means), np.zeros_like(self._means)
        for now, then, used in steps:
            rise = self._means[:, then] - origin[:, now]
            np.add(rises[:, now], rise, out=rises[:, now], where=used)
            rise *= self._hour[then] - self._hour[now]
            np.add(weighted[:, now], rise, out=weighted[:, now], where=used)
        sum_h, at = self._hours.since(begin), self._since
        sum_t = sum_h - count * at
        sum_tt = self._squares.since(begin) - 2 * at * sum_h + count * at * at
        slope: Floats = (count * weighted - sum_t * rises) / (count * sum_tt - sum_t * sum_t)
        return slope


class _Step(NamedTuple):
    """Rows, those so many before them, and where these belong to the windows, shape (sensors, rows)."""

    now: slice
    then: slice
    used: Flags


class _Sums:
    """Sums of whole numbers over windows, exact."""

    def __init__(self, told: Flags, heard: Flags, numbers: Ints) -> None:
        """One number for each row; it counts for later rows where it is told, for its own where it is heard."""
        self._own = np.where(heard, numbers, 0)
        self._before = np.zeros((len(told), len(numbers) + 1), dtype=np.int64)
        np.cumsum(np.where(told, numbers, 0), axis=1, out=self._before[:, 1:])

    def since(self, begin: Ints) -> Ints:
        """From the row `begin` up to each row, shape (sensors, n)."""
        total: Ints = self._before[:, :-1] - self._before[:, begin] + self._own
        return total


def _nearest(features: dict[str, Floats], sensors: SensorSet, count: int) -> tuple[Floats, Floats]:
    """`limit_share` and `days_to_limit` of each row, shape (n,) each; see `vector`."""
    share, days = np.full(count, np.nan), np.full(count, np.nan)
    for sensor in sensors.sensors:
        if sensor.name in sensors.operating:
            continue
        mean, slope = features[f"{sensor.name}_mean_24h"], features[f"{sensor.name}_slope_{vector.LONG_WINDOW}h"]
        span = np.where(mean >= sensor.usual, sensor.high, sensor.low) - sensor.usual
        share = np.fmax(share, (mean - sensor.usual) / span)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            ahead = (np.where(slope > 0, sensor.high, sensor.low) - mean) / slope / HOURS_PER_DAY
        ahead = np.where(np.isnan(slope) | (slope == 0), vector.MOST_DAYS, np.clip(ahead, 0.0, vector.MOST_DAYS))
        days = np.fmin(days, np.where(np.isnan(mean), np.nan, ahead))
    return np.array([round(value, vector.SHARE_DIGITS) for value in share.tolist()]), days

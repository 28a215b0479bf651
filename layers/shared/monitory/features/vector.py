"""Level 2 of the features: a machine's recent hour rows -> what a model sees.

The newest hour row gives ``<name>``, ``<name>_rollmean``, ``<name>_rollstd`` and ``power_factor``. Its
history gives, for each sensor and each window of the last w clock hours (the newest one included),

- ``<name>_mean_<w>h``: the mean of the hourly means,
- ``<name>_std_<w>h``: their standard deviation (divisor n-1),
- ``<name>_slope_<w>h``: the least-squares slope in the sensor's unit per hour,
  (n sum(t x) - sum(t) sum(x)) / (n sum(t^2) - sum(t)^2), also over a week, where it says most of all.

Over all sensors that tell of wear, ``limit_share`` is the largest share of the way from its normal value to an alert
limit that a sensor's ``mean_24h`` has gone, and ``days_to_limit`` the fewest days in which one's ``slope_168h`` leads
from there to the limit, at most 999. A few failures in each of many ways teach little of each; what they have in common
is that a sensor nears its limit.

``hours_since_failure`` is the number of hours since the machine's last hour of failure before the newest one, NaN
where none is known: wear goes with running time.

A repair makes another machine of it: hours up to its last failure are no history. Hours without a row, hours in
which the machine stood still and hours in which the sensor was silent are left out of the sums; they are never taken
for 0. What too few hours are left for (1 for the mean, 2 for std and slope) is NaN.

This is the definition, which serving computes for the newest hour. Training computes whole histories at once by the
array form in `monitory_retrain.dataset.feature_matrix`, which a parity test holds to this one.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import compress
from math import isnan, nan, sqrt
from operator import mul
from typing import NamedTuple

from monitory.clock import HOURS_PER_DAY
from monitory.features.hour_row import POWER_FACTOR, Columns, HourRow, off_rule
from monitory.sensors import SensorSet

SCHEMA = 1
"""Raised whenever a feature's meaning changes; caches and model cards carry it."""

WINDOWS = (5, 24, 72)
"""Hours of history; ascending."""

LONG_WINDOW = 168
"""Hours over which only the slope is taken."""

HISTORY_HOURS = LONG_WINDOW

EQUIPMENT = "equipment"
"""The categorical feature of older models: the machine's equipId."""

AGE = "hours_since_failure"

LIMIT_SHARE, DAYS_TO_LIMIT = "limit_share", "days_to_limit"
"""The features of whichever sensor is nearest to its limit; see `nearest`."""

MOST_DAYS = 999.0
"""A limit that is farther away, or that nothing leads to."""

SHARE_DIGITS = 6
"""Of `limit_share`; so coarse that limits which are none, 1e30 say, give the same share always."""

SNAPSHOT = ("", "_rollmean", "_rollstd")
"""What of an hour row is a feature by itself."""
_DAY_MEAN = 3 * WINDOWS.index(24)  # where a sensor's trends have its mean of a day


@lru_cache(maxsize=16)
def names(sensors: SensorSet) -> tuple[str, ...]:
    """The features of a sensor set, in the order of `build`."""
    features = [name + suffix for name in sensors.names for suffix in SNAPSHOT]
    if sensors.power_factor:
        features.append(POWER_FACTOR)
    for name in sensors.names:
        for window in WINDOWS:
            features += (f"{name}_mean_{window}h", f"{name}_std_{window}h", f"{name}_slope_{window}h")
        features.append(f"{name}_slope_{LONG_WINDOW}h")
    return (*features, LIMIT_SHARE, DAYS_TO_LIMIT, AGE)


def trained(sensors: SensorSet) -> tuple[str, ...]:
    """The features that our own models are trained on: age, and each sensor's means and slopes.

    On public run-to-failure data (`make bench-quality`) snapshots and deviations add nothing to these but noise.
    Operating sensors tell no wear.
    """
    features = [AGE, LIMIT_SHARE, DAYS_TO_LIMIT]
    for name in (name for name in sensors.names if name not in sensors.operating):
        features += [f"{name}_{kind}_{window}h" for window in WINDOWS for kind in ("mean", "slope")]
        features.append(f"{name}_slope_{LONG_WINDOW}h")
    return tuple(features)


def sensor_of(feature: str, sensors: SensorSet) -> str:
    """The sensor that a feature is computed from; the feature's own name where it is no single one's.

    >>> from monitory.sensors import load
    >>> sensor_of("active_power_slope_24h", load())
    'active_power'
    """
    return _owner(feature, sensors.names)


@lru_cache(maxsize=4096)
def _owner(feature: str, names: tuple[str, ...]) -> str:
    if feature == POWER_FACTOR:  # a sensor may be called "power"
        return feature
    owners = [name for name in names if feature == name or feature.startswith(name + "_")]
    return max(owners, key=len, default=feature)


def build(history: Sequence[HourRow], sensors: SensorSet, last_failure: int | None) -> list[float]:
    """The features at the newest hour of a history, in the order of `names`.

    Args:
        history: hour rows of one machine, oldest first; rows older than the longest window are ignored. For a model
            that knows regimes, in terms of the reference regime (`Regimes.normalised`).
        sensors: the sensor set of the rows.
        last_failure: the machine's last hour of failure before the newest row; None where none is known.
    """
    newest = history[-1]
    first = newest.hour - HISTORY_HOURS
    if last_failure is not None:
        first = max(first, last_failure)
    start = len(history) - 1
    while start and history[start - 1].hour > first:
        start -= 1
    is_off = off_rule(sensors)
    rows = [row for row in history[start:-1] if not is_off(row.values)]
    rows.append(newest)
    times = [row.hour - newest.hour for row in rows]
    spans = _spans(times)

    values = newest.values
    snapshot: list[float] = []
    trends: list[float] = []
    columns = Columns(sensors)
    kinds = [columns.indices(statistic) for statistic in ("mean", "rollmean", "rollstd")]
    for mean, rollmean, rollstd in zip(*kinds, strict=True):
        snapshot += (values[mean], values[rollmean], values[rollstd])
        series = [row.values[mean] for row in rows]
        sensor_spans = spans
        if any(map(isnan, series)):
            present = [not isnan(x) for x in series]
            series, sensor_spans = list(compress(series, present)), _spans(list(compress(times, present)))
        for span in sensor_spans[:-1]:
            trends += _trend(series[span.begin :], span)
        trends.append(_slope(series, sensor_spans[-1]))
    if sensors.power_factor:
        snapshot.append(values[-1])
    age = nan if last_failure is None else float(newest.hour - last_failure)
    limits = _limits(trends, sensors)
    share = max((limit.share for limit in limits), default=nan)
    days = min((limit.days for limit in limits), default=nan)
    return [*snapshot, *trends, share, days, age]


def nearest(features: Mapping[str, float], sensors: SensorSet) -> dict[str, str]:
    """The sensors that `limit_share` and `days_to_limit` are of, given a row's features by name."""
    trends = [
        features[f"{name}_{kind}_{window}h"]
        for name in sensors.names
        for window, kinds in (*((window, ("mean", "std", "slope")) for window in WINDOWS), (LONG_WINDOW, ("slope",)))
        for kind in kinds
    ]
    limits = _limits(trends, sensors)
    if not limits:
        return {}
    return {
        LIMIT_SHARE: max(limits, key=lambda limit: limit.share).sensor,
        DAYS_TO_LIMIT: min(limits, key=lambda limit: limit.days).sensor,
    }


def limit_shares(features: Mapping[str, float], sensors: SensorSet) -> dict[str, float]:
    """How far each sensor's mean of a day has gone from its usual value to an alert limit, given a row's features.

    -1 is the lower limit, 0 the usual value, 1 the upper limit; NaN for a silent sensor. Operating sensors have none.
    """
    shares = {}
    for sensor in sensors.sensors:
        if sensor.name not in sensors.operating:
            distance = features[f"{sensor.name}_mean_24h"] - sensor.usual
            span = sensor.high - sensor.usual if distance >= 0 else sensor.usual - sensor.low
            shares[sensor.name] = distance / span
    return shares


class _Limit(NamedTuple):
    """How near a sensor is to its alert limit; see the module."""

    sensor: str
    share: float
    days: float


def _limits(trends: Sequence[float], sensors: SensorSet) -> list[_Limit]:
    """Of each sensor that was heard within a day and tells of wear."""
    limits = []
    width = len(trends) // len(sensors.sensors)
    for at, sensor in enumerate(sensors.sensors):
        mean, slope = trends[at * width + _DAY_MEAN], trends[(at + 1) * width - 1]
        if isnan(mean) or sensor.name in sensors.operating:
            continue
        limit = sensor.high if mean >= sensor.usual else sensor.low
        share = round((mean - sensor.usual) / (limit - sensor.usual), SHARE_DIGITS)
        ahead = sensor.high if slope > 0 else sensor.low
        days = (ahead - mean) / slope / HOURS_PER_DAY if slope else MOST_DAYS  # NaN is true
        limits.append(_Limit(sensor.name, share, MOST_DAYS if isnan(days) else min(max(days, 0.0), MOST_DAYS)))
    return limits


class _Span(NamedTuple):
    """A window's part of a history: from which row on, its hours t (0 is the newest) and n sum(t^2) - sum(t)^2."""

    begin: int
    times: list[int]
    sum_t: int
    divisor: int


def _spans(times: list[int]) -> list[_Span]:
    """The spans of `WINDOWS` and, last, of `LONG_WINDOW`; many sensors share them."""
    begins = [next((i for i, time in enumerate(times) if time > -window), len(times)) for window in WINDOWS]
    spans = []
    for begin in (*begins, 0):
        ts = times[begin:]
        sum_t = sum(ts)
        spans.append(_Span(begin, ts, sum_t, len(ts) * sum(map(mul, ts, ts)) - sum_t * sum_t))
    return spans


def _trend(xs: list[float], span: _Span) -> tuple[float, float, float]:
    """Mean, standard deviation and slope of a span's values."""
    n = len(xs)
    if not n:
        return nan, nan, nan
    mean = sum(xs) / n
    if n == 1:
        return mean, nan, nan
    deviations = [x - mean for x in xs]
    return mean, sqrt(sum(map(mul, deviations, deviations)) / (n - 1)), _slope(xs, span)


def _slope(xs: list[float], span: _Span) -> float:
    """Least-squares slope of a span's values; they are taken from the first one, so that the sums don't cancel."""
    n = len(xs)
    if n < 2:
        return nan
    origin = xs[0]
    rises = [x - origin for x in xs]
    slope: float = (n * sum(map(mul, span.times, rises)) - span.sum_t * sum(rises)) / span.divisor
    return slope

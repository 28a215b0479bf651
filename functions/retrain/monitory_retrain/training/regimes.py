"""Finds the operating regimes of a factory's machines (`monitory.features.regimes`) by clustering their set points.

The operating sensors' hourly means, in units of their standard deviations, are clustered by k-means for each k; the k
is taken whose clusters stand apart most clearly (Rousseeuw, "Silhouettes", 1987). No label has a part in it: where
machines run in another regime only because they are worn, that wear is taken for the regime's.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from monitory.features.hour_row import Columns
from monitory.features.regimes import Regime, Regimes
from monitory.sensors import SensorSet
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.hour_table import HourTable

MOST_REGIMES = 10
MIN_SILHOUETTE = 0.7
"""Set points that stand less clearly apart are one regime: a machine's own variation, or a ramp. From here on
Kaufman and Rousseeuw ("Finding Groups in Data", 1990) call a structure strong."""

MIN_HOURS = 50
"""With fewer hours in it a regime's means and deviations are not known, so it counts as not seen."""

_SAMPLE = 1000
_NEAR_SHARE = 0.99
_MARGIN = 2.0
_LEAST_RADIUS = 0.05


def learn(table: HourTable, rows: npt.NDArray[np.bool_], sensors: SensorSet) -> Regimes | None:
    """The regimes that some hour rows are of.

    Args:
        table: hour rows.
        rows: which ones to learn from, shape (n,): of running machines, and none that judges models.
        sensors: the sensor set that they were made with.

    Returns:
        None where the set names no operating sensors, or where one regime is all there is.
    """
    if not sensors.operating:
        return None
    settings = _means(table, sensors, sensors.operating)
    rows = rows & ~np.isnan(settings).any(axis=1)
    if rows.sum() < 2 * MIN_HOURS:
        return None
    settings = settings[rows]
    spreads = settings.std(axis=0)
    spreads[spreads == 0] = 1.0
    points = settings / spreads
    clusters = _clusters(points)
    if clusters is None:
        return None
    centres, distance, nearest = _assigned(points, clusters)
    radius = max(_MARGIN * float(np.quantile(distance, _NEAR_SHARE)), _LEAST_RADIUS)
    hours = np.bincount(nearest[distance <= radius], minlength=len(centres))
    kept = [number for number in np.argsort(-hours, kind="stable").tolist() if hours[number] >= MIN_HOURS]
    if len(kept) < 2:
        return None
    described = [name for name in sensors.names if name not in sensors.operating]
    values = _means(table, sensors, described)[rows]
    moments = [_moments(values[(nearest == number) & (distance <= radius)]) for number in kept]
    mean_ref, std_ref = moments[0]
    regimes = []
    for number, (mean, std) in zip(kept, moments, strict=True):
        # a sensor that does not vary in a regime tells nothing there, and must not tell its rounding errors
        tells = (std > 0) & (std_ref > 0)
        scales = np.where(tells, std_ref / np.where(tells, std, 1.0), 0.0)
        offsets = np.nan_to_num(mean_ref - np.where(tells, mean * scales, 0.0))
        centre = (centres[number] * spreads).tolist()
        regimes.append(Regime(tuple(centre), tuple(scales.tolist()), tuple(offsets.tolist()), int(hours[number])))
    return Regimes(sensors.operating, tuple(spreads.tolist()), radius, tuple(described), tuple(regimes))


def _means(table: HourTable, sensors: SensorSet, names: Sequence[str]) -> Floats:
    """The hourly means of some sensors, shape (n, sensors)."""
    columns = [Columns(sensors).index(name, "mean") for name in names]
    means = np.empty((len(table), len(columns)))
    for part in table.parts():
        means[part] = table.values[part][:, columns]
    return means


def _clusters(points: Floats) -> Floats | None:
    """The centres of clusters that stand clearly apart, shape (k, settings); None where there are none."""
    from sklearn.cluster import KMeans  # only learning pays for it
    from sklearn.metrics import silhouette_score

    sample = points[np.linspace(0, len(points) - 1, min(len(points), _SAMPLE)).astype(int)]
    most = min(MOST_REGIMES, len(np.unique(sample, axis=0)), len(sample) - 1)
    best, best_score = None, MIN_SILHOUETTE
    for count in range(2, most + 1):
        with threadpool_limits(1):  # so few points are clustered sooner than threads agree
            found = KMeans(count, n_init=4, random_state=0).fit(sample)
        score = float(silhouette_score(sample, found.labels_))
        if score > best_score:
            best, best_score = found.cluster_centers_, score
    return best


def _assigned(points: Floats, centres: Floats) -> tuple[Floats, Floats, Ints]:
    """The centres moved to the means of all their points, each point's distance to the nearest, and which that is."""
    for _ in range(2):
        distances = np.stack([np.sqrt(((points - centre) ** 2).sum(axis=1)) for centre in centres])
        nearest = distances.argmin(axis=0)
        distance = distances.min(axis=0)
        centres = np.stack([points[nearest == number].mean(axis=0) for number in range(len(centres))])
    return centres, distance, nearest


def _moments(values: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each sensor; a deviation that is nothing but rounding is 0."""
    heard = ~np.isnan(values)
    count = np.maximum(heard.sum(axis=0), 1)
    mean = np.where(heard.any(axis=0), np.nansum(values, axis=0) / count, np.nan)
    std = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / count)
    return mean, np.where(std > 1e-9 * np.maximum(np.abs(mean), 1e-300), std, 0.0)

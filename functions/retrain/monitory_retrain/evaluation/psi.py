"""The population stability index of a feature: how far its values are from those in training.

PSI = sum((a - e) ln(a / e)) over the shares of bins, e in training and a now (Siddiqi, "Credit Risk Scorecards", 2006).
The bins are the deciles of training, and one for missing values.
"""

import msgspec
import numpy as np

from monitory_retrain.array_types import Floats, Ints

BINS = 10
FLOOR = 1e-3
"""The smallest share of a bin: an empty one would make PSI infinite."""

MIN_DAYS = 5
"""Days of training needed for a usual PSI."""

MIN_ROWS = 24
"""Rows needed to judge a day."""


class Histogram(msgspec.Struct, frozen=True):
    """The values of a feature in training. The field names are the stored format.

    Attributes:
        edges: the bins' inner edges, ascending; a value on an edge belongs to the bin above it.
        shares: of each bin, and of missing values at the end; they sum to 1.
        median: None where all values are missing.
        usual: mean PSI of a single day against the others; None with too few days.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    median: float | None
    usual: float | None


def psi(expected: Floats, actual: Floats) -> Floats:
    """The population stability index of shares, over the last axis; 0 where they are equal."""
    e, a = np.maximum(expected, FLOOR), np.maximum(actual, FLOOR)
    index: Floats = ((a - e) * np.log(a / e)).sum(axis=-1)
    return index


def psi_of(values: Floats, training: Histogram) -> float:
    """The PSI of values, shape (n,), n > 0, against a histogram; NaN is missing."""
    counts = _bin_counts(values, np.array(training.edges))
    return float(psi(np.array(training.shares), counts / counts.sum()))


def histogram(values: Floats, day: Ints) -> Histogram:
    """The histogram of values, shape (n,), n > 0; `day` is each one's day number, NaN is missing."""
    present = values[~np.isnan(values)]
    edges, median = np.empty(0), None
    if len(present):
        quantiles = np.quantile(present, np.arange(1, BINS) / BINS).tolist()
        edges = np.unique([_short(edge) for edge in quantiles])
        median = _short(float(np.median(present)))
    counts = np.array([_bin_counts(values[day == one], edges) for one in np.unique(day)])
    total = counts.sum(axis=0)
    return Histogram(
        tuple(edges.tolist()), tuple(_short(share) for share in (total / total.sum()).tolist()), median, _usual(counts)
    )


def _usual(counts: Ints) -> float | None:
    """Mean PSI of each day's counts, shape (days, bins), against the other days'."""
    counts = counts[counts.sum(axis=1) >= MIN_ROWS]
    if len(counts) < MIN_DAYS:
        return None
    others = counts.sum(axis=0) - counts
    single = psi(others / others.sum(axis=1, keepdims=True), counts / counts.sum(axis=1, keepdims=True))
    return _short(float(single.mean()))


def _bin_counts(values: Floats, edges: Floats) -> Ints:
    """Values in each bin, missing ones at the end."""
    missing = np.isnan(values)
    bins = np.where(missing, len(edges) + 1, np.searchsorted(edges, np.where(missing, 0.0, values), side="right"))
    return np.bincount(bins, minlength=len(edges) + 2)


def _short(value: float) -> float:
    """Six significant digits: enough for shares and edges, and a third of the card's size."""
    return float(f"{value:.6g}")

"""Drift: whether the machines still look as they did when a model was trained.

A feature's values are counted in the deciles of training, missing ones in a bin of their own, and compared by the
population stability index PSI = sum((a - e) ln(a / e)) over the bins' shares, e in training and a now (Siddiqi,
"Credit Risk Scorecards", 2006; bins that are empty count as `FLOOR`).

The customary limits, 0.1 to watch and 0.25 for moved, suppose thousands of independent rows. Undrifted, PSI is about
(bins - 1)(1/n + 1/m) (Yurdakul, "Statistical Properties of Population Stability Index", 2018), and the hours of one
machine's day are near copies, so n is nearer the number of machines than that of rows: single days of an undrifted
factory of 20 machines have a mean PSI of 0.03 to 0.4. What is usual is therefore measured in training: the mean PSI of
its single days, each against the other days, which has the load of weekdays and machines at any age in it. A feature's
PSI is then told as a multiple of the usual, and a sensor's as the root mean square over its features: it isn't deaf to
a jump that shows in few features as a mean would be, and doesn't jump at the noisiest as a maximum would.

Measured, as the share of nights in which any sensor alarms though nothing drifted:

- a month of the simulated factory (387 nights: random 6, 10 or 20 of its machines, 10 to 18 days of training, every
  later day, six sensors): moved 0 %, watch 5 %; at the customary limit of 0.25 it would be every night;
- 12 machines with a daily load and levels that wander over days (600 nights, 8 to 18 days of training, three sensors):
  moved 2 %, watch 8 %.

A sensor that jumps at midnight by one standard deviation of its daily means has moved the same day in two of three
cases and is watched in most others; by two standard deviations it has moved in 94 %.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from monitory.clock import HOURS_PER_DAY, date_of_hour
from monitory.features.vector import sensor_of
from monitory.sensors import SensorSet
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.phrases import about, figure

BINS = 10
FLOOR = 1e-3
"""The least share of a bin: an empty one would make PSI infinite."""

WARM_UP_DAYS = 3
"""The range's first days are no reference: their features have hardly any history."""

MIN_DAYS = 5
"""Days of training from which it is told what is usual."""

MIN_ROWS = 24

LEAST_USUAL = 0.02
WATCH, MOVED = 3.0, 4.0
"""Multiples of the usual PSI."""

WATCH_PSI, MOVED_PSI = 0.1, 0.25
"""The customary limits, which at least one feature must pass besides."""

Status = Literal["steady", "watch", "moved"]


class Distribution(msgspec.Struct, frozen=True):
    """How values were distributed in training.

    Attributes:
        edges: the bins' inner edges, ascending; a value on an edge belongs to the bin above it.
        shares: of each bin, and of missing values at the end; they add up to 1.
        median: None where all values were missing.
        usual: mean PSI of a single day against the others; None where there were too few days.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    median: float | None
    usual: float | None


class Reference(msgspec.Struct, frozen=True):
    """What a model card keeps of the training part: rows of running machines, labelled or not.

    Attributes:
        rows, days: how many there were.
        features: distributions by feature.
        predictions: that of the model's answers, days of RUL.
    """

    rows: int
    days: int
    features: dict[str, Distribution]
    predictions: Distribution


class FeatureDrift(msgspec.Struct, frozen=True):
    """A feature's PSI, and how many times the usual that is."""

    feature: str
    psi: float
    times: float


class Moved(msgspec.Struct, frozen=True):
    """What became of a sensor, or of the predictions.

    Attributes:
        name: the sensor; `predictions` for the model's answers.
        status: what to make of it.
        psi: the largest of its features.
        times: root mean square, over its features, of the multiple of the usual PSI.
        sentence: what changed most, in words.
        features: its features, the most changed first.
    """

    name: str
    status: Status
    psi: float
    times: float
    sentence: str
    features: tuple[FeatureDrift, ...] = ()


class Drift(msgspec.Struct, frozen=True):
    """The comparison of a day with a model's training.

    Attributes:
        day: the KST date compared; None where there are no rows at all.
        rows: its rows.
        against: version of the model whose training it is compared with; None for the new model's own.
        unjudged: why nothing can be said; None where it can.
        sensors: the most changed first.
        predictions: the model's answers.
    """

    day: str | None
    rows: int
    against: str | None
    unjudged: str | None
    sensors: tuple[Moved, ...] = ()
    predictions: Moved | None = None

    def named(self, status: Status) -> list[str]:
        """The sensors of a status, the most changed first."""
        return [sensor.name for sensor in self.sensors if sensor.status == status]


PREDICTIONS = "predictions"


class _Carded(msgspec.Struct, frozen=True):
    reference: Reference | None = None


def of_card(card: bytes) -> Reference | None:
    """The reference in a model card's JSON; None where it has none that can be read."""
    try:
        return msgspec.json.decode(card, type=_Carded).reference
    except msgspec.MsgspecError:
        return None


def reference(rows: Dataset, features: Sequence[str], predicted: Floats) -> Reference | None:
    """The reference for a model card.

    Args:
        rows: running machines' rows of the training part.
        features: those that the model uses.
        predicted: the model's answers for these rows, days, shape (n,).

    Returns:
        None when there are fewer than `MIN_ROWS` rows after the warm-up.
    """
    day = rows.hour // HOURS_PER_DAY
    used = day >= (day.min() + WARM_UP_DAYS if len(day) else 0)
    if used.sum() < MIN_ROWS:
        return None
    day = day[used]
    return Reference(
        rows=int(used.sum()),
        days=len(np.unique(day)),
        features={name: _distribution(rows.x[used, rows.names.index(name)], day) for name in features},
        predictions=_distribution(predicted[used], day),
    )


def compare(
    known: Reference | None, rows: Dataset, predicted: Floats, sensors: SensorSet, against: str | None = None
) -> Drift:
    """Compare a day's rows with a model's reference.

    Args:
        known: from the model's card.
        rows: running machines' rows of one KST date; features that the reference knows and they lack are passed over.
        predicted: that model's answers for these rows, days, shape (n,).
        sensors: the sensor set, for the owners of features and their units.
        against: version of the model, None for the new one itself.
    """
    day = str(date_of_hour(int(rows.hour.max()))) if len(rows) else None
    fault = _unjudged(known, rows)
    if known is None or fault:
        return Drift(day, len(rows), against, fault)
    thinner = max(1.0, known.rows / known.days / len(rows))  # PSI of undrifted rows goes with 1 / n
    found: dict[str, list[FeatureDrift]] = {name: [] for name in sensors.names}
    for feature, distribution in known.features.items():
        owner = sensor_of(feature, sensors)
        if owner in found and feature in rows.names:
            values = rows.x[:, rows.names.index(feature)]
            found[owner].append(_feature(feature, distribution, values, thinner))
    moved = [_moved(sensor, drifts, known, rows, sensors) for sensor, drifts in found.items() if drifts]
    answers = _feature(PREDICTIONS, known.predictions, predicted, thinner)
    told = f"predicted RUL: median {_median(predicted, 'days')}, {figure(known.predictions.median, 'days')} in training"
    return Drift(
        day,
        len(rows),
        against,
        None,
        tuple(sorted(moved, key=lambda sensor: -sensor.times)),
        Moved(PREDICTIONS, _status(answers.times, answers.psi), answers.psi, answers.times, told),
    )


def psi(expected: Floats, actual: Floats) -> Floats:
    """The population stability index of shares, over the last axis; 0 where they are equal."""
    e, a = np.maximum(expected, FLOOR), np.maximum(actual, FLOOR)
    index: Floats = ((a - e) * np.log(a / e)).sum(axis=-1)
    return index


def _unjudged(known: Reference | None, rows: Dataset) -> str | None:
    if known is None:
        return "the model's card keeps no distribution of its training data"
    if known.predictions.usual is None:
        return f"training had {known.days} full days, {MIN_DAYS} are needed to know what is usual"
    if len(rows) < MIN_ROWS:
        return f"{len(rows)} hours of running machines on the last day, {MIN_ROWS} are needed"
    return None


def _distribution(values: Floats, day: Ints) -> Distribution:
    heard = values[~np.isnan(values)]
    edges, median = np.empty(0), None
    if len(heard):
        quantiles = np.quantile(heard, np.arange(1, BINS) / BINS).tolist()
        edges = np.unique([_short(edge) for edge in quantiles])
        median = _short(float(np.median(heard)))
    counts = np.array([_counts(values[day == one], edges) for one in np.unique(day)])
    total = counts.sum(axis=0)
    return Distribution(
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


def _counts(values: Floats, edges: Floats) -> Ints:
    """Values in each bin, missing ones at the end."""
    missing = np.isnan(values)
    bins = np.where(missing, len(edges) + 1, np.searchsorted(edges, np.where(missing, 0.0, values), side="right"))
    return np.bincount(bins, minlength=len(edges) + 2)


def _feature(feature: str, known: Distribution, values: Floats, thinner: float) -> FeatureDrift:
    counts = _counts(values, np.array(known.edges))
    index = float(psi(np.array(known.shares), counts / counts.sum()))
    return FeatureDrift(feature, index, index / (max(known.usual or 0.0, LEAST_USUAL) * thinner))


def _moved(sensor: str, drifts: list[FeatureDrift], known: Reference, rows: Dataset, sensors: SensorSet) -> Moved:
    drifts = sorted(drifts, key=lambda drift: -drift.times)
    times = float(np.sqrt(np.mean([drift.times**2 for drift in drifts])))
    largest = max(drift.psi for drift in drifts)
    first = next((drift.feature for drift in drifts if _tells_level(drift)), drifts[0].feature)
    sentence = _sentence(sensor, first, known.features[first], rows.x[:, rows.names.index(first)], sensors)
    return Moved(sensor, _status(times, largest), largest, times, sentence, tuple(drifts))


def _tells_level(drift: FeatureDrift) -> bool:
    """Whether a change of level, which is easier to understand than one of a trend, is worth telling."""
    return "_mean_" in drift.feature and drift.times > WATCH


def _sentence(sensor: str, feature: str, known: Distribution, values: Floats, sensors: SensorSet) -> str:
    missing = float(np.isnan(values).mean())
    if abs(missing - known.shares[-1]) > 0.2:
        return f"{sensor} is missing in {missing:.0%} of the hours, in training in {known.shares[-1]:.0%}"
    what, unit = about(feature, sensors)
    return f"{sensor}: median {what} {_median(values, unit)}, {figure(known.median, unit)} in training"


def _median(values: Floats, unit: str) -> str:
    heard = values[~np.isnan(values)]
    return figure(float(np.median(heard)) if len(heard) else None, unit)


def _status(times: float, largest: float) -> Status:
    if times > MOVED and largest > MOVED_PSI:
        return "moved"
    return "watch" if times > WATCH and largest > WATCH_PSI else "steady"


def _short(value: float) -> float:
    """Six significant digits: enough for shares and edges, and a third of the card's size."""
    return float(f"{value:.6g}")

"""Drift: whether the machines still look as they did when a model was trained.

The customary limits of PSI (see `psi`), 0.1 to watch and 0.25 for moved, suppose thousands of independent rows.
Undrifted, PSI is about (bins - 1)(1/n + 1/m) (Yurdakul, "Statistical Properties of Population Stability Index", 2018),
and the hours of one machine's day are near copies, so n is nearer the number of machines than that of rows: single days
of an undrifted factory of 20 machines have a mean PSI of 0.03 to 0.4. The usual PSI is therefore measured in training:
the mean of its single days, each against the other days, which covers the load of weekdays and machines of any age. A
feature's drift is the ratio of its PSI to the usual one, a sensor's the root mean square over its features: unlike a
mean it notices a jump that shows in few features, unlike a maximum it does not jump at the noisiest.

Measured, as the share of nights in which any sensor alarms though nothing drifted:

- a month of the simulated factory (387 nights: random 6, 10 or 20 of its machines, 10 to 18 days of training, every
  later day, six sensors): moved 0 %, watch 5 %; at the customary limit of 0.25 it would be every night;
- 12 machines with a daily load and levels that wander over days (600 nights, 8 to 18 days of training, three sensors):
  moved 2 %, watch 8 %.

A sensor that jumps at midnight by one standard deviation of its daily means has moved the same day in two of three
cases and is watched in most others; by two standard deviations it has moved in 94 %.
"""

from typing import Literal

import msgspec
import numpy as np

from monitory.clock import date_of_hour
from monitory.features.vector import sensor_of
from monitory.sensors import SensorSet
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.evaluation.drift_reference import Reference, of_card, reference
from monitory_retrain.evaluation.phrases import about, figure
from monitory_retrain.evaluation.psi import MIN_DAYS, MIN_ROWS, Histogram, psi_of

__all__ = ["Drift", "Reference", "SensorDrift", "compare", "of_card", "reference"]

LEAST_USUAL = 0.02
WATCH, MOVED = 3.0, 4.0
"""Ratios to the usual PSI."""

WATCH_PSI, MOVED_PSI = 0.1, 0.25
"""The customary limits, which at least one feature must pass as well."""

PREDICTIONS = "predictions"

Status = Literal["steady", "watch", "moved"]


class FeatureDrift(msgspec.Struct, frozen=True):
    """A feature's PSI, and its ratio to the usual PSI."""

    feature: str
    psi: float
    ratio: float


class SensorDrift(msgspec.Struct, frozen=True):
    """The drift of a sensor, or of the predictions.

    Attributes:
        name: the sensor; `predictions` for the model's predictions.
        status: the judgement.
        psi: the largest of its features.
        ratio: root mean square of its features' ratios to the usual PSI.
        sentence: the largest change, in words.
        features: its features, the largest drift first.
    """

    name: str
    status: Status
    psi: float
    ratio: float
    sentence: str
    features: tuple[FeatureDrift, ...] = ()


class Drift(msgspec.Struct, frozen=True):
    """The comparison of a day with a model's training.

    Attributes:
        day: the KST date compared; None without rows.
        rows: its rows.
        against: version of the model whose training is the reference; None for the new model's own.
        unjudged: why there is no judgement; None where there is one.
        sensors: the largest drift first.
        predictions: the model's predictions.
    """

    day: str | None
    rows: int
    against: str | None
    unjudged: str | None
    sensors: tuple[SensorDrift, ...] = ()
    predictions: SensorDrift | None = None

    def with_status(self, status: Status) -> list[str]:
        """The names of the sensors of a status, the largest drift first."""
        return [sensor.name for sensor in self.sensors if sensor.status == status]


def compare(
    training: Reference | None, rows: Dataset, predicted: Floats, sensors: SensorSet, against: str | None = None
) -> Drift:
    """Compare a day's rows with a model's training.

    Args:
        training: the reference of the model's card.
        rows: running machines' rows of one KST date; features of the reference that they lack are skipped.
        predicted: that model's predictions for these rows, days, shape (n,).
        sensors: the sensor set, for the owners of features and their units.
        against: version of the model, None for the new one itself.
    """
    day = str(date_of_hour(int(rows.hour.max()))) if len(rows) else None
    obstacle = _obstacle(training, rows)
    if training is None or obstacle:
        return Drift(day, len(rows), against, obstacle)
    thinner = max(1.0, training.rows / training.days / len(rows))  # PSI of undrifted rows goes with 1 / n
    by_sensor: dict[str, list[FeatureDrift]] = {name: [] for name in sensors.names}
    for feature, histogram in training.features.items():
        owner = sensor_of(feature, sensors)
        if owner in by_sensor and feature in rows.names:
            by_sensor[owner].append(_feature_drift(feature, histogram, rows.column(feature), thinner))
    drifts = [_sensor_drift(name, parts, training, rows, sensors) for name, parts in by_sensor.items() if parts]
    overall = _feature_drift(PREDICTIONS, training.predictions, predicted, thinner)
    usual = figure(training.predictions.median, "days")
    sentence = f"predicted RUL: median {_median(predicted, 'days')}, {usual} in training"
    return Drift(
        day,
        len(rows),
        against,
        None,
        tuple(sorted(drifts, key=lambda sensor: -sensor.ratio)),
        SensorDrift(PREDICTIONS, _status(overall.ratio, overall.psi), overall.psi, overall.ratio, sentence),
    )


def _obstacle(training: Reference | None, rows: Dataset) -> str | None:
    """Why a day cannot be judged; None where it can."""
    if training is None:
        return "the model's card keeps no distribution of its training data"
    if training.predictions.usual is None:
        return f"training had {training.days} full days, {MIN_DAYS} are needed to know what is usual"
    if len(rows) < MIN_ROWS:
        return f"{len(rows)} hours of running machines on the last day, {MIN_ROWS} are needed"
    return None


def _feature_drift(feature: str, training: Histogram, values: Floats, thinner: float) -> FeatureDrift:
    index = psi_of(values, training)
    return FeatureDrift(feature, index, index / (max(training.usual or 0.0, LEAST_USUAL) * thinner))


def _sensor_drift(
    sensor: str, features: list[FeatureDrift], training: Reference, rows: Dataset, sensors: SensorSet
) -> SensorDrift:
    features = sorted(features, key=lambda drift: -drift.ratio)
    ratio = float(np.sqrt(np.mean([drift.ratio**2 for drift in features])))
    largest = max(drift.psi for drift in features)
    first = next((drift.feature for drift in features if _is_level(drift)), features[0].feature)
    sentence = _sentence(sensor, first, training.features[first], rows.column(first), sensors)
    return SensorDrift(sensor, _status(ratio, largest), largest, ratio, sentence, tuple(features))


def _is_level(drift: FeatureDrift) -> bool:
    """Whether a level has changed, which is easier to understand than a trend."""
    return "_mean_" in drift.feature and drift.ratio > WATCH


def _sentence(sensor: str, feature: str, training: Histogram, values: Floats, sensors: SensorSet) -> str:
    missing = float(np.isnan(values).mean())
    if abs(missing - training.shares[-1]) > 0.2:
        return f"{sensor} is missing in {missing:.0%} of the hours, in training in {training.shares[-1]:.0%}"
    what, unit = about(feature, sensors)
    return f"{sensor}: median {what} {_median(values, unit)}, {figure(training.median, unit)} in training"


def _median(values: Floats, unit: str) -> str:
    present = values[~np.isnan(values)]
    return figure(float(np.median(present)) if len(present) else None, unit)


def _status(ratio: float, largest: float) -> Status:
    if ratio > MOVED and largest > MOVED_PSI:
        return "moved"
    return "watch" if ratio > WATCH and largest > WATCH_PSI else "steady"

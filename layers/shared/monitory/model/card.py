"""The model card: what a model says of itself, and the interval of its predictions."""

import math
from bisect import bisect_right
from datetime import datetime
from typing import Annotated

import msgspec

from monitory.errors import UNDECODABLE, BrokenModel, SensorSetError
from monitory.features.regimes import Regimes
from monitory.model.distribution import Distribution
from monitory.model.failure_modes import FailureModes
from monitory.sensors import SensorSet


class CalibrationPoint(msgspec.Struct, frozen=True):
    """At a predicted RUL: what to add to it for the interval's ends, in days (`low` is usually negative)."""

    predicted: float
    low: float
    high: float


class Calibration(msgspec.Struct, frozen=True):
    """A conformal interval around predictions, interpolated between points of ascending `predicted`.

    Attributes:
        coverage: the share of true values that intervals are to hold.
        points: how far they reach.
        early_hours: so soon after a failure trends have little to go by.
        early_factor: by how much intervals reach further then.
        unknown_factor: by how much they do where nobody knows when the machine failed last.
    """

    coverage: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    points: Annotated[tuple[CalibrationPoint, ...], msgspec.Meta(min_length=1)]
    early_hours: float = 0.0
    early_factor: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    unknown_factor: Annotated[float, msgspec.Meta(gt=0)] = 1.0

    def interval(self, predicted: float, cap: float, age: float) -> tuple[float, float]:
        """The interval of a prediction, within 0 and the cap, and around the prediction.

        Args:
            predicted: days.
            cap: days.
            age: hours since the machine's last failure; NaN for unknown.
        """
        xs = [point.predicted for point in self.points]
        right = bisect_right(xs, predicted)
        a = self.points[max(right - 1, 0)]
        b = self.points[min(right, len(xs) - 1)]
        share = (predicted - a.predicted) / (b.predicted - a.predicted) if b.predicted > a.predicted else 0.0
        share = min(max(share, 0.0), 1.0)
        factor = self.unknown_factor if math.isnan(age) else self.early_factor if age < self.early_hours else 1.0
        low = predicted + factor * (a.low + share * (b.low - a.low))
        high = predicted + factor * (a.high + share * (b.high - a.high))
        return min(max(low, 0.0), predicted), max(min(high, cap), predicted)


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a version's model card that serving needs; retraining writes more into the file.

    Attributes:
        version: which version.
        trained_at: when training ended, ISO 8601 in UTC.
        feature_schema: `features.SCHEMA` at training.
        sensors: the sensor set that it was trained with.
        cap_days: the largest RUL that the model predicts.
        features: names in the model's order.
        calibration: the interval of models without a distribution; None where it could not be calibrated.
        distribution: of the life left, given the prediction; None for older models and with few failures.
        ranges: the smallest and largest value of features in training.
        hourly_means: the smallest and largest hourly mean of each sensor in training, as it was read; empty in older
            cards.
        machines: equipIds that training saw.
        sha256: of the model text.
        regimes: the operating regimes in whose terms its features are; None where all hours are of one.
        failure_modes: which mode lies ahead; None where the log names none, or too few.
    """

    version: str
    trained_at: str
    feature_schema: int
    sensors: SensorSet
    cap_days: Annotated[float, msgspec.Meta(gt=0, le=3650)]
    features: tuple[str, ...]
    calibration: Calibration | None = None
    distribution: Distribution | None = None
    ranges: dict[str, tuple[float, float]] = {}
    hourly_means: dict[str, tuple[float, float]] = {}
    machines: frozenset[str] = frozenset()
    sha256: str | None = None
    regimes: Regimes | None = None
    failure_modes: FailureModes | None = None

    @property
    def intervals(self) -> Calibration | Distribution | None:
        """What gives predictions their interval."""
        return self.distribution or self.calibration

    def __post_init__(self) -> None:
        """Refuse a time of training without an offset.

        Raises:
            ValueError: it has none, or is no time.
        """
        if datetime.fromisoformat(self.trained_at).tzinfo is None:
            raise ValueError(f"trained_at {self.trained_at!r} has no offset")


def decode_card(text: bytes) -> Card:
    """A model card out of its JSON.

    Raises:
        BrokenModel: it is not one.
    """
    try:
        return msgspec.json.decode(text, type=Card)
    except (*UNDECODABLE, SensorSetError) as exc:
        raise BrokenModel(f"the model card cannot be read: {exc}") from exc

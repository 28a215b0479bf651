"""A served model: LightGBM text and model card -> RUL in days, its interval and its drivers.

Features are matched by name, so that models of other trainers, with their own order and without a card, are
served as well.
"""

import hashlib
import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

from monitory.errors import UNDECODABLE, BrokenModel, SensorSetError
from monitory.features.regimes import Regimes
from monitory.features.vector import AGE, EQUIPMENT
from monitory.model import header
from monitory.model.booster import Booster
from monitory.model.distribution import Distribution
from monitory.model.failure_modes import FailureModes
from monitory.sensors import SensorSet

MAX_MODEL_BYTES = 64 << 20
"""Of a model of ours; one of unknown origin may have fewer, see `untrusted.MAX_BYTES`."""

_PANDAS_CATEGORICAL = b"pandas_categorical:"
_MAX_CATEGORIES_BYTES = 1 << 20


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


class Driver(msgspec.Struct, frozen=True):
    """How much a sensor moves a prediction, in days; negative shortens the RUL."""

    sensor: str
    days: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A prediction.

    Attributes:
        days: RUL in days, within 0 and the cap.
        raw_days: the model's output before it is limited.
        low, high: the ends of the interval; None without a calibration.
        failure_probability: P(failure within so many days), 0..1; empty without a distribution.
        base: the mean prediction, to which the drivers add up.
        contributions: days that each feature adds to `base`; base and these sum up to `raw_days`. Empty for a model
            of another trainer whose objective has a link function: its shares are no days.
    """

    days: float
    raw_days: float
    low: float | None
    high: float | None
    base: float
    contributions: Mapping[str, float]
    failure_probability: Sequence[tuple[int, float]] = ()


class Model:
    """A model that answers by feature name."""

    def __init__(self, text: bytes, card: Card | None, *, feature_names: Sequence[str], cap_days: float) -> None:
        """Load a model and let it answer a self-test row.

        Args:
            text: LightGBM's model text.
            card: its model card; None for models of other trainers.
            feature_names: the features that callers can give, apart from the machine's name.
            cap_days: the cap for a model without a card.

        Raises:
            BrokenModel: the text is no model or no regression, asks for other features, differs from the card, or
                fails its self-test.
        """
        if len(text) > MAX_MODEL_BYTES:
            raise BrokenModel(f"the model has {len(text)} bytes, more than {MAX_MODEL_BYTES}")
        self.card = card
        self.cap_days = card.cap_days if card else cap_days
        self.features = header.read(text).features
        unknown = sorted(set(self.features) - set(feature_names) - {EQUIPMENT})
        if unknown:
            raise BrokenModel(f"the model asks for features that do not exist here: {', '.join(unknown[:8])}")
        self._categories = _categories(text)
        if EQUIPMENT in self.features and self._categories is None:
            raise BrokenModel(f"the model uses {EQUIPMENT!r} without saying its categories")
        self.fingerprint = hashlib.sha256(text).hexdigest()
        if card and card.features != self.features:
            raise BrokenModel(f"the model card of {card.version} lists other features than the model's text")
        if card and card.sha256 not in (None, self.fingerprint):
            raise BrokenModel(f"the model card of {card.version} is of another model: the SHA-256 differs")
        self._booster = Booster(text)
        if self._booster.width != len(self.features):
            raise BrokenModel(f"the model names {len(self.features)} features but takes {self._booster.width}")
        self._self_test()

    def terms(self, sensors: SensorSet) -> SensorSet:
        """The sensor set whose limits the features must be of: the card's, where it has the sensors of the rows.

        Args:
            sensors: the sensor set of the rows.
        """
        own = self.card.sensors if self.card else sensors
        same = (own.names, own.power_factor) == (sensors.names, sensors.power_factor)
        return own if same else sensors

    @property
    def regimes(self) -> Regimes | None:
        """The operating regimes in whose terms the features must be."""
        return self.card.regimes if self.card else None

    def estimate(self, features: Mapping[str, float], equip_id: str) -> Estimate:
        """Predict from features by name; a feature that isn't given counts as missing (NaN).

        Raises:
            BrokenModel: the model answers something that is no number.
        """
        row = self._row(features, equip_id)
        raw = self._booster.predict(row)
        if not math.isfinite(raw):
            raise BrokenModel("the model's answer is not a number")
        *shares, base = self._booster.contributions(row)
        contributions = dict(zip(self.features, shares, strict=True))
        # `fsum` would raise an error where shares are infinite, which `sum` makes a NaN that is close to nothing
        if not math.isclose(base + sum(shares), raw, rel_tol=1e-6, abs_tol=1e-6):
            base, contributions = raw, {}  # the objective transforms the sum, so the shares are no days
        days = min(max(raw, 0.0), self.cap_days)
        intervals = self.card.intervals if self.card else None
        age = features.get(AGE, math.nan)
        low, high = intervals.interval(days, self.cap_days, age) if intervals else (None, None)
        probability = intervals.failure_probability(days) if isinstance(intervals, Distribution) else ()
        return Estimate(days, raw, low, high, base, contributions, probability)

    def failed(self) -> Estimate:
        """The estimate of a machine that fails now: 0 days, for certain, in the model's fields."""
        intervals = self.card.intervals if self.card else None
        end = 0.0 if intervals else None
        probability = intervals.failure_probability(0.0) if isinstance(intervals, Distribution) else ()
        return Estimate(0.0, 0.0, end, end, 0.0, {}, [(days, 1.0) for days, _ in probability])

    def value(self, features: Mapping[str, float], equip_id: str) -> float:
        """Just the RUL in days of `estimate`.

        Raises:
            BrokenModel: the model answers something that is no number.
        """
        return self._days(self._booster.predict(self._row(features, equip_id)))

    def values(self, rows: memoryview) -> list[float]:
        """`value` of many rows.

        Args:
            rows: doubles, shape (n, features), in the order of `features`; NaN is missing, `EQUIPMENT` is a `category`.

        Raises:
            BrokenModel: the model answers something that is no number.
        """
        return [self._days(raw) for raw in self._booster.predict_rows(rows)]

    def category(self, equip_id: str) -> float:
        """The code of a machine's name; NaN where training did not see it."""
        return (self._categories or {}).get(equip_id, math.nan)

    def _days(self, raw: float) -> float:
        if not math.isfinite(raw):
            raise BrokenModel("the model's answer is not a number")
        return min(max(raw, 0.0), self.cap_days)

    def knows_machine(self, equip_id: str) -> bool | None:
        """Whether training saw the machine; None where the model does not tell."""
        if self.card and self.card.machines:
            return equip_id in self.card.machines
        return equip_id in self._categories if self._categories else None

    def _row(self, features: Mapping[str, float], equip_id: str) -> list[float]:
        if EQUIPMENT in self.features:
            features = {**features, EQUIPMENT: self.category(equip_id)}
        return [features.get(name, math.nan) for name in self.features]

    def _self_test(self) -> None:
        for value in (math.nan, 0.0, 1.0):
            self.estimate(dict.fromkeys(self.features, value), "")


def decode_card(text: bytes) -> Card:
    """A model card out of its JSON.

    Raises:
        BrokenModel: it is not one.
    """
    try:
        return msgspec.json.decode(text, type=Card)
    except (*UNDECODABLE, SensorSetError) as exc:
        raise BrokenModel(f"the model card cannot be read: {exc}") from exc


def _categories(text: bytes) -> dict[str, float] | None:
    """Codes of the machines' names, from the line that LightGBM's Python package adds for pandas categoricals."""
    start = text.rfind(_PANDAS_CATEGORICAL)
    if start < 0:
        return None
    line = text[start + len(_PANDAS_CATEGORICAL) :].split(b"\n", 1)[0]
    if len(line) > _MAX_CATEGORIES_BYTES:
        return None
    try:
        lists = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(lists, list) or len(lists) != 1 or not isinstance(lists[0], list):
        return None
    return {str(name): float(code) for code, name in enumerate(lists[0])}

"""A served model: LightGBM text and model card -> RUL in days, its interval and its drivers.

Features are matched by name, so that models of other trainers, with their own order and without a card, are
served as well.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from monitory.errors import BrokenModel
from monitory.features.regimes import Regimes
from monitory.features.vector import AGE, EQUIPMENT
from monitory.model import header
from monitory.model.booster import Booster
from monitory.model.card import Card
from monitory.model.distribution import Distribution
from monitory.sensors import SensorSet

MAX_MODEL_BYTES = 64 << 20
"""Of a model of ours; one of unknown origin may have fewer, see `untrusted.MAX_BYTES`."""

_PANDAS_CATEGORICAL = b"pandas_categorical:"
_MAX_CATEGORIES_BYTES = 1 << 20


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

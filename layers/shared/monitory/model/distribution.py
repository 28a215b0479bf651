"""The distribution of a machine's remaining life, given the RUL that a model predicts.

Survival curves S(t) = P(life left > t) at a few predicted RULs, learnt from out-of-fold predictions by the
Kaplan-Meier estimator (retraining's `survival`). A prediction between two of them gets their weighted mean.
"""

from bisect import bisect_right
from typing import Annotated

import msgspec

PROBABILITY_DAYS = (1, 3, 5, 7, 14, 30)
"""Horizons of the failure probability, days."""


class SurvivalCurve(msgspec.Struct, frozen=True):
    """S at the distribution's `days`, of machines with this predicted RUL in days."""

    predicted: float
    survival: tuple[float, ...]


class Distribution(msgspec.Struct, frozen=True):
    """Survival curves over the predicted RUL.

    Attributes:
        coverage: the share of true values that intervals are to hold.
        days: where the curves are given; ascending from 0 to the cap.
        curves: by ascending `predicted`; each as long as `days`, from 1 downwards.
        missed_below: the share of true values that may lie below an interval where fewer lie above; None: as many as
            above, which former versions promised.
    """

    coverage: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    days: Annotated[tuple[float, ...], msgspec.Meta(min_length=2)]
    curves: Annotated[tuple[SurvivalCurve, ...], msgspec.Meta(min_length=1)]
    missed_below: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None

    def __post_init__(self) -> None:
        """Refuse curves that don't fit.

        Raises:
            ValueError: a curve has another length than `days`.
        """
        if any(len(curve.survival) != len(self.days) for curve in self.curves):
            raise ValueError("a survival curve is not as long as the days that it is given for")

    def survival(self, predicted: float) -> list[float]:
        """S at `days` for a predicted RUL in days."""
        right = bisect_right(self.curves, predicted, key=lambda curve: curve.predicted)
        a, b = self.curves[max(right - 1, 0)], self.curves[min(right, len(self.curves) - 1)]
        span = b.predicted - a.predicted
        share = min(max((predicted - a.predicted) / span, 0.0), 1.0) if span > 0 else 0.0
        return [x + share * (y - x) for x, y in zip(a.survival, b.survival, strict=True)]

    def interval(self, predicted: float, cap: float, age: float) -> tuple[float, float]:
        """The ends between which `coverage` of true values lie, at equal odds below and above.

        The upper end is the cap where more machines than that live on. Those are not missed above, so as many more may
        be below, up to `missed_below`. The prediction always lies within.

        Args:
            predicted: days.
            cap: days.
            age: hours since the machine's last failure; has no part in it.
        """
        survival = self.survival(predicted)
        tail = (1 - self.coverage) / 2
        below = max(tail, min(survival[-1], self.missed_below or tail))
        low, high = self._time(survival, 1 - below), self._time(survival, tail)
        return min(low, predicted), max(min(high, cap), predicted)

    def failure_probability(self, predicted: float) -> list[tuple[int, float]]:
        """P(failure within so many days), 0..1, for the horizons of `PROBABILITY_DAYS` up to the cap."""
        survival = self.survival(predicted)
        return [(days, 1 - self._at(survival, float(days))) for days in PROBABILITY_DAYS if days <= self.days[-1]]

    def _time(self, survival: list[float], level: float) -> float:
        """When S falls to a level; the cap if it doesn't."""
        for at in range(1, len(survival)):
            if survival[at] <= level:
                above, below = survival[at - 1], survival[at]
                share = (above - level) / (above - below) if above > below else 1.0
                return self.days[at - 1] + min(max(share, 0.0), 1.0) * (self.days[at] - self.days[at - 1])
        return self.days[-1]

    def _at(self, survival: list[float], day: float) -> float:
        right = min(bisect_right(self.days, day), len(self.days) - 1)
        share = (day - self.days[right - 1]) / (self.days[right] - self.days[right - 1])
        return survival[right - 1] + min(share, 1.0) * (survival[right] - survival[right - 1])

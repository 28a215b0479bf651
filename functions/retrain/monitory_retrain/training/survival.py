"""Lives whose end was not seen: what is learnt from "at least so long".

A row is (time, event): the days until the failure (event) or until nobody could see any more (no event): the data's end
or the start of maintenance. All times end at the cap, which is an event, too: more need not be known.

Hazards come from a piecewise exponential model: days ahead are cut into periods, in each of which the hazard is
constant, exp F(features, period), with F a LightGBM booster (Friedman, "Piecewise exponential models for survival data
with covariates", 1982). Its likelihood is Poisson's with the days at risk as exposure, so a row teaches every period
that it was seen in, and censoring needs no weights. From S(t | features) = exp(-sum of hazards) the unseen rest of a
censored row is drawn: T from P(T | T > time, features). Training then is a regression on times that are exact where
they were seen, near a failure above all (multiple imputation after Buckley and James, "Linear regression with censored
data", 1979).

`distribution` turns out-of-fold predictions into survival curves by Kaplan and Meier's estimator among rows with
about the same prediction (Beran, "Nonparametric regression with randomly censored survival data", 1981).
"""

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from monitory.model.distribution import Distribution, SurvivalCurve
from monitory_retrain.array_types import Floats, Ints

PERIODS = 14
HAZARD_ROWS = 15_000
"""Hours of a life are near copies: the hazard model learns from about so many."""

HAZARD_TREES = 120

CURVE_DAYS = 48
BINS = 20
MIN_LIVES = 5
"""Fewer lives say nothing of the next one's error."""

_LEAST_EXPOSURE = 1 / 48  # days; a failure in the very hour that a period begins has half an hour at risk
_MIN_AT_RISK = 0.02  # share of a bin's rows; fewer don't tell the hazard
_TAIL = 6  # intervals of the curve whose mean hazard goes on where nobody is at risk any more


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """What was seen of rows' remaining lives.

    Attributes:
        time: days until the failure, the cap or the end of sight, shape (n,).
        event: which times are exact: failures, and lives that reached the cap, shape (n,).
        cap: days.
    """

    time: Floats
    event: npt.NDArray[np.bool_]
    cap: float

    def take(self, rows: npt.NDArray[np.bool_] | Ints) -> "Lifetimes":
        """Those of some rows."""
        return Lifetimes(self.time[rows], self.event[rows], self.cap)

    @property
    def failed(self) -> npt.NDArray[np.bool_]:
        """Rows whose failure was seen before the cap, shape (n,)."""
        return self.event & (self.time < self.cap)


class Hazards:
    """A piecewise exponential model of the life left."""

    def __init__(self, x: Floats, lives: Lifetimes, seed: int, threads: int) -> None:
        """Fit on rows; features x have shape (n, f)."""
        self._edges = _powers(lives.cap, PERIODS, 2.0)
        rows = np.arange(len(x))[:: max(1, round(len(x) / HAZARD_ROWS))]
        exposure, failures = _exposure(lives.take(rows), self._edges)
        row, period = np.nonzero(exposure)
        exposure, failures = exposure[row, period], failures[row, period]
        parameters = {
            "objective": "poisson",
            "learning_rate": 0.1,
            "num_leaves": 16,
            "max_depth": 6,
            "min_data_in_leaf": 100,
            "extra_trees": True,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "lambda_l2": 1.0,
            "seed": seed,
            "num_threads": threads,
            "deterministic": True,
            "force_col_wise": True,
            "verbose": -1,
        }
        self._threads = threads
        # Poisson's likelihood of a rate with exposure as weight is that of the count with exposure as offset
        data = lgb.Dataset(np.column_stack([x[rows][row], period]), failures / exposure, weight=exposure)
        self._booster = lgb.train(parameters, data, HAZARD_TREES)

    def survival(self, x: Floats) -> Floats:
        """S at the periods' edges, shape (n, PERIODS + 1)."""
        hazard = np.zeros((len(x), PERIODS + 1))
        for period, width in enumerate(np.diff(self._edges)):
            at = np.column_stack([x, np.full(len(x), float(period))])
            hazard[:, period + 1] = width * self._booster.predict(at, num_threads=self._threads)
        survival: Floats = np.exp(-hazard.cumsum(axis=1))
        return survival

    def draw(self, survival: Floats, after: Floats, random: np.random.Generator) -> Floats:
        """Times drawn from T given T > `after`, at most the cap; days, shape (n,)."""
        edges, row = self._edges, np.arange(len(after))
        begin = np.clip(np.searchsorted(edges, after, side="right") - 1, 0, PERIODS - 1)
        log = np.log(np.maximum(survival, 1e-300))
        share = (after - edges[begin]) / np.diff(edges)[begin]
        now = log[row, begin] + share * (log[row, begin + 1] - log[row, begin])
        level = now + np.log(1 - random.random(len(after)))
        below = log <= level[:, None]
        end = np.where(below.any(axis=1), below.argmax(axis=1), 0)
        before = np.maximum(end - 1, 0)
        fall = log[row, before] - log[row, end]
        share = np.where(fall > 0, (log[row, before] - level) / np.where(fall > 0, fall, 1.0), 0.0)
        time = edges[before] + share * (edges[end] - edges[before])
        drawn: Floats = np.where(end > 0, np.maximum(time, after), edges[-1])
        return drawn


def _exposure(lives: Lifetimes, edges: Floats) -> tuple[Floats, Floats]:
    """Days at risk and failures of each row in each period, shape (n, periods)."""
    exposure = np.clip(lives.time[:, None], edges[:-1], edges[1:]) - edges[:-1]
    failures = np.zeros_like(exposure)
    row = np.flatnonzero(lives.failed)
    period = np.searchsorted(edges, lives.time[row], side="right") - 1
    failures[row, period] = 1.0
    exposure[row, period] = np.maximum(exposure[row, period], _LEAST_EXPOSURE)
    return exposure, failures


def distribution(predicted: Floats, lives: Lifetimes, life: Ints, coverage: float) -> Distribution | None:
    """The distribution of the life left over out-of-fold predictions.

    Args:
        predicted: out of fold, days, shape (n,); limited to 0..cap as serving does.
        lives: what was seen of the rows.
        life: which run between failures each row belongs to, shape (n,).
        coverage: the share of true values that intervals are to hold, 0..1.

    Returns:
        None where too few lives were seen to fail.
    """
    failures = len(np.unique(life[lives.failed]))
    if failures < MIN_LIVES:
        return None
    predicted = np.clip(predicted, 0.0, lives.cap)
    days = _powers(lives.cap, CURVE_DAYS, 1.5)
    parts = np.array_split(np.argsort(predicted, kind="stable"), min(BINS, len(predicted)))
    at = [float(np.median(predicted[part])) for part in parts]
    # a longer prediction never makes a shorter life: what says otherwise is noise
    shifted = [_shifted(lives.take(part), point - predicted[part]) for point, part in zip(at, parts, strict=True)]
    curves = np.maximum.accumulate([kaplan_meier(part, days) for part in shifted], axis=0)
    points = [SurvivalCurve(p, tuple(curve)) for p, curve in zip(at, curves.round(6).tolist(), strict=True)]
    return Distribution(coverage, tuple(days.tolist()), tuple(points))


def _shifted(lives: Lifetimes, days: Floats) -> Lifetimes:
    """Lives as if all had the same prediction: what differs within a bin is no spread. Who reached the cap stays."""
    time = np.where(lives.time < lives.cap, np.clip(lives.time + days, 0.0, lives.cap), lives.cap)
    return Lifetimes(time, lives.event, lives.cap)


def kaplan_meier(lives: Lifetimes, days: Floats) -> Floats:
    """S at ascending days from 0 to the cap; where too few are at risk the last hazards go on. Shape (len(days),)."""
    width = np.diff(days)
    exposure, failures = (values.sum(axis=0) for values in _exposure(lives, days))
    at_risk = exposure / (width * len(lives.time)) > _MIN_AT_RISK
    rate = failures / np.maximum(exposure, 1e-12)
    end = len(width) if at_risk.all() else int(at_risk.argmin())
    last = slice(max(end - _TAIL, 0), max(end, 1))
    rate[end:] = failures[last].sum() / max(float(exposure[last].sum()), 1e-12)
    survival: Floats = np.exp(-np.r_[0.0, np.cumsum(rate * width)])
    return survival


def _powers(cap: float, count: int, power: float) -> Floats:
    """From 0 to the cap, the finer the nearer to 0; shape (count + 1,)."""
    edges: Floats = cap * (np.arange(count + 1) / count) ** power
    return edges

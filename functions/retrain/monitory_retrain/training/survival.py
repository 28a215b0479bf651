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

import numpy as np

from monitory.model.distribution import Distribution, SurvivalCurve
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.lifetimes import Lifetimes, exposure, kaplan_meier

PERIODS = 14
HAZARD_ROWS = 15_000
"""Hours of a life are near copies: the hazard model learns from about so many."""

HAZARD_TREES = 120

CURVE_DAYS = 48
BINS = 20
MIN_LIVES = 5
"""Fewer lives say nothing of the next one's error."""

MOSTLY_SEEN = 0.75
"""Curves are somewhat optimistic where the ends of more lives than the rest were not seen: there nothing is spared."""


class Hazards:
    """A piecewise exponential model of the life left."""

    def __init__(self, x: Floats, lives: Lifetimes, seed: int, threads: int) -> None:
        """Fit on rows; features x have shape (n, f)."""
        import lightgbm as lgb  # only learning pays for it

        self._edges = _powers(lives.cap, PERIODS, 2.0)
        rows = np.arange(len(x))[:: max(1, round(len(x) / HAZARD_ROWS))]
        at_risk, failures = exposure(lives.take(rows), self._edges)
        row, period = np.nonzero(at_risk)
        at_risk, failures = at_risk[row, period], failures[row, period]
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
        data = lgb.Dataset(np.column_stack([x[rows][row], period]), failures / at_risk, weight=at_risk)
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
    missed_below = 1 - coverage if failures >= MOSTLY_SEEN * len(np.unique(life)) else None
    return Distribution(coverage, tuple(days.tolist()), tuple(points), missed_below)


def _shifted(lives: Lifetimes, days: Floats) -> Lifetimes:
    """Lives as if all had the same prediction: what differs within a bin is no spread. Who reached the cap stays."""
    time = np.where(lives.time < lives.cap, np.clip(lives.time + days, 0.0, lives.cap), lives.cap)
    return Lifetimes(time, lives.event, lives.cap)


def _powers(cap: float, count: int, power: float) -> Floats:
    """From 0 to the cap, the finer the nearer to 0; shape (count + 1,)."""
    edges: Floats = cap * (np.arange(count + 1) / count) ** power
    return edges

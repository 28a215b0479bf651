"""Brier score and reliability of the failure probabilities, without looking at outcomes that could not be seen."""

import numpy as np
import pytest

from monitory.clock import HOURS_PER_DAY
from monitory.features import vector
from monitory.machine import Machine
from monitory.model.distribution import Distribution, SurvivalCurve
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.evaluation.reliability import reliability

DAYS = tuple(float(day) for day in range(31))
EXPONENTIAL = Distribution(
    0.9,
    DAYS,
    tuple(SurvivalCurve(mean, tuple(float(np.exp(-day / mean)) for day in DAYS)) for mean in np.linspace(1, 30, 59)),
)
"""The life left is exponential, its mean the predicted RUL."""


def rows(rul: Floats, seen: Floats, hour: Floats) -> Dataset:
    n = len(rul)
    ints = np.arange(n)
    machines = [Machine("ZONE-001", "EQUIP-001")]
    zeros = np.zeros(n, dtype=np.int64)
    return Dataset((vector.AGE,), np.zeros((n, 1)), rul, seen, zeros, hour.astype(np.int64), zeros, ints, machines)


def world(n: int, last_day: float) -> tuple[Dataset, Floats]:
    """Hours whose machines live on exponentially; what happens after the last day is not seen."""
    rng = np.random.default_rng(0)
    mean = rng.uniform(2, 25, n)
    hour = np.floor(rng.uniform(0, last_day, n) * HOURS_PER_DAY)
    hour[0] = last_day * HOURS_PER_DAY
    life = rng.exponential(mean)
    watched = last_day - hour / HOURS_PER_DAY
    seen = np.minimum(np.minimum(life, watched), 30.0)
    return rows(np.where(life <= watched, np.minimum(life, 30.0), np.nan), seen, hour), mean


def test_probabilities_that_are_right_lie_on_the_diagonal_although_the_data_ends() -> None:
    holdout, mean = world(40_000, last_day=12.0)
    for horizon in reliability(holdout, mean, EXPONENTIAL):
        assert horizon.brier is not None
        assert horizon.base_brier is not None
        assert horizon.brier < horizon.base_brier
        for bin_ in horizon.bins:
            assert bin_.observed == pytest.approx(bin_.predicted, abs=3 / np.sqrt(bin_.rows))


def test_probabilities_that_are_wrong_show() -> None:
    holdout, mean = world(40_000, last_day=12.0)
    doubled = reliability(holdout, mean / 2, EXPONENTIAL)[1]
    assert all(bin_.observed < bin_.predicted for bin_ in doubled.bins if bin_.predicted > 0.1)


def test_hours_too_near_to_the_end_of_the_data_are_not_judged() -> None:
    holdout, mean = world(2_000, last_day=5.0)
    three, seven = reliability(holdout, mean, EXPONENTIAL)
    assert 0 < three.rows < len(holdout)
    assert (seven.rows, seven.brier, seven.bins) == (0, None, [])


def test_runs_that_end_without_a_failure_before_the_horizon_are_not_judged() -> None:
    hour = np.array([0.0, 0.0, 0.0, 240.0])
    maintained_early, maintained_late, failed, last = (np.nan, 1.0), (np.nan, 3.0), (2.0, 2.0), (np.nan, 0.0)
    rul, seen = np.array([maintained_early, maintained_late, failed, last]).T
    three = reliability(rows(rul, seen, hour), np.full(4, 5.0), EXPONENTIAL)[0]
    assert (three.rows, three.failures) == (2, 0.5)


def test_horizons_beyond_the_cap_are_left_out() -> None:
    short = Distribution(0.9, (0.0, 5.0), (SurvivalCurve(1.0, (1.0, 0.0)),))
    holdout, mean = world(100, last_day=12.0)
    assert [horizon.days for horizon in reliability(holdout, mean, short)] == [3]

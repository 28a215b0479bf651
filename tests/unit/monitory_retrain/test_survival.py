"""What lives teach whose end was not seen."""

import lightgbm as lgb
import numpy as np
import pytest

from monitory.model.distribution import Distribution, SurvivalCurve
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.lifetimes import Lifetimes, kaplan_meier
from monitory_retrain.training import training
from monitory_retrain.training.survival import Hazards, distribution
from monitory_retrain.training.training import Recipe

CAP = 20.0


def censored(time: Floats, after: Floats) -> Lifetimes:
    """Times that are seen up to some day."""
    event = (time <= after) | (after >= CAP)
    return Lifetimes(np.minimum(np.minimum(time, after), CAP), event, CAP)


def wearing(count: int) -> tuple[Floats, Floats, Ints]:
    """Hours of machines: x = (wear, noise), days left, machine. Wear tells the days left but for a day."""
    rng = np.random.default_rng(0)
    left = rng.uniform(0, 40, (count, 1)) - np.arange(0, 10, 0.5)
    left = np.where(left > 0, left, np.nan)
    machine, hour = np.nonzero(~np.isnan(left))
    days = left[machine, hour]
    wear = -days + rng.normal(0, 1, count)[machine]
    return np.column_stack([wear, rng.normal(size=len(days))]), days, machine


def test_survival_is_that_of_all_lives_although_half_are_cut_short() -> None:
    rng = np.random.default_rng(1)
    time = rng.exponential(8.0, 20_000)
    days = np.linspace(0, CAP, 41)
    curve = kaplan_meier(censored(time, rng.uniform(0, 25, 20_000)), days)
    assert curve == pytest.approx(np.exp(-days / 8.0), abs=0.03)


def test_survival_goes_on_where_nobody_was_followed_so_far() -> None:
    rng = np.random.default_rng(1)
    time = rng.exponential(8.0, 20_000)
    days = np.linspace(0, CAP, 41)
    curve = kaplan_meier(censored(time, np.full(20_000, 6.0)), days)
    assert curve == pytest.approx(np.exp(-days / 8.0), abs=0.05)


def test_drawn_rests_are_as_long_as_those_that_were_not_seen() -> None:
    rng = np.random.default_rng(1)
    x, days, _ = wearing(1500)
    seen = rng.uniform(0, 12, len(days))
    lives = censored(days, seen)
    hazards = Hazards(x, lives, seed=0, threads=1)
    rows = ~lives.event
    drawn = hazards.draw(hazards.survival(x[rows]), lives.time[rows], np.random.default_rng(1))
    assert (drawn >= lives.time[rows]).all()
    assert drawn.max() <= CAP
    truth = np.minimum(days[rows], CAP)
    assert drawn.mean() == pytest.approx(truth.mean(), abs=1.5)
    assert np.corrcoef(drawn, truth)[0, 1] > 0.8


def test_machines_that_nobody_saw_fail_are_not_said_to_fail_soon() -> None:
    """Rows whose failure was seen are those of short lives: learning from these alone makes all lives short."""
    x, days, machine = wearing(400)
    lives = censored(days, np.full(len(days), 8.0))
    names, recipe = ("wear", "noise"), Recipe(trees=60, threads=1)
    far = days > 15
    seen = lives.event
    naive = training.train(x[seen], lives.take(seen), machine[seen], names, recipe)
    made = training.train(x, lives, machine, names, recipe)
    short, right = (np.asarray(lgb.Booster(model_str=one.text).predict(x[far])).mean() for one in (naive, made))
    assert short < 8
    assert right > 14


def test_probabilities_of_failure_are_those_of_machines_with_such_a_prediction() -> None:
    rng = np.random.default_rng(1)
    predicted = rng.uniform(1, 19, 30_000)
    time = rng.exponential(predicted)
    found = distribution(predicted, censored(time, rng.uniform(0, 30, 30_000)), np.arange(30_000) // 30, 0.9)
    assert found
    for days in (4.0, 10.0, 16.0):
        for horizon, probability in found.failure_probability(days):
            assert probability == pytest.approx(1 - np.exp(-horizon / days), abs=0.05)
    low, high = found.interval(4.0, CAP, np.nan)
    assert (low, high) == pytest.approx((4 * 0.0513, 4 * 3.0), rel=0.3)
    assert found.interval(16.0, CAP, np.nan)[1] == CAP


@pytest.mark.parametrize("beyond", [0.0, 0.05, 0.07, 0.1, 0.4])
def test_machines_that_outlive_the_cap_are_held_and_leave_more_to_miss_below(beyond: float) -> None:
    """Of a life that is as likely to end on any day before the cap, and beyond it with some probability."""
    days = np.linspace(0, CAP, 41)
    curve = SurvivalCurve(10.0, tuple((1 - (1 - beyond) * days / CAP).tolist()))
    low, high = Distribution(0.9, tuple(days.tolist()), (curve,), 0.1).interval(10.0, CAP, np.nan)
    missed_below = (1 - beyond) * low / CAP
    missed_above = 0.0 if high == CAP else 1 - beyond - (1 - beyond) * high / CAP + beyond
    assert missed_below == pytest.approx(min(max(beyond, 0.05), 0.1))
    assert missed_above == pytest.approx(0.05 if beyond < 0.05 else 0.0)


def test_without_a_share_that_may_lie_below_as_many_do_as_above() -> None:
    """As models of former versions promise, and those of lives whose ends were mostly not seen."""
    days = np.linspace(0, CAP, 41)
    curve = SurvivalCurve(10.0, tuple((1 - 0.6 * days / CAP).tolist()))
    low, high = Distribution(0.9, tuple(days.tolist()), (curve,)).interval(10.0, CAP, np.nan)
    assert high == CAP
    assert 0.6 * low / CAP == pytest.approx(0.05)


@pytest.mark.parametrize(("seen", "missed_below"), [(20, 0.1), (15, 0.1), (14, None)])
def test_more_may_lie_below_where_most_lives_were_seen_to_end(seen: int, missed_below: float | None) -> None:
    life = np.repeat(np.arange(20), 5)
    time = np.tile(np.arange(5.0, 0.0, -1.0), 20)
    lives = Lifetimes(time, life < seen, CAP)
    found = distribution(time, lives, life, 0.9)
    assert found is not None
    assert found.missed_below == (None if missed_below is None else pytest.approx(missed_below))

"""Balancing and averaging, on what splitting leaves to train on."""

import lightgbm as lgb
import numpy as np
import pytest

from monitory.machine import Machine
from monitory_retrain.array_types import Ints
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.labels import Labels
from monitory_retrain.evaluation.scores import intervals
from monitory_retrain.training.balancing import balanced, bins
from monitory_retrain.training.calibration import calibrate
from monitory_retrain.training.ensemble import average
from monitory_retrain.training.training import SETTLED_HOURS

RNG = np.random.default_rng(0)


def dataset_of(labels: Labels, hours: Ints) -> Dataset:
    """A dataset of one machine's labelled hours, without features that matter."""
    rows = ~np.isnan(labels.rul)
    n = int(rows.sum())
    return Dataset(
        ("hours_since_failure",),
        np.zeros((n, 1)),
        labels.rul[rows],
        np.zeros(n, dtype=np.int64),
        hours[rows],
        labels.known_at[rows],
        labels.life[rows],
        [Machine("ZONE-001", "EQUIP-001")],
    )


def test_balancing_drops_no_range_and_brings_bins_closer() -> None:
    rul = np.concatenate([np.full(5000, 29.5), RNG.uniform(0, 29, 600), np.full(3, 0.1)])
    chosen = balanced(rul, seed=0)
    before, after = np.bincount(bins(rul), minlength=10), np.bincount(bins(rul)[chosen], minlength=10)
    assert set(np.flatnonzero(after)) == set(np.flatnonzero(before))
    assert after.max() / after[after > 0].min() < before.max() / before[before > 0].min()
    assert (balanced(rul, seed=0) == chosen).all()


def test_balancing_leaves_a_single_range_alone() -> None:
    assert balanced(np.full(10, 30.0), seed=0).tolist() == list(range(10))


def test_the_average_of_models_is_one_model() -> None:
    x = RNG.normal(size=(600, 5))
    y = x[:, 0] * 3 + RNG.normal(size=600)
    models = [
        lgb.train({"verbose": -1, "seed": s, "bagging_fraction": 0.5, "bagging_freq": 1}, lgb.Dataset(x, y), 10 + s)
        for s in range(3)
    ]
    one = lgb.Booster(model_str=average([model.model_to_string() for model in models]))
    expected = np.mean([model.predict(x) for model in models], axis=0)
    assert np.allclose(one.predict(x), expected, rtol=0, atol=1e-12)
    assert one.num_trees() == 33
    assert np.allclose(np.asarray(one.predict(x, pred_contrib=True)).sum(axis=1), expected, rtol=0, atol=1e-9)


def test_intervals_hold_what_they_promise_on_new_data() -> None:
    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        predicted = RNG.uniform(0, 30, n)
        return np.clip(predicted + RNG.normal(0, 0.5 + predicted / 8, n), 0, 30), predicted

    true, predicted = draw(6000)
    life = np.repeat(np.arange(60), 100)
    made = calibrate(true, predicted, np.ones(6000, dtype=bool), life, np.full(6000, np.nan), 0.9, 30.0)
    assert made is not None
    fresh, guess = draw(6000)
    low, high = intervals(guess, made, 30.0)
    held = (low <= fresh) & (fresh <= high)
    for third in np.array_split(np.argsort(guess), 3):
        assert 0.86 <= held[third].mean() <= 0.96
    widths = high - low
    assert widths[guess < 5].mean() < widths[(guess > 15) & (guess < 22)].mean()
    assert (low >= 0).all()
    assert (high <= 30).all()


def test_hours_soon_after_a_repair_or_an_unknown_one_have_intervals_of_their_own() -> None:
    def draw() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        predicted = RNG.uniform(8, 22, 6000)
        age = np.tile(np.arange(100.0), 60)
        age[:2000] = np.nan
        harder = np.where(np.isnan(age), 2.0, np.where(age < SETTLED_HOURS, 1.5, 1.0))
        return predicted + RNG.normal(0, 1, 6000) * harder, predicted, age

    true, predicted, age = draw()
    made = calibrate(true, predicted, ~(age < SETTLED_HOURS), np.repeat(np.arange(60), 100), age, 0.9, 30.0)
    assert made
    assert made.early_factor == pytest.approx(1.5, abs=0.15)
    assert made.unknown_factor == pytest.approx(2.0, abs=0.2)
    fresh, guess, age = draw()
    low, high = intervals(guess, made, 30.0, age)
    held = (low <= fresh) & (fresh <= high)
    for rows in (age < SETTLED_HOURS, age >= SETTLED_HOURS, np.isnan(age)):
        assert held[rows].mean() == pytest.approx(0.91, abs=0.03)


def test_a_few_lives_calibrate_nothing() -> None:
    n = np.ones(100)
    assert calibrate(n, n, n > 0, np.repeat(np.arange(4), 25), n, 0.9, 30.0) is None

"""Splitting through time; balancing and averaging of what it leaves to train on."""

import lightgbm as lgb
import numpy as np

from monitory.machine import Machine
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.split import TimeSplit, split
from monitory_retrain.training.balancing import balanced, bins
from monitory_retrain.training.ensemble import average


def rows(fails: int | None, hours: int = 100, cap_days: float = 30.0) -> Dataset:
    """A machine's hours from 1000 on up to its failure, or to the end of the data."""
    last = 1000 + hours - 1
    hour = np.arange(1000, last + 1 if fails is None else fails + 1)
    left = (last - hour if fails is None else fails - hour) / 24
    exact = np.full(len(hour), fails is not None) | (left >= cap_days)
    seen = np.minimum(left, cap_days)
    return Dataset(
        ("hours_since_failure",),
        np.zeros((len(hour), 1)),
        np.where(exact, seen, np.nan),
        seen,
        np.zeros_like(hour),
        hour,
        hour + np.ceil(seen * 24).astype(np.int64),
        np.zeros_like(hour),
        [Machine("ZONE-001", "EQUIP-001")],
    )


def test_the_hold_out_is_every_running_hour_after_its_beginning() -> None:
    for fails in (None, 1060, 1090):
        parts = split(rows(fails), 1050)
        assert parts.holdout.hour.tolist() == list(range(1050, (1099 if fails is None else fails) + 1))
        assert parts.training.hour.tolist() == list(range(1000, 1050))


def test_training_knows_nothing_of_what_came_after_the_hold_out_began() -> None:
    runs_on, fails_later = split(rows(None), 1050).training, split(rows(1060), 1050).training
    np.testing.assert_array_equal(fails_later.seen, runs_on.seen)
    assert np.isnan(fails_later.rul).all()
    assert fails_later.seen[0] == 49 / 24
    fails_before = split(rows(1040), 1050).training
    assert fails_before.rul[0] == 40 / 24


def test_hours_are_watched_to_the_end_of_the_data_whatever_becomes_of_them() -> None:
    fails = TimeSplit(rows(1060), rows(1060), 1000, 1100)
    assert fails.watched[0] == 100 / 24
    assert (fails.watched > fails.holdout.seen).all()
    runs_on = split(rows(None), 1050)
    np.testing.assert_array_equal(runs_on.watched, runs_on.holdout.seen)


def test_balancing_drops_no_range_and_brings_bins_closer() -> None:
    rng = np.random.default_rng(1)
    rul = np.concatenate([np.full(5000, 29.5), rng.uniform(0, 29, 600), np.full(3, 0.1)])
    chosen = balanced(rul, seed=0)
    before, after = np.bincount(bins(rul), minlength=10), np.bincount(bins(rul)[chosen], minlength=10)
    assert set(np.flatnonzero(after)) == set(np.flatnonzero(before))
    assert after.max() / after[after > 0].min() < before.max() / before[before > 0].min()
    assert (balanced(rul, seed=0) == chosen).all()


def test_balancing_leaves_a_single_range_alone() -> None:
    assert balanced(np.full(10, 30.0), seed=0).tolist() == list(range(10))


def test_the_average_of_models_is_one_model() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(600, 5))
    y = x[:, 0] * 3 + rng.normal(size=600)
    models = [
        lgb.train({"verbose": -1, "seed": s, "bagging_fraction": 0.5, "bagging_freq": 1}, lgb.Dataset(x, y), 10 + s)
        for s in range(3)
    ]
    one = lgb.Booster(model_str=average([model.model_to_string() for model in models]))
    expected = np.mean([model.predict(x) for model in models], axis=0)
    assert np.allclose(one.predict(x), expected, rtol=0, atol=1e-12)
    assert one.num_trees() == 33
    assert np.allclose(np.asarray(one.predict(x, pred_contrib=True)).sum(axis=1), expected, rtol=0, atol=1e-9)

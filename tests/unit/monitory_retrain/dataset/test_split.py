"""Balancing and averaging, on what splitting leaves to train on."""

import lightgbm as lgb
import numpy as np

from monitory.machine import Machine
from monitory_retrain.array_types import Ints
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.labels import Labels
from monitory_retrain.training.balancing import balanced, bins
from monitory_retrain.training.ensemble import average


def dataset_of(labels: Labels, hours: Ints) -> Dataset:
    """A dataset of one machine's labelled hours, without features that matter."""
    rows = ~np.isnan(labels.rul)
    n = int(rows.sum())
    return Dataset(
        ("hours_since_failure",),
        np.zeros((n, 1)),
        labels.rul[rows],
        labels.seen[rows],
        np.zeros(n, dtype=np.int64),
        hours[rows],
        labels.label_available_at[rows],
        labels.life[rows],
        [Machine("ZONE-001", "EQUIP-001")],
    )


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

"""Training: folds of lives, one LightGBM booster each, averaged into one model text.

Every booster leaves one fold of lives out, and watches its error on lives taken out of the rest. The served model stops
all boosters together, by their pooled watched errors: the few lives that one booster can watch are too few to tell. It
is the mean of the boosters, written as one LightGBM text.

The out-of-fold predictions calibrate the interval (calibration.py), so what they predict must have taught and chosen
nothing. A row's is the mean of all boosters that did not learn from its life, its fold's and those that watched it, all
stopped by what its fold's watched. That one alone would be a worse model than the mean that is served, and its interval
too wide (Kim, Xu and Barber, "Predictive inference is free with the jackknife+-after-bootstrap", 2020).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from monitory.features.vector import AGE
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.split import folds
from monitory_retrain.training.balancing import balanced
from monitory_retrain.training.ensemble import average

STOPPING_SHARE = 7
"""One in so many of the remaining lives tells when to stop."""

SETTLED_HOURS = 30.0
"""So long after a repair trends have something to go by; earlier rows count little in training, not at all after it."""

EARLY_WEIGHT = 0.05

MIN_TREES = 40
"""With fewer, at this learning rate, predictions have hardly left the mean, whatever a few watched lives say."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How boosters are trained.

    Attributes:
        folds: boosters that are averaged.
        max_trees: per booster.
        seed: of folds, balancing and LightGBM.
        threads: of LightGBM; 0 for all cores.
        parameters: LightGBM's own. Small trees: the drivers' cost (TreeSHAP) goes with trees times leaves.
    """

    folds: int = 5
    max_trees: int = 125
    seed: int = 0
    threads: int = 0
    parameters: dict[str, object] = field(
        default_factory=lambda: {
            "objective": "regression",
            "learning_rate": 0.12,
            "num_leaves": 12,
            "max_depth": 5,
            "min_data_in_leaf": 50,
            "extra_trees": True,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "lambda_l2": 1.0,
        }
    )


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model.

    Attributes:
        text: LightGBM's model text.
        features: names that the model uses, in its order.
        out_of_fold: prediction of each training row by the boosters that did not learn from its life, days, shape (n,).
        settled: rows whose trends have something to go by, shape (n,).
        trees: of each booster.
        stopping: pooled error of the watched lives, days, after each tree.
    """

    text: str
    features: tuple[str, ...]
    out_of_fold: Floats
    settled: npt.NDArray[np.bool_]
    trees: int
    stopping: list[float]


def train(
    x: Floats,
    rul: Floats,
    life: Ints,
    names: tuple[str, ...],
    recipe: Recipe,
    said: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train on labelled rows.

    Args:
        x: features, shape (n, f); NaN is missing.
        rul: days, shape (n,).
        life: which run between failures each row belongs to, shape (n,).
        names: of the columns of x.
        recipe: how.
        said: told of each finished booster.

    Raises:
        ValueError: there are fewer than three lives: one to fit, one to stop on and one to leave out.
    """
    if len(np.unique(life)) < 3:
        raise ValueError("training needs rows of at least three runs between failures")
    age = x[:, names.index(AGE)] if AGE in names else np.full(len(rul), np.nan)
    weight = life_weights(life, ~(age < SETTLED_HOURS))
    columns = _varying(x)
    x = x[:, columns]
    kept = [names[column] for column in columns.tolist()]
    fold = folds(life, recipe.folds, recipe.seed)
    count = int(fold.max()) + 1
    made = []
    for number in range(count):
        made.append(_booster(x, rul, life, weight, fold != number, kept, recipe, number))
        said(f"booster {number + 1} of {count}")
    stopping = np.sqrt(np.mean([one.curve for one in made], axis=0))
    trees = _best(stopping)
    text = average([one.booster.model_to_string(num_iteration=trees) for one in made])
    said(f"{trees} trees each, {stopping[trees - 1]:.2f} days RMSE on the watched lives")
    return Trained(text, tuple(kept), _out_of_fold(x, fold, made), weight > 0, trees, stopping.tolist())


def life_weights(life: Ints, settled: npt.NDArray[np.bool_]) -> Floats:
    """Each life weighs 1, whatever its length, spread over its settled rows; others weigh 0.

    Where no row at all is settled, each weighs 1.

    Args:
        life: which run between failures, shape (n,).
        settled: rows that count; hours of an unknown age do, shape (n,).
    """
    _, index = np.unique(life, return_inverse=True)
    rows = np.bincount(index, weights=settled)
    weight: Floats = np.where(settled, 1.0 / np.maximum(rows, 1.0)[index], 0.0)
    return weight if settled.any() else np.ones(len(life))


@dataclass(frozen=True, slots=True)
class _Made:
    """A booster, the rows of the lives that it watched, shape (n,), and its squared error on them after each tree."""

    booster: lgb.Booster
    watched: npt.NDArray[np.bool_]
    curve: list[float]


def _booster(
    x: Floats,
    rul: Floats,
    life: Ints,
    weight: Floats,
    rows: npt.NDArray[np.bool_],
    names: list[str],
    recipe: Recipe,
    number: int,
) -> _Made:
    seed = recipe.seed * 1000 + number
    index = np.flatnonzero(rows)
    part = folds(life[index], STOPPING_SHARE, seed + 1)
    # another part for each booster: the first one always holds the longest life, which would never be learnt from
    watched = part == number % (int(part.max()) + 1)
    fitting, stopping = index[~watched], index[watched]
    chosen = fitting[balanced(rul[fitting], seed)]
    counted = weight * len(weight) / weight.sum() + EARLY_WEIGHT
    parameters = {
        **recipe.parameters,
        "seed": seed,
        "num_threads": recipe.threads,
        "deterministic": True,
        "force_col_wise": True,
        "metric": "l2",
        "verbose": -1,
    }
    training = lgb.Dataset(x[chosen], rul[chosen], weight=counted[chosen], feature_name=names)
    judged = weight[stopping] if weight[stopping].any() else counted[stopping]
    curve: dict[str, dict[str, list[float]]] = {}
    booster = lgb.train(
        parameters,
        training,
        recipe.max_trees,
        valid_sets=[training.create_valid(x[stopping], rul[stopping], weight=judged)],
        valid_names=["watched"],
        callbacks=[lgb.record_evaluation(curve)],
    )
    return _Made(booster, np.isin(np.arange(len(rul)), stopping), curve["watched"]["l2"])


def _out_of_fold(x: Floats, fold: Ints, made: list[_Made]) -> Floats:
    """The prediction of each row by what neither learnt from its life nor was stopped by it, days, shape (n,)."""
    untaught = np.array([one.watched | (fold == number) for number, one in enumerate(made)])
    total = np.zeros(len(x))
    for number, stranger in enumerate(made):  # to this fold: it neither learnt from it nor watched it
        trees = _best(np.array(stranger.curve))
        for one, free in zip(made, untaught, strict=True):
            rows = np.flatnonzero(free & (fold == number))
            if rows.size:
                total[rows] += one.booster.predict(x[rows], num_iteration=trees)
    mean: Floats = total / untaught.sum(axis=0)
    return mean


def _best(curve: Floats) -> int:
    """How many trees to keep: those up to the least watched error, at least `MIN_TREES`."""
    least = min(MIN_TREES, len(curve)) - 1
    return least + int(curve[least:].argmin()) + 1


def _varying(x: Floats) -> Ints:
    """Columns with at least two different values; what never varies tells nothing."""
    low = np.where(np.isnan(x), np.inf, x).min(axis=0)
    high = np.where(np.isnan(x), -np.inf, x).max(axis=0)
    return np.flatnonzero(high > low)

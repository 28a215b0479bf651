"""Training: folds of lives, one LightGBM booster each, averaged into one model text.

Every booster leaves one fold of lives out, and watches its error on lives taken out of the rest. The served model stops
all boosters together, by their pooled watched errors: the few lives that one booster can watch are too few to tell. It
is the mean of the boosters, written as one LightGBM text.

Rows are balanced over RUL (balancing.py) where that lessens the out-of-fold error of rows whose time left was seen.

Rows of lives whose end was not seen learn from a rest that is drawn for them (rests.py), another one for each
booster. Errors count less the farther away the failure is, as 1 / (1 + days): a day matters more near it.

The out-of-fold predictions give the distribution of the life left (survival.py), so what they predict must have taught
and chosen nothing. A row's is the mean of all boosters that did not learn from its life, its fold's and those that
watched it, all stopped by what its fold's watched. That one alone would be a worse model than the mean that is served,
and its interval too wide (Kim, Xu and Barber, "Predictive inference is free with the jackknife+-after-bootstrap",
2020).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from monitory.features.vector import AGE
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.lifetimes import Lifetimes
from monitory_retrain.dataset.split import folds
from monitory_retrain.training.balancing import balanced
from monitory_retrain.training.ensemble import average
from monitory_retrain.training.rests import Rests, with_tried_age

STOPPING_SHARE = 25
"""One in so many of the remaining lives tells when to stop."""

SETTLED_HOURS = 30.0
"""So long after a repair trends have something to go by; earlier rows count less, and calibrate nothing."""

EARLY_WEIGHT = 0.25

MIN_GAIN = 0.02
"""By this share balancing must lessen the out-of-fold error: less may be chance."""

MOST_ROWS = 40_000
"""Hours of a life are near copies: training learns from about so many rows, evenly chosen."""

MIN_TREES = 100
"""Fewer leave predictions near the mean; a few watched lives with drawn rests tell too little to stop sooner."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How boosters are trained.

    Attributes:
        folds: boosters that are averaged.
        max_trees: per booster.
        seed: of folds, drawn lives and LightGBM.
        threads: of LightGBM; 0 for all cores.
        balances: RUL bins are brought closer to each other in size (balancing.py); None: where it helps.
        parameters: LightGBM's own. Small trees: the drivers' cost (TreeSHAP) goes with trees times leaves.
    """

    folds: int = 5
    max_trees: int = 125
    seed: int = 0
    threads: int = 0
    balances: bool | None = None
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
        rows: indices of the rows that it learnt from, shape (m,).
        settled: which of these have trends to go by, shape (m,).
        out_of_fold: prediction of each of these by the boosters that did not learn from its life, days, shape (m,).
        trees: of each booster.
        stopping: pooled error of the watched lives, days, after each tree.
        balanced: the rows that taught were balanced.
    """

    text: str
    features: tuple[str, ...]
    rows: Ints
    settled: npt.NDArray[np.bool_]
    out_of_fold: Floats
    trees: int
    stopping: list[float]
    balanced: bool = False


def train(
    x: Floats,
    lives: Lifetimes,
    life: Ints,
    names: tuple[str, ...],
    recipe: Recipe,
    said: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train on the rows of running machines.

    Args:
        x: features, shape (n, f); NaN is missing.
        lives: what was seen of the life left, shape (n,).
        life: which run between failures each row belongs to, shape (n,).
        names: of the columns of x.
        recipe: how.
        said: told of each finished booster.

    Raises:
        ValueError: there are fewer than three lives: one to fit, one to stop on and one to leave out.
    """
    if len(np.unique(life)) < 3:
        raise ValueError("training needs rows of at least three runs between failures")
    rows = taught(len(x))
    x, lives, life = x[rows], lives.take(rows), life[rows]
    age = x[:, names.index(AGE)] if AGE in names else np.full(len(x), np.nan)
    settled = ~(age < SETTLED_HOURS)  # an unknown age is
    columns = _varying(x)
    x = x[:, columns]
    kept = [names[column] for column in columns.tolist()]
    fold = folds(life, recipe.folds, recipe.seed)
    count = int(fold.max()) + 1
    rests = Rests(with_tried_age(x, kept, lives, life), lives, seed=recipe.seed, threads=recipe.threads)

    def boosters(balances: bool) -> _Boosters:
        made = []
        for number in range(count):
            made.append(_booster(x, rests, life, settled, fold != number, kept, recipe, number, balances))
            said(f"booster {number + 1} of {count}{', of balanced rows' if balances else ''}")
        return _Boosters(made, _out_of_fold(x, fold, made), balances)

    if recipe.balances is None:
        chosen = _better(boosters(False), boosters(True), lives, settled, said)
    else:
        chosen = boosters(recipe.balances)
    made = chosen.made
    stopping = np.sqrt(np.mean([one.curve for one in made], axis=0))
    trees = _best(stopping)
    text = average([one.booster.model_to_string(num_iteration=trees) for one in made])
    said(f"{trees} trees each, {stopping[trees - 1]:.2f} days RMSE on the watched lives")
    return Trained(text, tuple(kept), rows, settled, chosen.out_of_fold, trees, stopping.tolist(), chosen.balanced)


def taught(count: int) -> Ints:
    """Indices of the rows that training learns from, of so many; of these it learns from all."""
    return np.arange(count)[:: max(1, round(count / MOST_ROWS))]


@dataclass(frozen=True, slots=True)
class _Made:
    """A booster, the rows of the lives that it watched, shape (n,), and its squared error on them after each tree."""

    booster: lgb.Booster
    watched: npt.NDArray[np.bool_]
    curve: list[float]


@dataclass(frozen=True, slots=True)
class _Boosters:
    """All boosters, and the prediction of each row by those that did not learn from its life, days, shape (n,)."""

    made: list[_Made]
    out_of_fold: Floats
    balanced: bool


def _better(
    plain: _Boosters,
    balanced: _Boosters,
    lives: Lifetimes,
    settled: npt.NDArray[np.bool_],
    said: Callable[[str], None],
) -> _Boosters:
    """The boosters of balanced rows where these have the lesser error out of fold."""
    without, with_it = (_near_error(one.out_of_fold, lives, settled) for one in (plain, balanced))
    chosen = balanced if with_it < without * (1 - MIN_GAIN) else plain
    said(f"balanced: {chosen.balanced}; the error is {with_it:.3f} days with it, {without:.3f} without")
    return chosen


def _near_error(out_of_fold: Floats, lives: Lifetimes, settled: npt.NDArray[np.bool_]) -> float:
    """The mean absolute error of rows whose time left was seen, days, weighted as in training; infinite without any."""
    rows = settled & lives.event
    if not rows.any():
        return float("inf")
    true = lives.time[rows]
    return float(np.average(np.abs(out_of_fold[rows] - true), weights=1 / (1 + true)))


def _booster(
    x: Floats,
    rests: Rests,
    life: Ints,
    settled: npt.NDArray[np.bool_],
    rows: npt.NDArray[np.bool_],
    names: list[str],
    recipe: Recipe,
    number: int,
    balances: bool,
) -> _Made:
    seed = recipe.seed * 1000 + number
    index = np.flatnonzero(rows)
    part = folds(life[index], STOPPING_SHARE, seed + 1)
    # another part for each booster: the first one always holds the longest life, which would never be learnt from
    watched = part == number % (int(part.max()) + 1)
    fitting, stopping = index[~watched], index[watched]
    rul = rests.draw(seed)
    if balances:
        fitting = fitting[balanced(rul[fitting], seed)]
    weight = np.where(settled, 1.0, EARLY_WEIGHT) / (1 + rul)
    parameters = {
        **recipe.parameters,
        "seed": seed,
        "num_threads": recipe.threads,
        "deterministic": True,
        "force_col_wise": True,
        "metric": "l2",
        "verbose": -1,
    }
    training = lgb.Dataset(x[fitting], rul[fitting], weight=weight[fitting], feature_name=names)
    curve: dict[str, dict[str, list[float]]] = {}
    booster = lgb.train(
        parameters,
        training,
        recipe.max_trees,
        valid_sets=[training.create_valid(x[stopping], rul[stopping], weight=weight[stopping])],
        valid_names=["watched"],
        callbacks=[lgb.record_evaluation(curve)],
    )
    return _Made(booster, np.isin(np.arange(len(x)), stopping), curve["watched"]["l2"])


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

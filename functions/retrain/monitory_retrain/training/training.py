"""Training: folds of lives, one LightGBM booster each, averaged into one model text.

Every booster leaves one fold of lives out and learns from all others. None is taken out to tell when to stop: where
lives are few each is worth more as a teacher, and where they are many boosters of this size never had to stop. The
served model is the mean of the boosters, written as one LightGBM text.

Three variants are tried, and the one with the least out-of-fold error over all rows is taken: the mean RUL learnt from
rows as they are; from rows balanced over RUL (balancing.py); and the median RUL, which a few long lives among many
short ones don't pull away from the failures that come soon (LightGBM's L1 objective).

Rows of lives whose end was not seen learn from a rest that is drawn for them (rests.py), another one for each
booster. Errors count less the farther away the failure is, as 1 / (1 + days): a day matters more near it.

The out-of-fold predictions give the distribution of the life left (survival.py), so what they predict must not have
taught: a row's is that of its fold's booster.

Fewer than `FEW_LIVES` lives cannot tell by their out-of-fold errors what helps, and one long life would
outweigh several short ones: rows are balanced, each life weighs the same, and the boosters that are served leave none
out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from monitory.features.vector import AGE
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.lifetimes import Lifetimes
from monitory_retrain.dataset.split import folds
from monitory_retrain.training.balancing import balanced
from monitory_retrain.training.ensemble import average
from monitory_retrain.training.rests import Rests, with_tried_age

if TYPE_CHECKING:
    import lightgbm as lgb

FEW_LIVES = 20
"""From here on cross-validation over lives tells more than it costs."""

SETTLED_HOURS = 30.0
"""So long after a repair trends have something to go by; earlier rows count less, and calibrate nothing."""

EARLY_WEIGHT = 0.25

Variant = Literal["plain", "balanced", "median"]
VARIANTS: tuple[Variant, ...] = ("plain", "balanced", "median")

MOST_ROWS = 40_000
"""Hours of a life are near copies: training learns from about so many rows, evenly chosen."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How boosters are trained.

    Attributes:
        folds: boosters that are averaged.
        trees: per booster.
        seed: of folds, drawn lives and LightGBM.
        threads: of LightGBM; 0 for all cores.
        variant: what boosters learn: the mean of rows as they are (`plain`) or whose RUL bins were brought closer to
            each other in size (`balanced`, balancing.py), or the median (`median`); None: what has the least error.
        parameters: LightGBM's own. Small trees: the drivers' cost (TreeSHAP) goes with trees times leaves.
    """

    folds: int = 5
    trees: int = 125
    seed: int = 0
    threads: int = 0
    variant: Variant | None = None
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
        out_of_fold: prediction of each of these by the booster that did not learn from its life, days, shape (m,).
        trees: of each booster.
        variant: which one was taken.
    """

    text: str
    features: tuple[str, ...]
    rows: Ints
    settled: npt.NDArray[np.bool_]
    out_of_fold: Floats
    trees: int
    variant: Variant = "plain"


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
        ValueError: there are fewer than three lives: two to fit and one to leave out.
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
    few = len(np.unique(life)) < FEW_LIVES
    weigh = partial(_weights, life=life, settled=settled, few=few)
    rests = Rests(with_tried_age(x, kept, lives, life), lives, seed=recipe.seed, threads=recipe.threads)

    def boosters(variant: Variant, left_out: bool = True) -> "list[lgb.Booster]":
        made = []
        for number in range(count):
            rows = np.flatnonzero(fold != number) if left_out else np.arange(len(x))
            made.append(_booster(x, rests, weigh, rows, kept, recipe, number, variant))
            said(f"booster {number + 1} of {count}, {variant}")
        return made

    def folded(variant: Variant) -> _Folded:
        made = boosters(variant)
        return _Folded(made, _out_of_fold(x, fold, made), variant)

    if recipe.variant is None and few:
        chosen = folded("balanced")
    elif recipe.variant is None:
        rul = rests.draw(recipe.seed * 1000 + count)  # another draw than any that taught
        chosen = _best([folded(variant) for variant in VARIANTS], rul, lives.cap, settled, said)
    else:
        chosen = folded(recipe.variant)
    served = boosters(chosen.variant, left_out=False) if few else chosen.boosters
    text = average([booster.model_to_string() for booster in served])
    return Trained(text, tuple(kept), rows, settled, chosen.out_of_fold, recipe.trees, chosen.variant)


def taught(count: int) -> Ints:
    """Indices of the rows that training learns from, of so many; of these it learns from all."""
    return np.arange(count)[:: max(1, round(count / MOST_ROWS))]


@dataclass(frozen=True, slots=True)
class _Folded:
    """Boosters that leave one fold out each, and the prediction of each row by its fold's, days, shape (n,)."""

    boosters: "list[lgb.Booster]"
    out_of_fold: Floats
    variant: Variant


def _best(
    folded: list[_Folded],
    rul: Floats,
    cap: float,
    settled: npt.NDArray[np.bool_],
    said: Callable[[str], None],
) -> _Folded:
    """The variant with the least error out of fold."""
    errors = [_error(one.out_of_fold, rul, cap, settled) for one in folded]
    chosen = folded[int(np.argmin(errors))]
    found = ", ".join(f"{one.variant} {error:.3f}" for one, error in zip(folded, errors, strict=True))
    said(f"{chosen.variant} is taken; errors in days: {found}")
    return chosen


def _error(out_of_fold: Floats, rul: Floats, cap: float, settled: npt.NDArray[np.bool_]) -> float:
    """The mean absolute error of all rows, days, weighted as in training; infinite without any.

    Rows whose end was not seen are held against the rest that is drawn for them: to leave them out would be to judge
    by machines that fail soon.
    """
    if not settled.any():
        return float("inf")
    error = np.abs(np.clip(out_of_fold, 0.0, cap) - rul)[settled]
    return float(np.average(error, weights=1 / (1 + rul[settled])))


def _booster(
    x: Floats,
    rests: Rests,
    weigh: Callable[[Floats], Floats],
    rows: Ints,
    names: list[str],
    recipe: Recipe,
    number: int,
    variant: Variant,
) -> "lgb.Booster":
    import lightgbm as lgb  # only learning pays for it

    seed = recipe.seed * 1000 + number
    rul = rests.draw(seed)
    if variant == "balanced":
        rows = rows[balanced(rul[rows], seed)]
    weight = weigh(rul)
    objective = {"objective": "regression_l1"} if variant == "median" else {}
    parameters = {
        **recipe.parameters,
        **objective,
        "seed": seed,
        "num_threads": recipe.threads,
        "deterministic": True,
        "force_col_wise": True,
        "verbose": -1,
    }
    return lgb.train(parameters, lgb.Dataset(x[rows], rul[rows], weight=weight[rows], feature_name=names), recipe.trees)


def _weights(rul: Floats, life: Ints, settled: npt.NDArray[np.bool_], few: bool) -> Floats:
    """What each row counts, shape (n,): less the farther away its failure is or, of few lives, each life the same."""
    weight = np.where(settled, 1.0, EARLY_WEIGHT)
    if not few:
        return weight / (1 + rul)
    _, index, rows = np.unique(life, return_inverse=True, return_counts=True)
    shared: Floats = weight * (rows.mean() / np.bincount(index, weights=weight))[index]
    return shared


def _out_of_fold(x: Floats, fold: Ints, boosters: "list[lgb.Booster]") -> Floats:
    """The prediction of each row by the booster that did not learn from its life, days, shape (n,)."""
    predicted = np.empty(len(x))
    for number, booster in enumerate(boosters):
        rows = np.flatnonzero(fold == number)
        predicted[rows] = booster.predict(x[rows])
    return predicted


def _varying(x: Floats) -> Ints:
    """Columns with at least two different values; what never varies tells nothing."""
    low = np.where(np.isnan(x), np.inf, x).min(axis=0)
    high = np.where(np.isnan(x), -np.inf, x).max(axis=0)
    return np.flatnonzero(high > low)

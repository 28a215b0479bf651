"""Figures by which models are judged; all errors in days.

They hold for all running machines, also for those whose failure nobody has seen yet. A row is watched for some days w,
which depend on when it was, not on what became of it. Up to w the truth is known of every row, so that is what
predictions are held against: |min(prediction, w) - min(T, w)|, the error of the restricted survival time (Royston and
Parmar, "Restricted mean survival time", 2013). No weights are estimated, and nothing is chosen by its outcome. With w
beyond the cap these are the usual figures.
"""

from collections.abc import Mapping

import msgspec
import numpy as np

from monitory.model.card import Calibration
from monitory.model.distribution import Distribution
from monitory_retrain.array_types import Floats

NEAR_FAILURE_DAYS = 3.0

MIN_BRIER_ROWS = 48

_ANSWERS = 101  # that are tried for the best constant; the mean is one more, and the best where all is known


class Scores(msgspec.Struct, frozen=True):
    """Errors of predictions.

    Attributes:
        rows: how many predictions.
        rmse, mae, r2: over all of them, as far as they were watched; r2 is None where nothing varies so far. It is the
            share of the best constant's squared error that the predictions save, 1 is perfect.
        near_mae: MAE where a failure was seen within 3 days; None where there is no such row.
        near_rows: how many those are.
        coverage, width: share of true values within the interval, and its mean width in days.
        brier: of the failure probabilities, see `brier`; None without any.
    """

    rows: int
    rmse: float
    mae: float
    r2: float | None
    near_mae: float | None
    near_rows: int
    coverage: float | None = None
    width: float | None = None
    brier: float | None = None


def score(
    true: Floats,
    predicted: Floats,
    calibration: Calibration | Distribution | None = None,
    cap: float = np.inf,
    age: Floats | None = None,
    watched: Floats | None = None,
) -> Scores:
    """Scores of predictions, shape (n,) each, n > 0.

    Args:
        true: days until the failure or the cap; where neither was seen, the days that the row was watched.
        predicted: days.
        calibration: the interval.
        cap, age: as in `intervals`.
        watched: days after which the truth would not be known; None where it always is.
    """
    if watched is None:
        watched = np.full(len(true), np.inf)
    error = absolute_errors(true, predicted, watched)
    seen = true < watched
    near = seen & (true <= NEAR_FAILURE_DAYS)
    baseline = _best_constant_error(true, watched)
    ends = intervals(predicted, calibration, cap, age) if calibration else None
    return Scores(
        rows=len(true),
        rmse=float(np.sqrt((error**2).mean())),
        mae=float(error.mean()),
        r2=1 - float((error**2).sum()) / baseline if baseline else None,
        near_mae=float(np.abs(predicted - true)[near].mean()) if near.any() else None,
        near_rows=int(near.sum()),
        coverage=covered(true, *ends, cap, watched) if ends else None,
        width=float((ends[1] - ends[0]).mean()) if ends else None,
    )


def brier(true: Floats, watched: Floats, probability: Mapping[int, Floats], cap: float) -> float | None:
    """The mean Brier score of P(failure within N days) over the horizons N that a hold-out reaches; 0 is perfect.

    A horizon is judged on the rows that were watched so long, whatever became of them: that needs no weights, for when
    a row was does not depend on its outcome. It sees whether machines that fail soon are told apart even where the
    hold-out is much shorter than their lives, and every RUL beyond it looks alike to `absolute_errors`.

    Args:
        true, watched: as in `score`.
        probability: by horizon in days, shape (n,) each.
        cap: the largest RUL that is told, days.

    Returns:
        None where no horizon below the cap was watched in `MIN_BRIER_ROWS` rows.
    """
    scores = []
    for days, chance in probability.items():
        rows = watched >= days
        if days < cap and rows.sum() >= MIN_BRIER_ROWS:
            fails = (true <= days) & (true < watched)
            scores.append(float(((chance - fails)[rows] ** 2).mean()))
    return float(np.mean(scores)) if scores else None


def absolute_errors(true: Floats, predicted: Floats, watched: Floats) -> Floats:
    """|min(prediction, watched) - min(T, watched)|, days, shape (n,); arguments as in `score`."""
    errors: Floats = np.abs(np.minimum(predicted, watched) - np.minimum(true, watched))
    return errors


def covered(true: Floats, low: Floats, high: Floats, cap: float, watched: Floats) -> float:
    """The share of true values within intervals: what neither lies below, nor above.

    Whether a failure comes before `low` is known of rows that were watched so long, whatever became of them; whether
    it comes after `high` of others. Each share is of its own rows. Nothing lies above an end that is the cap.
    """
    early, late = watched >= low, (watched >= high) | (high >= cap)
    below = float((true < low)[early].mean()) if early.any() else 0.0
    above = float((true > high)[late].mean()) if late.any() else 0.0
    return 1 - below - above


def _best_constant_error(true: Floats, watched: Floats) -> float:
    """The smallest squared error, as far as rows were watched, of one answer for all, days²."""
    true = np.minimum(true, watched)
    answers = [float(true.mean()), *np.linspace(0.0, float(true.max()), _ANSWERS).tolist()]
    return min(float(((np.minimum(answer, watched) - true) ** 2).sum()) for answer in answers)


def intervals(
    predicted: Floats, calibration: Calibration | Distribution, cap: float, age: Floats | None = None
) -> tuple[Floats, Floats]:
    """The ends of the intervals of predictions, as serving computes them.

    Args:
        predicted: days, shape (n,).
        calibration: the interval.
        cap: the largest RUL that is told, days.
        age: hours since the machine's last failure, NaN for unknown, shape (n,); None where it's unknown of all.
    """
    ages = [np.nan] * len(predicted) if age is None else age.tolist()
    ends = np.empty((len(predicted), 2))
    for at, (days, hours) in enumerate(zip(predicted.tolist(), ages, strict=True)):
        ends[at] = calibration.interval(days, cap, hours)
    return ends[:, 0], ends[:, 1]


def nasa_score(true: Floats, predicted: Floats) -> float:
    """The PHM08 score: the sum of exp(-d/13) - 1 for d < 0 and exp(d/10) - 1 otherwise; d = predicted - true, cycles.

    Saxena et al., "Damage Propagation Modeling for Aircraft Engine Run-to-Failure Simulation", 2008.
    """
    d = predicted - true
    return float(np.where(d < 0, np.exp(-d / 13) - 1, np.exp(d / 10) - 1).sum())

"""Figures by which models are judged; all errors in days."""

import msgspec
import numpy as np

from monitory.model.distribution import Distribution
from monitory.model.model import Calibration
from monitory_retrain.array_types import Floats

NEAR_FAILURE_DAYS = 3.0


class Scores(msgspec.Struct, frozen=True):
    """Errors of predictions.

    Attributes:
        rows: how many predictions.
        rmse, mae, r2: over all of them; r2 is None where the true RUL doesn't vary.
        near_mae: MAE where the true RUL is at most 3 days; None where there is no such row.
        near_rows: how many those are.
        coverage, width: share of true values within the interval, and its mean width in days.
    """

    rows: int
    rmse: float
    mae: float
    r2: float | None
    near_mae: float | None
    near_rows: int
    coverage: float | None = None
    width: float | None = None


def score(
    true: Floats,
    predicted: Floats,
    calibration: Calibration | Distribution | None = None,
    cap: float = np.inf,
    age: Floats | None = None,
) -> Scores:
    """Scores of predictions, shape (n,) each, n > 0; `cap` and `age` as in `intervals`."""
    error = predicted - true
    near = true <= NEAR_FAILURE_DAYS
    spread = float(((true - true.mean()) ** 2).sum())
    coverage = width = None
    if calibration:
        low, high = intervals(predicted, calibration, cap, age)
        coverage = float(((low <= true) & (true <= high)).mean())
        width = float((high - low).mean())
    return Scores(
        rows=len(true),
        rmse=float(np.sqrt((error**2).mean())),
        mae=float(np.abs(error).mean()),
        r2=1 - float((error**2).sum()) / spread if spread else None,
        near_mae=float(np.abs(error[near]).mean()) if near.any() else None,
        near_rows=int(near.sum()),
        coverage=coverage,
        width=width,
    )


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
    ends = np.array(
        [calibration.interval(days, cap, hours) for days, hours in zip(predicted.tolist(), ages, strict=True)]
    )
    ends = ends.reshape(-1, 2)
    return ends[:, 0], ends[:, 1]


def nasa_score(true: Floats, predicted: Floats) -> float:
    """The PHM08 score: the sum of exp(-d/13) - 1 for d < 0 and exp(d/10) - 1 otherwise; d = predicted - true, cycles.

    Saxena et al., "Damage Propagation Modeling for Aircraft Engine Run-to-Failure Simulation", 2008.
    """
    d = predicted - true
    return float(np.where(d < 0, np.exp(-d / 13) - 1, np.exp(d / 10) - 1).sum())

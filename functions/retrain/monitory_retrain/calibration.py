"""Conformal intervals, adaptive to the predicted RUL.

Out-of-fold predictions neither trained nor chose the model that made them, so their residuals true - predicted show
how wrong it is elsewhere. They are gathered in bins of the prediction of equal size. In each bin the interval's ends
are two residual quantiles that lie `coverage` apart, the pair whose interval is the narrowest: near the cap, where
many true values are the cap itself, the whole error budget then goes to the lower side. Between the bins' median
predictions the ends are interpolated, and a factor for each third of the predictions stretches them.

Ends that were chosen as the narrowest fit their own residuals too well. So the factors come from lives that had no part
in them: the lives are dealt into folds, the ends of each fold are chosen on the others, each row tells the smallest
factor with which these would have held it, and a third's factor is the quantile of its rows' that `coverage` asks for.

Sources: out-of-fold residuals, Barber et al., "Predictive inference with the jackknife+", 2021; bins, Vovk et al.,
"Algorithmic Learning in a Random World", 2005 (Mondrian conformal prediction); the factor, Vovk, "Cross-conformal
predictors", 2015.

Every settled hour counts the same, as it will in service; hours soon after a repair and hours of machines whose last
failure nobody knows, which both are harder to tell, stretch the interval by a factor of their own. Hours of a life are
near copies, so the exchangeable unit of the finite-sample correction 1 + 1/n is the life.
"""

import numpy as np
import numpy.typing as npt

from monitory.model import Calibration, CalibrationPoint
from monitory_retrain.arrays import Floats, Ints
from monitory_retrain.split import folds
from monitory_retrain.training import SETTLED_HOURS

BINS = 10
MIN_LIVES = 5
"""Fewer runs to failure say nothing of the next one's error."""

FOLDS = 5

SMALLEST_FACTOR, LARGEST_FACTOR = 0.3, 3.0

_SHIFTS = 11


def calibrate(
    true: Floats,
    predicted: Floats,
    settled: npt.NDArray[np.bool_],
    life: Ints,
    age: Floats,
    coverage: float,
    cap: float,
) -> Calibration | None:
    """The interval of a model from out-of-fold predictions.

    Args:
        true: days, shape (n,).
        predicted: out of fold, days, shape (n,); limited to 0..cap as serving does.
        settled: rows whose trends have something to go by, as training says, shape (n,).
        life: which run between failures a row belongs to, shape (n,).
        age: hours since the machine's last failure, NaN for unknown, shape (n,).
        coverage: the share of true values that intervals are to hold, 0..1.
        cap: the largest RUL that is told, days.

    Returns:
        None when there are too few lives.
    """
    unknown = settled & np.isnan(age)
    usual = settled & ~unknown
    if _lives(life, usual) < MIN_LIVES:  # nobody knows of any machine
        usual, unknown = settled, unknown & False
    lives = _lives(life, usual)
    if lives < MIN_LIVES:
        return None
    share = min(coverage * (1 + 1 / lives), 1.0)
    predicted = np.clip(predicted, 0.0, cap)
    points = _points(true[usual], predicted[usual], life[usual], share, cap)
    factors = [
        _stretch(_factors(points, true[rows], predicted[rows]), share) if _lives(life, rows) >= MIN_LIVES else 1.0
        for rows in (~settled, unknown)
    ]
    return Calibration(coverage, tuple(points), SETTLED_HOURS, *factors)


def _lives(life: Ints, rows: npt.NDArray[np.bool_]) -> int:
    """How many lives some rows are of."""
    return len(np.unique(life[rows]))


def _points(true: Floats, predicted: Floats, life: Ints, share: float, cap: float) -> list[CalibrationPoint]:
    """The ends of settled rows' intervals, stretched by what lives without a part in them ask for."""
    fold = folds(life, FOLDS, seed=0)
    factors = np.empty(len(true))
    for number in range(int(fold.max()) + 1):
        held, others = fold == number, fold != number
        ends = _ends(true[others], predicted[others], share, cap)
        factors[held] = _factors(ends, true[held], predicted[held])
    thirds = np.array_split(np.argsort(predicted, kind="stable"), 3)
    stretch = [_stretch(factors[rows], share) for rows in thirds]
    begins = [predicted[rows[0]] for rows in thirds[1:]]
    points = []
    for point in _ends(true, predicted, share, cap):
        factor = stretch[int(np.searchsorted(begins, point.predicted, side="right"))]
        points.append(CalibrationPoint(point.predicted, point.low * factor, point.high * factor))
    return points


def _stretch(factors: Floats, share: float) -> float:
    """The factor that holds a share of the rows, within bounds."""
    return min(max(_quantile(factors, share), SMALLEST_FACTOR), LARGEST_FACTOR)


def _ends(true: Floats, predicted: Floats, share: float, cap: float) -> list[CalibrationPoint]:
    """The narrowest ends of each bin of the prediction."""
    return [
        CalibrationPoint(_quantile(predicted[rows], 0.5), *_narrowest(true[rows], predicted[rows], share, cap))
        for rows in np.array_split(np.argsort(predicted, kind="stable"), min(BINS, len(true)))
    ]


def _narrowest(true: Floats, predicted: Floats, share: float, cap: float) -> tuple[float, float]:
    """The two residual quantiles, `share` apart, whose interval within 0 and the cap is the narrowest on average."""
    residual = true - predicted
    found = []
    for below in np.linspace(0.0, 1 - share, _SHIFTS).tolist():
        low = min(_quantile(residual, below), 0.0)
        high = max(_quantile(residual, below + share), 0.0)
        width = np.clip(predicted + high, 0, cap) - np.clip(predicted + low, 0, cap)
        found.append((round(float(width.mean()), 9), low, high))
    _, low, high = min(found, key=lambda pair: pair[0])
    return low, high


def _factors(points: list[CalibrationPoint], true: Floats, predicted: Floats) -> Floats:
    """The smallest factor of the ends with which each row's interval holds its true value, shape (n,)."""
    at, lows, highs = (np.array(column) for column in zip(*((p.predicted, p.low, p.high) for p in points), strict=True))
    residual = true - predicted
    end = np.where(residual < 0, np.interp(predicted, at, lows), np.interp(predicted, at, highs))
    return np.where(residual == 0, 0.0, residual / np.where(end == 0, np.copysign(1e-9, residual), end))


def _quantile(values: Floats, share: float) -> float:
    """The smallest value at or below which at least `share` of the values lie; the smallest of all for 0."""
    rank = int(np.ceil(share * len(values) - 1e-9)) - 1
    return float(np.sort(values)[min(max(rank, 0), len(values) - 1)])

"""Conformal intervals, adaptive to the predicted RUL.

A row's out-of-fold prediction is made by boosters that its life neither taught nor chose, so the residuals true -
predicted show how wrong these are elsewhere. They are gathered in bins of the prediction of equal size. In each bin the
interval's ends are two residual quantiles that lie `coverage` apart, the pair whose interval is the narrowest: near the
cap, where many true values are the cap itself, the whole error budget then goes to the lower side. Between the bins'
median predictions the ends are interpolated, and a factor for each third of the predictions stretches them.

Ends that were chosen as the narrowest fit their own residuals too well. So the factors come from lives that had no part
in them: the lives are dealt into folds, the ends of each fold are chosen on the others, each row tells the smallest
factor with which these would have held it, and a third's factor is the quantile of its rows' that `coverage` asks for.

Sources: out-of-fold residuals, Barber et al., "Predictive inference with the jackknife+", 2021; bins, Vovk et al.,
"Algorithmic Learning in a Random World", 2005 (Mondrian conformal prediction); the factor, Vovk, "Cross-conformal
predictors", 2015.

Hours of a life are near copies, so the life is what is exchangeable: all its settled hours together count as much as
those of any other life, and the finite-sample correction 1 + 1/n counts lives (Lee, Barber and Willett,
"Distribution-free inference with hierarchical data", 2023). Hours soon after a repair and hours of machines whose last
failure nobody knows, which both are harder to tell, stretch the interval by a factor of their own.
"""

import numpy as np
import numpy.typing as npt

from monitory.model.model import Calibration, CalibrationPoint
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.split import folds
from monitory_retrain.training.training import SETTLED_HOURS, life_weights

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
    everything = _Rows(true, np.clip(predicted, 0.0, cap), life)
    unknown = settled & np.isnan(age)
    early, usual, unsure = (everything.take(rows) for rows in (~settled, settled & ~unknown, unknown))
    if usual.lives < MIN_LIVES:  # nobody knows of any machine
        usual, unsure = everything.take(settled), everything.take(unknown & False)
    if usual.lives < MIN_LIVES:
        return None
    share = min(coverage * (1 + 1 / usual.lives), 1.0)
    points = _points(usual, share, cap)
    factors = [
        _stretch(_factors(points, rows), rows.weight, share) if rows.lives >= MIN_LIVES else 1.0
        for rows in (early, unsure)
    ]
    return Calibration(coverage, tuple(points), SETTLED_HOURS, *factors)


class _Rows:
    """Rows with out-of-fold predictions.

    Attributes:
        true, predicted: days, shape (n,).
        life: which run between failures each belongs to, shape (n,).
        lives: how many those are.
        weight: the rows of each life share 1, shape (n,).
    """

    def __init__(self, true: Floats, predicted: Floats, life: Ints) -> None:
        """Weigh the rows."""
        self.true, self.predicted, self.life = true, predicted, life
        self.lives = len(np.unique(life))
        self.weight = life_weights(life, np.ones(len(life), dtype=np.bool_))

    def take(self, rows: npt.NDArray[np.bool_]) -> "_Rows":
        """Some of the rows, weighed among themselves."""
        return _Rows(self.true[rows], self.predicted[rows], self.life[rows])


def _points(rows: _Rows, share: float, cap: float) -> list[CalibrationPoint]:
    """The ends of settled rows' intervals, stretched by what lives without a part in them ask for."""
    fold = folds(rows.life, FOLDS, seed=0)
    factors = np.empty(len(fold))
    for number in range(int(fold.max()) + 1):
        held = fold == number
        factors[held] = _factors(_ends(rows.take(~held), share, cap), rows.take(held))
    thirds = np.array_split(np.argsort(rows.predicted, kind="stable"), 3)
    stretch = [_stretch(factors[third], rows.weight[third], share) for third in thirds]
    begins = [rows.predicted[third[0]] for third in thirds[1:]]
    points = []
    for point in _ends(rows, share, cap):
        factor = stretch[int(np.searchsorted(begins, point.predicted, side="right"))]
        points.append(CalibrationPoint(point.predicted, point.low * factor, point.high * factor))
    return points


def _stretch(factors: Floats, weight: Floats, share: float) -> float:
    """The factor that holds a share of the rows, within bounds."""
    return min(max(_quantile(factors, weight, share), SMALLEST_FACTOR), LARGEST_FACTOR)


def _ends(rows: _Rows, share: float, cap: float) -> list[CalibrationPoint]:
    """The narrowest ends of each bin of the prediction."""
    points = []
    for part in np.array_split(np.argsort(rows.predicted, kind="stable"), min(BINS, len(rows.predicted))):
        predicted, weight = rows.predicted[part], rows.weight[part]
        ends = _narrowest(rows.true[part], predicted, weight, share, cap)
        points.append(CalibrationPoint(_quantile(predicted, weight, 0.5), *ends))
    return points


def _narrowest(true: Floats, predicted: Floats, weight: Floats, share: float, cap: float) -> tuple[float, float]:
    """The two residual quantiles, `share` apart, whose interval within 0 and the cap is the narrowest on average."""
    residual = true - predicted
    found = []
    for below in np.linspace(0.0, 1 - share, _SHIFTS).tolist():
        low = min(_quantile(residual, weight, below), 0.0)
        high = max(_quantile(residual, weight, below + share), 0.0)
        width = np.clip(predicted + high, 0, cap) - np.clip(predicted + low, 0, cap)
        found.append((round(float(np.average(width, weights=weight)), 9), low, high))
    _, low, high = min(found, key=lambda pair: pair[0])
    return low, high


def _factors(points: list[CalibrationPoint], rows: _Rows) -> Floats:
    """The smallest factor of the ends with which each row's interval holds its true value, shape (n,)."""
    at, lows, highs = (np.array(column) for column in zip(*((p.predicted, p.low, p.high) for p in points), strict=True))
    residual = rows.true - rows.predicted
    end = np.where(residual < 0, np.interp(rows.predicted, at, lows), np.interp(rows.predicted, at, highs))
    return np.where(residual == 0, 0.0, residual / np.where(end == 0, np.copysign(1e-9, residual), end))


def _quantile(values: Floats, weight: Floats, share: float) -> float:
    """The smallest value at or below which at least `share` of the weight lies; the smallest of all for 0."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weight[order])
    rank = int(np.searchsorted(below, share * below[-1] * (1 - 1e-12)))
    return float(values[order[min(rank, len(order) - 1)]])

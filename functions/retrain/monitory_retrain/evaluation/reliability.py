"""How far P(failure within N days) can be trusted: the Brier score beside the base rate's, and a reliability table.

Judged on the hours that lie at least N days before the end of the data, whatever became of their machines: nearer to
the end only the machines that fail would be known. Of these, hours whose run ends earlier without a failure (by
maintenance, or unseen) are left out.

Brier, "Verification of Forecasts Expressed in Terms of Probability", 1950; Murphy and Winkler, "Reliability of
Subjective Probability Forecasts", 1977.
"""

import msgspec
import numpy as np

from monitory.clock import HOURS_PER_DAY
from monitory.model.distribution import Distribution
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.evaluation.holdout import probabilities

HORIZONS_DAYS = (3, 7)

_EDGES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9)


class Bin(msgspec.Struct, frozen=True):
    """Hours of about the same predicted probability: how many, its mean, and the share of them that fails in time."""

    rows: int
    predicted: float
    observed: float


class Reliability(msgspec.Struct, frozen=True):
    """P(failure within `days`) on a hold-out.

    Attributes:
        days: the horizon.
        rows: hours that are judged; with none, all the rest is empty.
        failures: share of them that fails in time, the base rate.
        brier: mean squared error of the probability; 0 is perfect.
        base_brier: that of answering the base rate always.
        bins: by predicted probability, ascending; bins without hours are left out.
    """

    days: int
    rows: int
    failures: float | None
    brier: float | None
    base_brier: float | None
    bins: list[Bin]


def reliability(holdout: Dataset, predicted: Floats, distribution: Distribution) -> list[Reliability]:
    """The reliability of a model's failure probabilities, one entry a horizon up to the cap.

    Args:
        holdout: its rows.
        predicted: days, shape (n,).
        distribution: of the life left, given a predicted RUL.
    """
    offered = [days for days in HORIZONS_DAYS if days <= distribution.days[-1]]
    chances = probabilities(distribution, predicted)
    scores = []
    for days in offered:
        fails = holdout.rul <= days  # False for NaN
        early_enough = holdout.hour + days * HOURS_PER_DAY <= holdout.hour.max() if len(holdout) else fails
        judged = early_enough & (fails | (holdout.seen >= days))
        scores.append(_score(days, chances[days][judged], fails[judged].astype(float)))
    return scores


def _score(days: int, chance: Floats, fails: Floats) -> Reliability:
    if not len(chance):
        return Reliability(days, 0, None, None, None, [])
    base = float(fails.mean())
    bin_of = np.digitize(chance, _EDGES)
    bins = [
        Bin(int(rows.sum()), float(chance[rows].mean()), float(fails[rows].mean()))
        for number in range(len(_EDGES) + 1)
        if (rows := bin_of == number).any()
    ]
    return Reliability(days, len(chance), base, float(((chance - fails) ** 2).mean()), base * (1 - base), bins)

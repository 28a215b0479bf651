"""What the share of true values within the interval says, and what to do about it.

Hours of one life are alike: a life counts as one draw, whatever its hours, so that chance is not taken for a fault.
Which shares the draws leave plausible is Wilson's interval ("Probable Inference, the Law of Succession, and Statistical
Inference", 1927).
"""

from math import sqrt
from typing import NamedTuple

import numpy as np

from monitory.model.card import Calibration
from monitory.model.distribution import Distribution
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.split import TimeSplit
from monitory_retrain.evaluation.scores import covered, intervals
from monitory_retrain.evaluation.verdict import COVERAGE_TOLERANCE
from monitory_retrain.report.figures import Coverage
from monitory_retrain.report.language.words import Phrase, say

ENOUGH_LIVES = 10
"""With fewer, nothing is said about the coverage."""

_DEVIATIONS = 1.645
"""Standard deviations on either side that hold `CONFIDENCE` of a normal distribution."""


class Advice(NamedTuple):
    """What the coverage says.

    Attributes:
        tone: of the page: `warn` where something is to be done, `good` where nothing is, empty where nothing is known.
        finding: a sentence.
        remedy: what to do; None where nothing is.
    """

    tone: str
    finding: Phrase
    remedy: Phrase | None = None


def parts(split: TimeSplit, predicted: Floats, calibration: Calibration | Distribution, cap: float) -> list[Coverage]:
    """The interval's coverage overall and by thirds of predicted RUL."""
    low, high = intervals(predicted, calibration, cap, split.holdout.age)
    true, watched, width = split.holdout.seen, split.watched, high - low
    result = [Coverage("all hours", covered(true, low, high, cap, watched), float(width.mean()))]
    order = np.argsort(predicted, kind="stable")
    for third in np.array_split(order, 3):
        if len(third):
            label = f"predicted {predicted[third].min():.1f}–{predicted[third].max():.1f}"
            share = covered(true[third], low[third], high[third], cap, watched[third])
            result.append(Coverage(label, share, float(width[third].mean())))
    return result


def advice(split: TimeSplit, predicted: Floats, calibration: Calibration | Distribution, cap: float) -> Advice:
    """What the coverage of a hold-out says; arguments as in `scores.intervals`."""
    low, high = intervals(predicted, calibration, cap, split.holdout.age)
    true, watched = split.holdout.seen, split.watched
    judged = (watched >= low) | (watched >= high) | (high >= cap)
    lives = len(np.unique(split.holdout.life[judged]))
    early = watched >= low
    below = float((true < low)[early].mean()) if early.any() else 0.0
    return of_share(covered(true, low, high, cap, watched), below, calibration.coverage, lives)


def of_share(share: float, below: float, target: float, lives: int) -> Advice:
    """What a coverage says.

    Args:
        share: of true values within the interval, 0..1.
        below: of failures before it, 0..1.
        target: what is intended, 0..1.
        lives: that the shares rest on.
    """
    if lives < ENOUGH_LIVES:
        return Advice(
            "",
            say(
                "Too few lives to judge the interval: {lives} in the hold-out, {enough} are needed.",
                lives=lives,
                enough=ENOUGH_LIVES,
            ),
        )
    least, most = plausible(share, lives)
    figures = {"share": f"{share:.0%}", "target": f"{target:.0%}", "lives": lives}
    if share < target - COVERAGE_TOLERANCE and most < target:
        return Advice(
            "warn",
            say(
                "Too narrow: {share} of true RUL lie within, {target} are intended, and chance with {lives} lives "
                "explains {most} at most. {below} fail before the interval, {above} after it.",
                most=f"{most:.0%}",
                below=f"{below:.0%}",
                above=f"{max(0.0, 1 - share - below):.0%}",
                **figures,
            ),
            say(
                "Check whether sensors moved, whether machines are used or repaired differently than in training, and "
                "whether the log has failures at the right hours. If none of it explains this, raise COVERAGE "
                "(parameter Coverage) from {now} to {higher}, say: intervals are wider from the next retrain on. Until "
                "then plan by the early end, and not to the day.",
                now=f"{target:g}",
                higher=f"{(1 + target) / 2:.6g}",
            ),
        )
    if share > target + COVERAGE_TOLERANCE and least > target:
        return Advice(
            "warn",
            say(
                "Too wide: {share} of true RUL lie within, {target} are intended, and chance with {lives} lives "
                "explains {least} at least. Wide intervals make plans vague.",
                least=f"{least:.0%}",
                **figures,
            ),
            say(
                "Check whether these days were quieter than usual. If the reports of the next nights agree, lower "
                "COVERAGE (parameter Coverage) from {now} to {lower}, say: intervals are narrower from the next "
                "retrain on.",
                now=f"{target:g}",
                lower=f"{max(target - COVERAGE_TOLERANCE, target / 2):.6g}",
            ),
        )
    return Advice(
        "good",
        say(
            "{share} of true RUL lie within, {target} are intended: no clear difference with {lives} lives, which "
            "leave {least} to {most} plausible. Nothing to do.",
            least=f"{least:.0%}",
            most=f"{most:.0%}",
            **figures,
        ),
    )


def plausible(share: float, draws: int) -> tuple[float, float]:
    """Wilson's interval of a share of some draws, at `CONFIDENCE`, 0..1.

    >>> least, most = plausible(1.0, 10)
    >>> round(least, 2), most
    (0.79, 1.0)
    """
    squared = _DEVIATIONS**2 / draws
    middle = (share + squared / 2) / (1 + squared)
    reach = _DEVIATIONS * sqrt(share * (1 - share) / draws + squared / (4 * draws)) / (1 + squared)
    return max(0.0, middle - reach), min(1.0, middle + reach)

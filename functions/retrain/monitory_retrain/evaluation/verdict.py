"""Whether a challenger deserves to replace the champion: a value, decided without storage.

Both are scored on the same newest hold-out, in pairs of the same rows. Errors of neighbouring hours are alike, so
the confidence interval of the difference comes from a block bootstrap whose blocks are machine-days (Künsch, "The
Jackknife and the Bootstrap for General Stationary Observations", 1989).
"""

import msgspec
import numpy as np

from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.evaluation.holdout import Baselines
from monitory_retrain.evaluation.scores import NEAR_FAILURE_DAYS, Scores, absolute_errors

MIN_SKILL = 0.1
"""By this share a served model's Brier score must be lower than that of what Kaplan and Meier see in training."""

MIN_R2 = 0.2
"""A model without failure probabilities must explain this much of the hold-out's variance to be served."""

NEAR_TOLERANCE = 0.05
"""The challenger's MAE near failure may be this share above the champion's: sampling noise."""

COVERAGE_TOLERANCE = 0.05
"""Intervals may hold so much less than is promised; less than that only where the champion's hold no more."""

MIN_HOLDOUT_ROWS = 48
RESAMPLES = 500
CONFIDENCE = 0.9


class Comparison(msgspec.Struct, frozen=True):
    """Champion against challenger: mean difference of absolute errors in days, negative when the challenger is better.

    Attributes:
        difference: challenger's MAE minus champion's.
        low, high: its 90 % confidence interval.
        blocks: machine-days that it rests on.
    """

    difference: float
    low: float
    high: float
    blocks: int


class Verdict(msgspec.Struct, frozen=True):
    """Promote or not, and why, in sentences; the first is the decisive one."""

    promote: bool
    reasons: tuple[str, ...]
    comparison: Comparison | None = None


def compare(
    true: Floats,
    champion: Floats,
    challenger: Floats,
    machine: Ints,
    day: Ints,
    watched: Floats | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare two models on the same rows.

    Args:
        true, watched: as in `scores.score`.
        champion, challenger: predictions in days, shape (n,).
        machine, day: which block a row belongs to, shape (n,).
        seed: of the bootstrap.
    """
    watched = np.full(len(true), np.inf) if watched is None else watched
    difference = absolute_errors(true, challenger, watched) - absolute_errors(true, champion, watched)
    _, block = np.unique(np.stack([machine, day]), axis=1, return_inverse=True)
    block = block.ravel()
    sums = np.bincount(block, weights=difference)
    sizes = np.bincount(block)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Comparison(float(difference.mean()), float(low), float(high), len(sums))


def first(challenger: Scores, baselines: Baselines) -> Verdict:
    """The verdict on a model that has no champion to beat; `baselines` are scored on the same hold-out."""
    faults = _below_bar(challenger, baselines)
    if faults:
        return Verdict(False, tuple(faults))
    mean, last_life = baselines.mean, baselines.last_life
    if challenger.brier is None:
        figures = f"MAE {challenger.mae:.2f} days", f"{mean.mae:.2f}", f"{last_life.mae:.2f}", f"R² {challenger.r2:.2f}"
    else:
        skill = f"skill {_skill(challenger, baselines):.2f}, MAE {challenger.mae:.2f} days"
        figures = f"Brier score {challenger.brier:.3f}", f"{mean.brier:.3f}", f"{last_life.brier:.3f}", skill
    what, than_mean, than_last_life, more = figures
    beaten = f"the training mean ({than_mean}) and the last-life baseline ({than_last_life})"
    return Verdict(True, (f"the first model: {what} beats {beaten}, {more}",))


def against(
    champion: Scores,
    challenger: Scores,
    comparison: Comparison,
    baselines: Baselines,
    *,
    margin: float,
    coverage: float,
) -> Verdict:
    """The verdict on a challenger.

    Promoted when it passes the bar of a first model (a champion, a foreign one above all, may lie below it), its MAE
    is lower by the margin, the confidence interval of the difference lies below zero, and it is worse neither near
    failure nor in coverage.

    Args:
        champion, challenger: scores on the same hold-out.
        comparison: of the same rows.
        baselines: as in `first`.
        margin: share of the champion's MAE by which the challenger must be better, 0..1.
        coverage: what intervals promise, 0..1.
    """
    faults = _below_bar(challenger, baselines)
    gain = 1 - challenger.mae / champion.mae if champion.mae else 0.0
    figures = (
        f"MAE {challenger.mae:.2f} against {champion.mae:.2f} days, difference {comparison.difference:+.3f} "
        f"({CONFIDENCE:.0%} CI {comparison.low:+.3f} to {comparison.high:+.3f}, {comparison.blocks} machine-days)"
    )
    if gain < 0:
        faults.append(f"worse than the champion: {figures}")
    elif gain < margin:
        faults.append(f"not better by the margin of {margin:.0%}: {figures}")
    elif comparison.high >= 0:
        faults.append(f"better, but not significantly: {figures}")
    if (
        champion.near_mae is not None
        and challenger.near_mae is not None
        and challenger.near_mae > champion.near_mae * (1 + NEAR_TOLERANCE)
    ):
        faults.append(
            f"worse near failure (RUL <= {NEAR_FAILURE_DAYS:g} days): MAE {challenger.near_mae:.2f} against "
            f"{champion.near_mae:.2f} days"
        )
    if champion.coverage is not None and challenger.coverage is None:
        faults.append(f"it has no interval, the champion's covers {champion.coverage:.0%}")
    elif champion.coverage is not None and challenger.coverage is not None:
        # Holding more than was promised costs width, not trust. The floor stands still: a champion below it is no
        # licence to go lower, or coverage would sink a little with every promotion.
        floor = min(coverage - COVERAGE_TOLERANCE, champion.coverage)
        if challenger.coverage < floor:
            faults.append(
                f"its intervals cover {challenger.coverage:.0%} instead of {coverage:.0%}, the champion's "
                f"{champion.coverage:.0%}"
            )
    if faults:
        return Verdict(False, tuple(faults), comparison)
    return Verdict(True, (f"better than the champion by {gain:.0%}: {figures}",), comparison)


def _below_bar(challenger: Scores, baselines: Baselines) -> list[str]:
    """What keeps a model from being served, whatever it would replace.

    Probabilities are held against those of the baselines. A model without any, of fewer than five runs to failure, is
    held to the error of its one answer.
    """
    faults = []
    if challenger.rows < MIN_HOLDOUT_ROWS:
        faults.append(f"the hold-out has {challenger.rows} hours, fewer than {MIN_HOLDOUT_ROWS}")
    if not challenger.near_rows:
        faults.append("no failure fell into the hold-out, so nothing tells how right the model is")
    names = ("the training mean", baselines.mean), ("the last-life baseline", baselines.last_life)
    if challenger.brier is not None:
        skill = _skill(challenger, baselines)
        if skill < MIN_SKILL:
            faults.append(f"its probabilities of failure have a skill of {skill:.2f}, a served model needs {MIN_SKILL}")
        return faults + [
            f"Brier score {challenger.brier:.3f} does not beat {name} with {scores.brier:.3f}"
            for name, scores in names
            if scores.brier is not None and challenger.brier >= scores.brier
        ]
    if challenger.r2 is None or challenger.r2 < MIN_R2:
        r2 = "undefined" if challenger.r2 is None else f"{challenger.r2:.2f}"
        faults.append(f"R² on the hold-out is {r2}, a served model needs {MIN_R2}")
    return faults + [
        f"MAE {challenger.mae:.2f} days does not beat {name} with {scores.mae:.2f}"
        for name, scores in names
        if challenger.mae >= scores.mae
    ]


def _skill(challenger: Scores, baselines: Baselines) -> float:
    """1 - Brier score / that of the training mean; 1 is perfect, 0 knows no more than the lives in training tell."""
    if challenger.brier is None or not baselines.mean.brier:
        return 0.0
    return 1 - challenger.brier / baselines.mean.brier

"""Lifetimes of which some are not seen to end, and their survival curve by Kaplan and Meier."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitory_retrain.array_types import Floats, Ints

_LEAST_EXPOSURE = 1 / 48  # days; a failure in the very hour that a period begins has half an hour at risk
_MIN_AT_RISK = 0.02  # share of rows; fewer don't tell the hazard
_PART_ROWS = 100_000  # whose exposure is held at once
_MEAN_STEPS, _MEAN_ROWS = 120, 20_000
_TAIL = 6  # intervals of the curve whose mean hazard goes on where nobody is at risk any more


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """What was seen of rows' remaining lives.

    Attributes:
        time: days until the failure, the cap or the end of sight, shape (n,).
        event: which times are exact: failures, and lives that reached the cap, shape (n,).
        cap: days.
    """

    time: Floats
    event: npt.NDArray[np.bool_]
    cap: float

    def take(self, rows: npt.NDArray[np.bool_] | Ints) -> "Lifetimes":
        """Those of some rows."""
        return Lifetimes(self.time[rows], self.event[rows], self.cap)

    @property
    def failed(self) -> npt.NDArray[np.bool_]:
        """Rows whose failure was seen before the cap, shape (n,)."""
        return self.event & (self.time < self.cap)


def exposure(lives: Lifetimes, edges: Floats) -> tuple[Floats, Floats]:
    """Days at risk and failures of each row in each period, shape (n, periods)."""
    at_risk = np.clip(lives.time[:, None], edges[:-1], edges[1:]) - edges[:-1]
    failures = np.zeros_like(at_risk)
    row = np.flatnonzero(lives.failed)
    period = np.searchsorted(edges, lives.time[row], side="right") - 1
    failures[row, period] = 1.0
    at_risk[row, period] = np.maximum(at_risk[row, period], _LEAST_EXPOSURE)
    return at_risk, failures


def kaplan_meier(lives: Lifetimes, days: Floats) -> Floats:
    """S at ascending days from 0 to the cap; where too few are at risk the last hazards go on. Shape (len(days),)."""
    width = np.diff(days)
    at_risk, failures = np.zeros(len(width)), np.zeros(len(width))
    for begin in range(0, len(lives.time), _PART_ROWS):
        part = exposure(lives.take(np.arange(begin, min(begin + _PART_ROWS, len(lives.time)))), days)
        at_risk, failures = at_risk + part[0].sum(axis=0), failures + part[1].sum(axis=0)
    enough = at_risk / (width * len(lives.time)) > _MIN_AT_RISK
    rate = failures / np.maximum(at_risk, 1e-12)
    end = len(width) if enough.all() else int(enough.argmin())
    last = slice(max(end - _TAIL, 0), max(end, 1))
    rate[end:] = failures[last].sum() / max(float(at_risk[last].sum()), 1e-12)
    survival: Floats = np.exp(-np.r_[0.0, np.cumsum(rate * width)])
    return survival


def mean_time(lives: Lifetimes) -> float:
    """The mean of times up to the cap, days, with those that were not seen to end: the area below S.

    Hours of a run are near copies: of many rows, some are enough.
    """
    lives = lives.take(np.arange(len(lives.time))[:: max(1, len(lives.time) // _MEAN_ROWS)])
    days = np.linspace(0.0, lives.cap, _MEAN_STEPS + 1)
    return float(np.trapezoid(kaplan_meier(lives, days), days))

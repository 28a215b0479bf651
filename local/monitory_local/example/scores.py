"""Predictions beside the truth, in cycles (hours)."""

import json
from collections.abc import Sequence
from math import sqrt
from statistics import fmean
from typing import NamedTuple

CAP_CYCLES = 125


class Prediction(NamedTuple):
    """A prediction of a machine in an hour.

    Attributes:
        equip_id: the machine.
        hour: as of when.
        cycles: predicted RUL.
        low, high: its interval; `high` is None where it reaches the cap, both are where there is none.
        driver: the sensor with the largest effect.
        true: the RUL.
    """

    equip_id: str
    hour: int
    cycles: float
    low: float | None
    high: float | None
    driver: str
    true: int

    @property
    def capped(self) -> float:
        """The RUL as far as predictions distinguish it."""
        return min(self.true, CAP_CYCLES)

    @property
    def inside(self) -> bool:
        """Whether the interval holds the RUL."""
        return (self.low or 0.0) <= self.true <= (self.high if self.high is not None else float("inf"))


def figures(predictions: Sequence[Prediction], training_mean: float) -> dict[str, float]:
    """Errors in cycles against the capped and the raw truth, those of answering the mean, and the share inside."""
    errors = [item.cycles - item.capped for item in predictions]
    return {
        "predictions": len(predictions),
        "rmse": _rms(errors),
        "rmse_raw": _rms([item.cycles - item.true for item in predictions]),
        "mae": round(fmean(map(abs, errors)), 2),
        "mean_rmse": _rms([training_mean - item.capped for item in predictions]),
        "coverage": round(fmean(item.inside for item in predictions), 3),
    }


def as_line(item: Prediction) -> str:
    """A prediction as a line of NDJSON."""
    return json.dumps(item._asdict() | {"cycles": round(item.cycles, 2)}) + "\n"


def _rms(errors: Sequence[float]) -> float:
    return round(sqrt(fmean(error * error for error in errors)), 2)

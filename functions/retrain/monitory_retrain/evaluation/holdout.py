"""Models on the hold-out: the challenger, the champion and the rules that both must beat."""

from dataclasses import dataclass

import msgspec
import numpy as np

from monitory.clock import HOURS_PER_DAY
from monitory.features.vector import EQUIPMENT
from monitory.model.card import Calibration
from monitory.model.distribution import PROBABILITY_DAYS, Distribution
from monitory.model.model import Model
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.lifetimes import Lifetimes, kaplan_meier, mean_time
from monitory_retrain.dataset.split import TimeSplit
from monitory_retrain.evaluation.scores import Scores, brier, score

_PART_ROWS = 10_000
"""Predicted at once: as many as a copy of takes next to no memory."""


class MachineScore(msgspec.Struct, frozen=True):
    """Scores of one machine's part of the hold-out."""

    machine: str
    scores: Scores


@dataclass(frozen=True, slots=True)
class Champion:
    """The served model on a challenger's hold-out.

    Attributes:
        version: which; None for a foreign model.
        predicted: its answers, days, shape (n,).
        scores: of these.
    """

    version: str | None
    predicted: Floats
    scores: Scores


class Baselines(msgspec.Struct, frozen=True):
    """Rules that use no sensor.

    Attributes:
        mean: answering the training mean always, and as a probability what Kaplan and Meier see in training.
        last_life: answering what the machine's age says, see `last_life`.
    """

    mean: Scores
    last_life: Scores


def predictions(model: Model, dataset: Dataset) -> Floats:
    """What a model answers for a dataset's rows, through the code that serving uses; days, shape (n,).

    Features that the model knows and the dataset lacks are missing (NaN) to it.
    """
    codes = np.array([model.category(machine.equip_id) for machine in dataset.machines])
    predicted = np.empty(len(dataset))
    for begin in range(0, len(dataset), _PART_ROWS):
        part = dataset.take(np.arange(begin, min(begin + _PART_ROWS, len(dataset))))
        rows = np.full((len(part), len(model.features)), np.nan)
        for at, name in enumerate(model.features):
            if name == EQUIPMENT:
                rows[:, at] = codes[part.machine]
            elif name in part.names:
                rows[:, at] = part.column(name)
        predicted[begin : begin + len(part)] = model.values(rows.data)
    return predicted


def baselines(rows: Dataset, parts: TimeSplit, cap: float) -> Baselines:
    """Scores of the rules on the hold-out.

    Args:
        rows: what was split.
        parts: training and hold-out.
        cap: the largest RUL that is told, days.
    """
    true, watched, training = parts.holdout.seen, parts.watched, parts.training
    mean = np.full(len(true), training_mean(training, cap))
    last = last_life(rows, parts, cap)
    curve = kaplan_meier(Lifetimes(training.seen, ~np.isnan(training.rul), cap), np.array([0.0, *PROBABILITY_DAYS]))
    rates = {days: np.full(len(true), 1 - left) for days, left in zip(PROBABILITY_DAYS, curve[1:], strict=True)}
    certain = {days: (last <= days).astype(float) for days in PROBABILITY_DAYS}
    return Baselines(
        msgspec.structs.replace(score(true, mean, watched=watched), brier=brier(true, watched, rates, cap)),
        msgspec.structs.replace(score(true, last, watched=watched), brier=brier(true, watched, certain, cap)),
    )


def probabilities(distribution: Distribution, predicted: Floats) -> dict[int, Floats]:
    """P(failure within so many days) of predictions in days, by horizon; shape (n,) each."""
    horizons = [days for days, _ in distribution.failure_probability(0.0)]
    chances = np.empty((len(horizons), len(predicted)))
    for at, days in enumerate(predicted.tolist()):
        chances[:, at] = [chance for _, chance in distribution.failure_probability(days)]
    return dict(zip(horizons, chances, strict=True))


def training_mean(training: Dataset, cap: float) -> float:
    """The mean RUL of rows up to the cap, days, with those whose failure was not seen (Kaplan and Meier)."""
    return mean_time(Lifetimes(training.seen, ~np.isnan(training.rul), cap))


def last_life(rows: Dataset, parts: TimeSplit, cap: float) -> Floats:
    """The last-life baseline: a machine lasts as long as it did the last time.

    The answer is the length of the machine's newest run that ended in training, less the days since the present run
    began, at least 0. Machines without one get the mean of all runs in training, those that were not seen to end with
    it (Kaplan and Meier). Runs are as long as was seen of them, up to the cap.

    Args:
        rows: what was split: a run may have begun before the hold-out does.
        parts: training and hold-out.
        cap: the largest RUL that is told, days.
    """
    lives, at = np.unique(rows.life, return_inverse=True)
    began = np.full(len(lives), np.iinfo(np.int64).max)
    np.minimum.at(began, at, rows.hour)
    training = parts.training
    firsts = np.flatnonzero(training.hour == began[np.searchsorted(lives, training.life)])
    ended = ~np.isnan(training.rul[firsts])
    average = mean_time(Lifetimes(training.seen[firsts], ended, cap))
    newest: dict[int, tuple[int, float]] = {}
    for at in firsts[ended].tolist():
        machine, run = int(training.machine[at]), (int(training.hour[at]), float(training.rul[at]))
        newest[machine] = max(run, newest.get(machine, run))
    holdout = parts.holdout
    lasted = np.array([newest.get(machine, (0, average))[1] for machine in range(len(holdout.machines))])
    since = (holdout.hour - began[np.searchsorted(lives, holdout.life)]) / HOURS_PER_DAY
    answers: Floats = np.maximum(lasted[holdout.machine] - since, 0.0)
    return answers


def by_machine(
    parts: TimeSplit, predicted: Floats, calibration: Calibration | Distribution | None, cap: float
) -> list[MachineScore]:
    """Scores of each machine of the hold-out."""
    holdout, watched, age = parts.holdout, parts.watched, parts.holdout.age
    order = np.argsort(holdout.machine, kind="stable")
    machines, firsts = np.unique(holdout.machine[order], return_index=True)
    return [
        MachineScore(
            str(holdout.machines[index]),
            score(holdout.seen[rows], predicted[rows], calibration, cap, age[rows], watched[rows]),
        )
        for index, rows in zip(machines.tolist(), np.split(order, firsts[1:]), strict=False)
    ]

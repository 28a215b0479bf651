"""Models on the hold-out: the challenger, the champion and the rules that both must beat."""

from dataclasses import dataclass

import msgspec
import numpy as np

from monitory.clock import HOURS_PER_DAY
from monitory.model.distribution import PROBABILITY_DAYS, Distribution
from monitory.model.model import Calibration, Model
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.lifetimes import Lifetimes, kaplan_meier, mean_time
from monitory_retrain.dataset.split import TimeSplit
from monitory_retrain.evaluation.scores import Scores, brier, score


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
    at = {name: column for column, name in enumerate(dataset.names)}
    names = [name for name in model.features if name in at]
    columns = [at[name] for name in names]
    equip_ids = [machine.equip_id for machine in dataset.machines]
    return np.array(
        [
            # row by row: all rows as Python floats would take four times the matrix
            model.value(dict(zip(names, row[columns].tolist(), strict=True)), equip_ids[machine])
            for row, machine in zip(dataset.x, dataset.machine.tolist(), strict=True)
        ]
    )


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
    rows = [distribution.failure_probability(days) for days in predicted.tolist()]
    return {row[0][0]: np.array([chance for _, chance in row]) for row in zip(*rows, strict=True)}


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
    began: dict[int, int] = {}
    for life, hour in zip(rows.life.tolist(), rows.hour.tolist(), strict=True):
        began[life] = min(hour, began.get(life, hour))
    training = parts.training
    firsts = np.flatnonzero(training.hour == [began[life] for life in training.life.tolist()])
    ended = ~np.isnan(training.rul[firsts])
    average = mean_time(Lifetimes(training.seen[firsts], ended, cap))
    newest: dict[int, tuple[int, float]] = {}
    for at in firsts[ended].tolist():
        machine, run = int(training.machine[at]), (int(training.hour[at]), float(training.rul[at]))
        newest[machine] = max(run, newest.get(machine, run))
    holdout = parts.holdout
    answers = [
        newest.get(machine, (0, average))[1] - (hour - began[life]) / HOURS_PER_DAY
        for machine, life, hour in zip(
            holdout.machine.tolist(), holdout.life.tolist(), holdout.hour.tolist(), strict=True
        )
    ]
    return np.maximum(answers, 0.0)


def by_machine(
    parts: TimeSplit, predicted: Floats, calibration: Calibration | Distribution | None, cap: float
) -> list[MachineScore]:
    """Scores of each machine of the hold-out."""
    holdout, watched = parts.holdout, parts.watched
    return [
        MachineScore(
            str(holdout.machines[index]),
            score(holdout.seen[rows], predicted[rows], calibration, cap, holdout.age[rows], watched[rows]),
        )
        for index in np.unique(holdout.machine).tolist()
        if (rows := holdout.machine == index).any()
    ]

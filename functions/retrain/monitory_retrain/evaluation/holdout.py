"""Models on the hold-out: the challenger, the champion and the rules that both must beat."""

from dataclasses import dataclass

import msgspec
import numpy as np

from monitory.clock import HOURS_PER_DAY
from monitory.model.distribution import Distribution
from monitory.model.model import Calibration, Model
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.split import TimeSplit
from monitory_retrain.evaluation.scores import Scores, score


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
        mean: answering the training mean always.
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


def baselines(dataset: Dataset, parts: TimeSplit) -> Baselines:
    """Scores of the rules on the hold-out; `dataset` is what was split."""
    true = parts.holdout.rul
    mean = np.full(len(true), parts.training.rul.mean())
    return Baselines(score(true, mean), score(true, last_life(dataset, parts)))


def last_life(dataset: Dataset, parts: TimeSplit) -> Floats:
    """The last-life baseline: a machine lasts as long as it did the last time.

    The answer is the RUL at the first hour of the machine's newest run in training, less the days since the present
    run began, at least 0. Machines without a run in training get the mean of the others' newest runs.

    Args:
        dataset: what was split: a run may have begun before the hold-out does.
        parts: training and hold-out.
    """
    began: dict[int, int] = {}
    for life, hour in zip(dataset.life.tolist(), dataset.hour.tolist(), strict=True):
        began[life] = min(hour, began.get(life, hour))
    newest: dict[int, tuple[int, float]] = {}
    rows = zip(
        *(column.tolist() for column in (parts.training.machine, parts.training.life, parts.training.rul)), strict=True
    )
    for machine, life, rul in rows:
        known, longest = newest.get(machine, (-1, 0.0))
        if life >= known:
            newest[machine] = (life, max(rul, longest if life == known else 0.0))
    fallback = float(np.mean([longest for _, longest in newest.values()]))
    holdout = parts.holdout
    answers = [
        newest.get(machine, (0, fallback))[1] - (hour - began[life]) / HOURS_PER_DAY
        for machine, life, hour in zip(
            holdout.machine.tolist(), holdout.life.tolist(), holdout.hour.tolist(), strict=True
        )
    ]
    return np.maximum(answers, 0.0)


def by_machine(
    holdout: Dataset, predicted: Floats, calibration: Calibration | Distribution | None, cap: float
) -> list[MachineScore]:
    """Scores of each machine of the hold-out."""
    return [
        MachineScore(
            str(holdout.machines[index]), score(holdout.rul[rows], predicted[rows], calibration, cap, holdout.age[rows])
        )
        for index in np.unique(holdout.machine).tolist()
        if (rows := holdout.machine == index).any()
    ]

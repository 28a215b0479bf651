"""Splitting through time, without looking into the future.

The hold-out begins at a moment. A row trains only if its label was *known* by then; every other row judges. So the gap
between the two is each row's own label horizon (López de Prado, "Advances in Financial Machine Learning", 2018, ch. 7:
purging), and the hold-out is made of whole lives: those that end after the moment, with their hours before it. Hours
after it alone would have no RUL longer than the hold-out.

Inside the training part, folds are made of whole lives (runs between two failures of a machine): neighbouring hours
of a life are near copies, a random split would put one in training and its twin in validation.
"""

from typing import NamedTuple

import numpy as np

from monitory_retrain.array_types import Ints
from monitory_retrain.dataset.dataset import Dataset


class TimeSplit(NamedTuple):
    """The parts of a time split; `starts` is the hour at which the hold-out begins."""

    training: Dataset
    holdout: Dataset
    starts: int


def newest(dataset: Dataset, share: float) -> TimeSplit:
    """Hold out what became known in the newest part of the time that labelled rows span.

    Args:
        dataset: all labelled rows.
        share: of the time, 0..1.
    """
    starts = begins(dataset.hour, share)
    known = dataset.label_available_at < starts
    return TimeSplit(dataset.take(known), dataset.take(~known), starts)


def begins(hour: Ints, share: float) -> int:
    """The hour at which the newest `share` of the time that hours span begins."""
    first, last = int(hour.min()), int(hour.max())
    return last + 1 - round((last + 1 - first) * share)


def folds(life: Ints, count: int, seed: int) -> Ints:
    """A fold number for each row, whole lives together, folds of about the same number of rows.

    Fewer folds come out where there are fewer lives.
    """
    numbers, index, sizes = np.unique(life, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(numbers))
    order = order[np.argsort(-sizes[order], kind="stable")]
    load = np.zeros(min(count, len(numbers)), dtype=np.int64)
    assigned = np.empty(len(numbers), dtype=np.int64)
    for number in order:  # the largest first, each into the emptiest fold
        emptiest = int(load.argmin())
        assigned[number] = emptiest
        load[emptiest] += sizes[number]
    return assigned[index]

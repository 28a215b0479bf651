"""Splitting through time, without looking into the future.

The hold-out begins at a moment: it is made of every running hour after it, whatever became of the machine. What trains
are the hours before it, with what was known at that moment: failures to come are not, so these runs are censored there
(an embargo by knowledge instead of by a gap: López de Prado, "Advances in Financial Machine Learning", 2018, ch. 7).
Choosing hours by what became of them would make a factory of long runs look like one of short ones.

Inside the training part, folds are made of whole runs between two failures of a machine: neighbouring hours of a run
are near copies, a random split would put one in training and its twin in validation.
"""

from typing import NamedTuple

import numpy as np

from monitory.clock import HOURS_PER_DAY
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.dataset import Dataset


class TimeSplit(NamedTuple):
    """The parts of a time split.

    Attributes:
        training: hours before the hold-out, with what was known when it began.
        holdout: hours of running machines after that.
        starts: the hour at which the hold-out begins.
        ends: the hour at which the data ends.
    """

    training: Dataset
    holdout: Dataset
    starts: int
    ends: int

    @property
    def watched(self) -> Floats:
        """For how many days what becomes of each row of the hold-out was watched, shape (n,)."""
        return watched(self.holdout.hour, self.holdout.rul, self.holdout.seen, self.ends)


def split(rows: Dataset, starts: int) -> TimeSplit:
    """Hold out the hours from `starts` on; `rows` are all running hours."""
    ends = int(rows.hour.max()) + 1 if len(rows) else starts
    return TimeSplit(rows.as_of(starts), rows.take(rows.hour >= starts), starts, ends)


def watched(hour: Ints, rul: Floats, seen: Floats, ends: int) -> Floats:
    """Days until nobody could see any more what becomes of each row, shape (n,): the data's end, a gap or maintenance.

    A row with a label was watched to the data's end: that its run ended earlier does not tell when sight would have.

    Args:
        hour: of each row, see `clock`.
        rul, seen: days, as in `Dataset`.
        ends: the hour at which the data ends.
    """
    exact = ~np.isnan(rul)
    return np.where(exact, np.maximum((ends - hour) / HOURS_PER_DAY, seen), seen)


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

"""The features of many hours of one machine, hour by hour as serving computes them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from monitory.features import vector
from monitory.features.hour_row import HourRow
from monitory.features.regimes import Regimes
from monitory.sensors import SensorSet
from monitory_retrain.array_types import Floats, Ints


class History(NamedTuple):
    """A machine's hour rows.

    Attributes:
        hour: ascending, shape (n,).
        values: named by `hour_row.Columns`, shape (n, columns).
        last_failure: hour of the last failure before each row, -1 without one, shape (n,).
        wanted: indices of the rows to build features for, shape (m,).
    """

    hour: Ints
    values: Floats
    last_failure: Ints
    wanted: Ints


def matrix(history: History, sensors: SensorSet, regimes: Regimes | None) -> Floats:
    """The features of the wanted rows in terms of the regimes, shape (m, features)."""
    rows = [
        HourRow(hour, tuple(values))
        for hour, values in zip(history.hour.tolist(), history.values.tolist(), strict=True)
    ]
    if regimes:
        rows = regimes.normalised(rows, sensors)
    last_failure = history.last_failure.tolist()
    x = np.empty((len(history.wanted), len(vector.names(sensors))))
    for at, index in enumerate(history.wanted.tolist()):
        recent = rows[max(0, index - vector.HISTORY_HOURS) : index + 1]
        x[at] = vector.build(recent, sensors, None if last_failure[index] < 0 else last_failure[index])
    return x


def prepare(terms: tuple[SensorSet, Regimes | None]) -> Callable[[tuple[int, History]], tuple[int, Floats]]:
    """`matrix` for a worker process: a task and its result carry the place of their rows."""

    def numbered(task: tuple[int, History]) -> tuple[int, Floats]:
        at, history = task
        return at, matrix(history, *terms)

    return numbered

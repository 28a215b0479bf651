"""Hour rows -> the matrix that models are trained and judged on."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitory.clock import HOURS_PER_DAY
from monitory.features import vector
from monitory.features.regimes import Regimes
from monitory.log import Logger
from monitory.machine import Machine
from monitory.sensors import SensorSet
from monitory_retrain.array_types import Floats, Ints, Singles
from monitory_retrain.dataset.feature_matrix import History, matrix
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.labels import Labels
from monitory_retrain.runtime.progress import progress

TRAINING_TYPE = np.float32
"""Of the matrix that models learn from and are judged on: half the memory of the double precision that serving has."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows of running machines.

    Attributes:
        names: the features, in the order of the matrix's columns.
        matrix: what the rows are of, shape (m, features), in double or in single precision; NaN is missing. Parts of a
            dataset share it.
        rul: days, shape (n,); NaN without a label.
        seen: days, shape (n,): the label or, without one, for how long the machine was seen to run on.
        machine: index into `machines`, shape (n,).
        hour: see `clock`, shape (n,).
        label_available_at: hour at which the label became known, shape (n,); meaningless without one.
        life: which run between failures, shape (n,).
        machines: the machines.
        at: which rows of the matrix these are, shape (n,); None for all of them.
    """

    names: tuple[str, ...]
    matrix: Floats | Singles
    rul: Floats
    seen: Floats
    machine: Ints
    hour: Ints
    label_available_at: Ints
    life: Ints
    machines: list[Machine]
    at: Ints | None = None

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.rul)

    @property
    def x(self) -> Floats:
        """The features, shape (n, features): of a part a copy, so of large parts rather ask for a `column`."""
        return (self.matrix if self.at is None else self.matrix[self.at]).astype(np.float64, copy=False)

    def column(self, name: str) -> Floats:
        """A feature, shape (n,)."""
        column = self.matrix[:, self.names.index(name)]
        return (column if self.at is None else column[self.at]).astype(np.float64, copy=False)

    @property
    def age(self) -> Floats:
        """Hours since the last failure, NaN for unknown, shape (n,)."""
        return self.column(vector.AGE)

    @property
    def labelled(self) -> "Dataset":
        """The rows with a label."""
        return self.take(~np.isnan(self.rul))

    def as_of(self, hour: int) -> "Dataset":
        """The rows before an hour with what was known then."""
        rows = self.take(self.hour < hour)
        known = (rows.label_available_at < hour) & ~np.isnan(rows.rul)
        seen = np.where(known, rows.seen, np.minimum(rows.seen, (hour - 1 - rows.hour) / HOURS_PER_DAY))
        return replace(rows, rul=np.where(known, rows.rul, np.nan), seen=seen)

    def take(self, rows: npt.NDArray[np.bool_] | Ints) -> "Dataset":
        """Some of the rows, by mask or by index."""
        return Dataset(
            self.names,
            self.matrix,
            self.rul[rows],
            self.seen[rows],
            self.machine[rows],
            self.hour[rows],
            self.label_available_at[rows],
            self.life[rows],
            self.machines,
            (np.arange(len(self)) if self.at is None else self.at)[rows],
        )


def build(
    table: HourTable,
    labels: Labels,
    sensors: SensorSet,
    log: Logger,
    *,
    regimes: Regimes | None = None,
    wanted: npt.NDArray[np.bool_] | None = None,
    names: tuple[str, ...] | None = None,
    dtype: npt.DTypeLike = np.float64,
) -> Dataset:
    """The rows of a table's running machines with their features.

    Args:
        table: hour rows, ordered by machine and hour. Rows of a machine that is down or off serve as history.
        labels: the table's labels.
        sensors: the sensor set that the rows were made with.
        log: told of the progress.
        regimes: in whose terms the features are.
        wanted: which rows, shape (n,); None for those of all running machines.
        names: which features; None for all of the sensor set.
        dtype: of the matrix. They are computed in double precision; single precision takes half the memory.
    """
    running = labels.running if wanted is None else wanted
    names = names or vector.names(sensors)
    x = np.empty((int(running.sum()), len(names)), dtype=dtype)
    at = 0
    with progress(log, "machines' features built", len(table.machines)) as shown:
        for _, rows in table.by_machine():
            indices = np.flatnonzero(running[rows])
            history = History(table.hour[rows], table.values[rows], labels.last_failure[rows], indices)
            x[at : at + len(indices)] = matrix(history, sensors, regimes, names)
            at += len(indices)
            shown.step()
    return Dataset(
        names,
        x,
        labels.rul[running],
        labels.seen[running],
        table.machine[running],
        table.hour[running],
        labels.label_available_at[running],
        labels.life[running],
        table.machines,
    )

"""The last prediction of each machine, in memory: nothing new is computed while nothing new is known."""

from collections.abc import Sequence
from operator import is_
from typing import NamedTuple

from monitory.features.hour_row import HourRow
from monitory.history.machine_history import History
from monitory.machine import Machine
from monitory.model.model import Model
from monitory.scoring.failure_cache import Failures
from monitory.scoring.machine_prediction import MachinePrediction, machine_prediction
from monitory.scoring.model_cache import CurrentModel
from monitory.scoring.prediction import LATE
from monitory.scoring.replacement import StopCosts
from monitory.sensors import SensorSet
from monitory_predict.cache.lru import LruCache


class _Basis(NamedTuple):
    """What a prediction rests on, besides the age of the newest reading; objects that are never changed."""

    rows: Sequence[HourRow]
    is_blocked: bool
    model: Model
    failures: Failures
    costs: StopCosts | None

    def is_same(self, other: "_Basis") -> bool:
        """Whether another one consists of the very same objects."""
        return (
            self.model is other.model
            and self.failures is other.failures
            and self.costs == other.costs
            and self.is_blocked == other.is_blocked
            and len(self.rows) == len(other.rows)
            and all(map(is_, self.rows, other.rows))
        )


class PredictionCache:
    """Predicts, or gives the last prediction again."""

    def __init__(self, sensors: SensorSet) -> None:
        """Nothing is predicted yet; `sensors` is the sensor set of the rows."""
        self._sensors = sensors
        self._last: LruCache[tuple[_Basis, MachinePrediction]] = LruCache()

    def predict(
        self,
        machine: Machine,
        history: History,
        current: CurrentModel,
        failures: Failures,
        costs: StopCosts | None = None,
    ) -> MachinePrediction:
        """See `machine_prediction`. What is said of late readings grows with their age, so it is said anew."""
        basis = _Basis(history.rows, history.losses.is_blocked, current.served.model, failures, costs)
        last = self._last.get(machine)
        if last and history.age <= LATE and last[0].is_same(basis):
            return last[1]._replace(history=history, current=current)
        prediction = machine_prediction(machine, history, current, failures, self._sensors, costs)
        if history.age <= LATE:
            self._last.put(machine, (basis, prediction))
        return prediction

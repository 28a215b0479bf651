"""A machine's prediction out of its history, the served model and the failures."""

from dataclasses import replace
from typing import NamedTuple

from monitory.history.machine_history import History
from monitory.machine import Machine
from monitory.scoring.failure_cache import Failures
from monitory.scoring.model_cache import CurrentModel
from monitory.scoring.prediction import Prediction, predict
from monitory.sensors import SensorSet


class MachinePrediction(NamedTuple):
    """A prediction for a machine, with its history and its model."""

    machine: Machine
    prediction: Prediction
    history: History
    current: CurrentModel


def machine_prediction(
    machine: Machine, history: History, current: CurrentModel, failures: Failures, sensors: SensorSet
) -> MachinePrediction:
    """The prediction as of a history's newest hour.

    Raises:
        BrokenModel: the model's answer is no number.
    """
    condition = failures.state.condition(machine, history.rows, sensors, failures.logbook)
    prediction = predict(history.rows, machine, current.served.model, sensors, condition, history.age)
    if history.losses.is_blocked and prediction.state == "ok":  # newer objects exist, but have no usable hour
        prediction = replace(prediction, state="degraded")
    return MachinePrediction(machine, prediction, history, current)

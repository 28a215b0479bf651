"""A machine's prediction out of its history, the served model and the failures."""

from dataclasses import replace
from typing import NamedTuple

from monitory.clock import HOURS_PER_DAY
from monitory.features.failure_state import Condition
from monitory.history.machine_history import History
from monitory.machine import Machine
from monitory.scoring.failure_cache import Failures
from monitory.scoring.model_cache import CurrentModel
from monitory.scoring.prediction import Prediction, predict
from monitory.scoring.replacement import Replacement, StopCosts, best_replacement
from monitory.sensors import SensorSet


class MachinePrediction(NamedTuple):
    """A prediction for a machine, with its history, its model and, where stops have costs, the best planned one."""

    machine: Machine
    prediction: Prediction
    history: History
    current: CurrentModel
    replacement: Replacement | None = None


def machine_prediction(
    machine: Machine,
    history: History,
    current: CurrentModel,
    failures: Failures,
    sensors: SensorSet,
    costs: StopCosts | None = None,
) -> MachinePrediction:
    """The prediction as of a history's newest hour.

    Args:
        machine: which.
        history: its hour rows.
        current: the model.
        failures: of all machines.
        sensors: the sensor set of the rows.
        costs: of stops; None plans none.

    Raises:
        BrokenModel: the model's answer is no number.
    """
    condition = failures.state.condition(machine, history.rows, sensors, failures.logbook)
    prediction = predict(history.rows, machine, current.served.model, sensors, condition, history.age)
    if history.losses.is_blocked and prediction.state == "ok":  # newer objects exist, but have no usable hour
        prediction = replace(prediction, state="degraded")
    replacement = _replacement(prediction, condition, history.newest.hour, current, costs) if costs else None
    return MachinePrediction(machine, prediction, history, current, replacement)


def _replacement(
    prediction: Prediction, condition: Condition, hour: int, current: CurrentModel, costs: StopCosts
) -> Replacement | None:
    """The best planned stop; None for a machine that stands, whose age is unknown, or whose model has no curves."""
    card = current.served.model.card
    if prediction.state in ("failing", "off") or condition.last_failure is None or not (card and card.distribution):
        return None
    age = (hour - condition.last_failure) / HOURS_PER_DAY
    return best_replacement(card.distribution, prediction.estimate.days, age, costs)

"""Predicts from a machine's recent hour rows and a model; no HTTP, no AWS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan

from monitory import clock
from monitory.features import vector
from monitory.features.hour_row import ENOUGH_READINGS, Columns, HourRow, off_rule
from monitory.machine import Machine
from monitory.model.model import Driver, Estimate, Model
from monitory.sensors import SensorSet

LATE = timedelta(minutes=125)
"""An hour's object comes up to 65 minutes after the hour's end, so the newest reading is seldom older than this."""

AT_CAP_SHARE = 0.98
"""Share of the cap from which a RUL counts as the cap: a mean of trees seldom reaches it."""

_MAX_OUT_OF_RANGE = 3
"""How many features beyond the training range a warning names."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A RUL and what an engineer needs to judge it.

    Attributes:
        estimate: days, interval, contributions.
        at_cap: the RUL is about the cap or more; the model cannot tell how much more.
        base: days from the running time alone: the mean prediction plus the contribution of the age.
        drivers: days that each sensor adds to the base, largest first; base and drivers sum to the model's answer.
        state: `ok`, `off` (no power or no movement in any sensor), `degraded` (sensors missing or flat) or `stale`
            (nothing else is wrong, but an hour or more is missing behind the newest).
        missing_sensors: sensors without a reading in the hour.
        flat_sensors: sensors whose readings did not change in the hour.
        warnings: sentences for an operator.
    """

    estimate: Estimate
    at_cap: bool
    base: float
    drivers: list[Driver]
    state: str
    missing_sensors: list[str]
    flat_sensors: list[str]
    warnings: list[str]


def predict(
    rows: Sequence[HourRow],
    machine: Machine,
    model: Model,
    sensors: SensorSet,
    last_failure: int | None,
    age: timedelta = timedelta(0),
) -> Prediction:
    """Predict the RUL as of a machine's newest hour row.

    Args:
        rows: the machine's recent hour rows, oldest first, at least one; missing hours stay missing.
        machine: the machine.
        model: the model to ask.
        sensors: the sensor set of the rows.
        last_failure: the machine's last hour of failure; None without one.
        age: of the newest reading; negative where a sensor's clock is fast.

    Raises:
        BrokenModel: the model's answer is no number.
    """
    normalised = model.regimes.normalised(rows, sensors) if model.regimes else rows
    terms = model.terms(sensors)
    values = dict(zip(vector.names(terms), vector.build(normalised, terms, last_failure), strict=True))
    estimate = model.estimate(values, machine.equip_id)
    missing, flat = _silent(rows[-1], sensors)
    faults = {"off": off_rule(sensors)(rows[-1]), "degraded": bool(missing or flat), "stale": age > LATE}
    state = next((fault for fault, present in faults.items() if present), "ok")
    return Prediction(
        estimate=estimate,
        at_cap=estimate.days >= AT_CAP_SHARE * model.cap_days,
        base=estimate.base + estimate.contributions.get(vector.AGE, 0.0),
        drivers=drivers(estimate.contributions, sensors, vector.nearest(values, terms)),
        state=state,
        missing_sensors=missing,
        flat_sensors=flat,
        warnings=[
            *_warnings(state, missing, flat, values, machine, model, age),
            *([] if state == "off" else _unseen_regime(rows[-1], model, sensors)),
        ],
    )


def drivers(contributions: Mapping[str, float], sensors: SensorSet, nearest: Mapping[str, str]) -> list[Driver]:
    """Contributions of features summed by the sensor that they are computed from, largest first; age is no sensor.

    Args:
        contributions: days by feature.
        sensors: the sensor set.
        nearest: the sensors that the features of the nearest limit are of, see `vector.nearest`.
    """
    by_sensor: dict[str, float] = {}
    for feature, days in contributions.items():
        sensor = nearest.get(feature) or vector.sensor_of(feature, sensors)
        if sensor != vector.AGE:
            by_sensor[sensor] = by_sensor.get(sensor, 0.0) + days
    ranked = sorted(by_sensor.items(), key=lambda item: -abs(item[1]))
    return [Driver(sensor, days) for sensor, days in ranked if days]


def window(hour: int) -> tuple[datetime, datetime]:
    """The start and the end of an hour, aware, in KST."""
    start = clock.hour_start(hour)
    return start, start + timedelta(hours=1)


def _silent(row: HourRow, sensors: SensorSet) -> tuple[list[str], list[str]]:
    """Sensors without a reading, and sensors whose readings did not change."""
    columns = Columns(sensors)
    missing, flat = [], []
    for name in sensors.names:
        count, smallest, largest = (row.values[columns.index(name, kind)] for kind in ("count", "min", "max"))
        if not count:
            missing.append(name)
        elif count >= ENOUGH_READINGS and smallest == largest:
            flat.append(name)
    return missing, flat


def _warnings(
    state: str,
    missing: list[str],
    flat: list[str],
    values: Mapping[str, float],
    machine: Machine,
    model: Model,
    age: timedelta,
) -> list[str]:
    warnings = []
    if state == "off":
        warnings.append(
            "the machine seems to be off (no active power, or no sensor changed); the RUL is not about its wear"
        )
    elif flat:
        warnings.append(f"flat readings, the sensor may be stuck: {', '.join(flat)}")
    if missing:
        warnings.append(f"no readings from: {', '.join(missing)}")
    if age > LATE:
        warnings.append(f"the newest reading is {clock.in_words(age)} old, so the newest hours are missing")
    if model.knows_machine(machine.equip_id) is False:
        warnings.append(f"the model has not seen machine {machine.equip_id} in training")
    outside = _out_of_range(values, model)
    if outside:
        more = f" and {len(outside) - _MAX_OUT_OF_RANGE} more" if len(outside) > _MAX_OUT_OF_RANGE else ""
        warnings.append(f"outside the range seen in training: {', '.join(outside[:_MAX_OUT_OF_RANGE])}{more}")
    return warnings


def _unseen_regime(newest: HourRow, model: Model, sensors: SensorSet) -> list[str]:
    """The warning for an hour whose operating regime is not in the training data."""
    if not model.regimes or model.regimes.number(newest, sensors) is not None:
        return []
    columns = Columns(sensors)
    values = (newest.values[columns.index(name, "mean")] for name in model.regimes.operating)
    settings = ", ".join(f"{name} {value:g}" for name, value in zip(model.regimes.operating, values, strict=True))
    return [f"training has not seen the machine's present operating regime ({settings}), so this hour says nothing"]


def _out_of_range(values: Mapping[str, float], model: Model) -> list[str]:
    ranges = model.card.ranges if model.card else {}
    return [
        name
        for name, (low, high) in ranges.items()
        if not isnan(value := values.get(name, float("nan"))) and not low <= value <= high
    ]

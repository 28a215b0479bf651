"""Predicts from a machine's recent hour rows and a model; no HTTP, no AWS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan

from monitory import clock
from monitory.features import vector
from monitory.features.failure_state import Condition
from monitory.features.hour_row import ENOUGH_READINGS, Columns, HourRow, off_rule
from monitory.machine import Machine
from monitory.model.model import Driver, Estimate, Model
from monitory.sensors import SensorSet

LATE = timedelta(minutes=125)
"""An hour's object comes up to 65 minutes after the hour's end, so the newest reading is seldom older than this."""

AT_CAP_SHARE = 0.98
"""Share of the cap from which a RUL counts as the cap: a mean of trees seldom reaches it."""

_OFTEN = 3
"""Readings an hour; a sensor with fewer may miss an hour by chance."""

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
        state: `failing` (a failure is under way: RUL 0), `off` (no power or no movement in any sensor, or under
            maintenance), `degraded` (sensors missing or flat), `stale` (nothing else is wrong, but an hour or more is
            missing behind the newest) or `ok`.
        failure_mode: of the failure under way, by the log, or the one that lies ahead; None if uncertain.
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
    failure_mode: str | None = None


def predict(
    rows: Sequence[HourRow],
    machine: Machine,
    model: Model,
    sensors: SensorSet,
    condition: Condition,
    age: timedelta = timedelta(0),
) -> Prediction:
    """Predict the RUL as of a machine's newest hour row.

    Args:
        rows: the machine's recent hour rows, oldest first, at least one; missing hours stay missing.
        machine: the machine.
        model: the model to ask.
        sensors: the sensor set of the rows.
        condition: when the machine failed last, and whether it fails or is maintained now.
        age: of the newest reading; negative where a sensor's clock is fast.

    Raises:
        BrokenModel: the model's answer is no number.
    """
    normalised = model.regimes.normalised(rows, sensors) if model.regimes else rows
    terms = model.terms(sensors)
    values = dict(zip(vector.names(terms), vector.build(normalised, terms, condition.last_failure), strict=True))
    estimate = model.estimate(values, machine.equip_id)
    missing, flat = _silent(rows, sensors)
    faults = {
        "failing": condition.failure is not None,
        "off": condition.maintenance is not None or off_rule(sensors)(rows[-1].values),
        "degraded": bool(missing or flat),
        "stale": age > LATE,
    }
    state = next((fault for fault, present in faults.items() if present), "ok")
    if condition.failure:
        estimate = model.failed()
    return Prediction(
        estimate=estimate,
        at_cap=estimate.days >= AT_CAP_SHARE * model.cap_days,
        base=estimate.base + estimate.contributions.get(vector.AGE, 0.0),
        drivers=drivers(estimate.contributions, sensors, vector.nearest(values, terms)),
        state=state,
        failure_mode=_failure_mode(condition, model, values, terms, state),
        missing_sensors=missing,
        flat_sensors=flat,
        warnings=[
            *_stops(condition),
            *_warnings(state, missing, flat, values, machine, model, age, condition),
            *([] if state in ("failing", "off") else _unseen_regime(rows[-1], model, sensors)),
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


def late_warning(age: timedelta) -> str:
    """The warning about a newest reading that is older than `LATE`."""
    return f"the newest reading is {clock.in_words(age)} old, so the newest hours are missing"


def _silent(rows: Sequence[HourRow], sensors: SensorSet) -> tuple[list[str], list[str]]:
    """Sensors without a reading, and sensors whose readings did not change.

    A sensor that speaks less than `_OFTEN` times an hour is missing only after two silent hours.
    """
    columns, row = Columns(sensors), rows[-1]
    before = rows[-2] if len(rows) > 1 and rows[-2].hour == row.hour - 1 else None
    missing, flat = [], []
    for name in sensors.names:
        count, smallest, largest = (row.values[columns.index(name, kind)] for kind in ("count", "min", "max"))
        if not count:
            if not (before and 0 < before.values[columns.index(name, "count")] < _OFTEN):
                missing.append(name)
        elif count >= ENOUGH_READINGS and smallest == largest:
            flat.append(name)
    return missing, flat


def _failure_mode(
    condition: Condition, model: Model, values: Mapping[str, float], terms: SensorSet, state: str
) -> str | None:
    """What the log says of the failure under way, otherwise what the model does; None while the machine is off."""
    if condition.failure and condition.failure.failure_mode:
        return condition.failure.failure_mode
    modes = model.card.failure_modes if model.card else None
    return modes.likeliest(vector.limit_shares(values, terms)) if modes and state != "off" else None


def _stops(condition: Condition) -> list[str]:
    """The failure or maintenance under way."""
    if condition.failure:
        mode = f" ({condition.failure.failure_mode})" if condition.failure.failure_mode else ""
        return [f"the machine fails since {_since(condition.failure.first)}{mode}"]
    if condition.maintenance:
        return [
            f"the machine is under maintenance since {_since(condition.maintenance.first)}, by the log; "
            "the RUL is not about its wear"
        ]
    return []


def _since(hour: int) -> str:
    return f"{clock.hour_start(hour):%Y-%m-%d %H:%M}"


def _warnings(
    state: str,
    missing: list[str],
    flat: list[str],
    values: Mapping[str, float],
    machine: Machine,
    model: Model,
    age: timedelta,
    condition: Condition,
) -> list[str]:
    warnings = []
    if state == "off" and not condition.maintenance:
        warnings.append(
            "the machine seems to be off (no active power, or no sensor changed); the RUL is not about its wear"
        )
    elif flat:
        warnings.append(f"flat readings, the sensor may be stuck: {', '.join(flat)}")
    if missing:
        warnings.append(f"no readings from: {', '.join(missing)}")
    if age > LATE:
        warnings.append(late_warning(age))
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

"""Failures that are found in readings, beside the true ones, at many rates and with sensors that lie.

    python -m benchmarks.spikes [--machines 6] [--days 30] [--rates 1 2 3 6 12 60 720] [--training-machines 20]

Simulated readings go through the product's own rows and its rule for a failure (`features.machine_state`). JSON lines:

- `healthy`: machines that never fail; 5 % of their readings are spikes.
- `hours`, `days`: machines that fail for 1 to 3 hours, and for a day more until somebody repairs them; 2 % spikes.
- the others: a healthy machine's temperature sensor lies for six hours. `rul` is the prediction in the hour before, the
  last hour of the lie and the hour after it; `rul_without` the last of these had the sensor not lied.

`true` failures, those `found` (from six hours before to the end of one), `false` ones; `former_false` counts what a
rule without enough readings would call a failure besides: hours in which half of a sensor's readings lie outside.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from monitory import sensors
from monitory.clock import first_hour, hour_start
from monitory.features.excursion import Excursion
from monitory.features.failure_state import FailureState
from monitory.features.hour_row import Columns, HourRow, hour_row
from monitory.features.machine_state import timeline
from monitory.features.vector import HISTORY_HOURS, names
from monitory.log import logger
from monitory.logbook.logbook import MachineLog
from monitory.machine import Machine
from monitory.model.model import Model
from monitory.readings.by_hour import ReadingsByHour
from monitory.scoring.prediction import predict
from monitory.sensors import SensorSet
from monitory.settings import RetrainSettings, Settings
from monitory_local.simulator.hours import machine_hours
from monitory_local.simulator.readings import MachineReadings, SensorHour
from monitory_local.simulator.wear import Life, MachineLives, Plan
from monitory_retrain import pipeline
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.training.training import Recipe

START = first_hour(date(2026, 1, 1))
SETTINGS = RetrainSettings()
RULE = Excursion(SETTINGS.excursion_share, SETTINGS.excursion_sensors)
RATES = (1, 2, 3, 6, 12, 60, 720)
MATCH_HOURS = 6
NEVER_DAYS = 10_000.0
LYING = "temp"
LIE_HOURS = range(START + 200, START + 206)

Values = list[float]
Lie = Callable[[Values], Values]

LIES: dict[str, Lie] = {
    "-999": lambda values: [-999.0] * len(values),
    "65535": lambda values: [65535.0] * len(values),
    "1e20": lambda values: [1e20] * len(values),
    "one 1e20": lambda values: [1e20, *values[1:]],
    "stuck": lambda values: [71.0] * len(values),
    "stuck beyond its limit": lambda values: [110.0] * len(values),
    "quantised": lambda values: [10.0 * round(value / 10) for value in values],
}


class LongFailures(MachineLives):
    """Lives whose failures last a day longer, until somebody repairs the machine."""

    def _next_life(self) -> Life:
        life = super()._next_life()
        return replace(life, repair=life.repair + 24, end=life.end + 24)


@dataclass(frozen=True)
class Rows:
    """A machine's hour rows."""

    machine: Machine
    rows: list[HourRow]

    def upto(self, hour: int) -> list[HourRow]:
        """The rows of the history of an hour, as serving has them."""
        return [row for row in self.rows if hour - HISTORY_HOURS - 24 <= row.hour <= hour]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spikes", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, default=6, help="of each kind (%(default)s)")
    parser.add_argument("--days", type=int, default=30, help="of their history (%(default)s)")
    parser.add_argument(
        "--rates", type=int, nargs="+", default=RATES, help="readings of a sensor an hour (%(default)s)"
    )
    parser.add_argument("--training-machines", type=int, default=20, help="whose month a model learns (%(default)s)")
    arguments = parser.parse_args()
    sensor_set = sensors.load()
    model = trained(sensor_set, arguments.training_machines)
    for rate in arguments.rates:
        for line in measure(rate, arguments.machines, arguments.days, model, sensor_set):
            print(json.dumps({"benchmark": "spikes", "readings_per_hour": rate, **line}), flush=True)


def measure(rate: int, machines: int, days: int, model: Model, sensor_set: SensorSet) -> Iterator[dict[str, object]]:
    """The lines of a rate."""
    plan = Plan(START, machines=machines, seed=rate, rate_seconds=3600 / rate)
    hours = range(START, START + days * 24)
    healthy = replace(plan, life_days=NEVER_DAYS, life_spread=0.01)
    kinds: tuple[tuple[str, Plan, type[MachineLives]], ...] = (
        ("healthy", replace(healthy, spike_share=0.05), MachineLives),
        ("hours", plan, MachineLives),
        ("days", plan, LongFailures),
    )
    for kind, kind_plan, lives in kinds:
        counts = [found(kind_plan, number, lives, hours, sensor_set) for number in range(machines)]
        yield {"figure": kind, **{key: sum(count[key] for count in counts) for key in counts[0]}}
    truthful = history(MachineReadings(healthy, 0), range(START, LIE_HOURS.stop + 1), sensor_set)
    for kind, lie in LIES.items():
        lying = history(MachineReadings(healthy, 0), range(START, LIE_HOURS.stop + 1), sensor_set, lie)
        moments = (LIE_HOURS.start - 1, LIE_HOURS.stop - 1, LIE_HOURS.stop)
        answers = [answer(lying, hour, model, sensor_set) for hour in moments]
        yield {
            "figure": kind,
            **failures(lying, [], sensor_set),
            "states": [state for _, state in answers],
            "rul": [round(days, 2) for days, _ in answers],
            "rul_without": round(answer(truthful, LIE_HOURS.stop, model, sensor_set)[0], 2),
        }


def found(plan: Plan, number: int, lives: type[MachineLives], hours: range, sensor_set: SensorSet) -> dict[str, int]:
    """Failures of a machine, true and found."""
    machine = MachineReadings(plan, number)
    machine.lives = lives(plan, number)
    true = [machine.lives.life(hour) for hour in machine.lives.failures(hours.start, hours.stop - 1)]
    return failures(history(machine, hours, sensor_set), true, sensor_set)


def failures(machine: Rows, true: Sequence[Life], sensor_set: SensorSet) -> dict[str, int]:
    """How many failures are found, and which of them are true."""
    hours, values = [row.hour for row in machine.rows], [row.values for row in machine.rows]
    seen = [stop.first for stop in timeline(hours, values, sensor_set, RULE, MachineLog()).failures]
    outside = Columns(sensor_set).indices("outside")
    former = [row.hour for row in machine.rows if any(row.values[column] >= RULE.share for column in outside)]

    def is_true(hour: int) -> bool:
        return any(life.failure - MATCH_HOURS <= hour < life.repair for life in true)

    return {
        "true": len(true),
        "found": sum(any(life.failure - MATCH_HOURS <= hour < life.repair for hour in seen) for life in true),
        "false": sum(not is_true(hour) for hour in seen),
        "former_false": sum(not is_true(hour) for hour in former),
    }


def history(machine: MachineReadings, hours: range, sensor_set: SensorSet, lie: Lie | None = None) -> Rows:
    """A machine's hour rows as ingestion makes them; its temperature sensor lies in the hours of a lie."""
    rows = []
    for hour in hours:
        readings = ReadingsByHour(sensor_set)
        for one in machine.hour(hour):
            values = one.values.tolist()
            if lie and hour in LIE_HOURS and one.signal.lake_name == LYING:
                values = lie(values)
            readings.extend(hour, one.signal.name, _times(hour, one), values, [one.signal.code] * len(values))
        if hour in readings.hours:
            readings.discard_implausible(hour)
        if readings.hours.get(hour):
            rows.append(hour_row(hour, readings.hours[hour], sensor_set))
    return Rows(Machine(machine.lives.zone_id, machine.lives.equip_id), rows)


def _times(hour: int, one: SensorHour) -> list[datetime]:
    start = hour_start(hour).replace(tzinfo=None)
    return [start + timedelta(microseconds=at) for at in one.microseconds.tolist()]


def answer(machine: Rows, hour: int, model: Model, sensor_set: SensorSet) -> tuple[float, str]:
    """RUL and state in an hour, as serving answers."""
    rows = machine.upto(hour)
    condition = FailureState(RULE).condition(machine.machine, rows, sensor_set)
    made = predict(rows, machine.machine, model, sensor_set, condition)
    return made.estimate.days, made.state


def trained(sensor_set: SensorSet, machine_count: int) -> Model:
    """A model of a small factory of the same kind."""
    plan = Plan(START, machines=machine_count, seed=1, rate_seconds=60.0)
    hours = range(START, START + 30 * 24)
    machines = [MachineReadings(plan, number) for number in range(plan.machines)]
    table = hour_table.join([_table(machine, hours, sensor_set) for machine in machines], len(Columns(sensor_set)))
    log = logger("benchmark", Settings(log_level="ERROR"))
    outcome = pipeline.learn(table, sensor_set, SETTINGS, Recipe(threads=1), log)
    if isinstance(outcome, pipeline.Skipped):
        raise SystemExit(f"nothing to learn from: {'; '.join(outcome.reasons)}")
    return Model(outcome.trained.text.encode(), None, feature_names=names(sensor_set), cap_days=SETTINGS.max_rul_days)


def _table(machine: MachineReadings, hours: range, sensor_set: SensorSet) -> HourTable:
    rows = machine_hours(machine, hours, sensor_set)
    none = rows.hour * 0
    name = Machine(machine.lives.zone_id, machine.lives.equip_id)
    return HourTable([name], none, rows.hour, rows.values, none + 360, none)


if __name__ == "__main__":
    main()

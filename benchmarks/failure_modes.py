"""How often the failure mode ahead is named, and how often rightly, in a simulated factory whose log names modes.

    python -m benchmarks.failure_modes [--machines 40] [--days 60] [--seed 1]

The product learns the modes from the first three quarters of the time; all running hours of the last one judge. A JSON
line a range of true days left: `named`, the share of hours with a mode, and `right`, the share of these that are right.
"""

import argparse
import json
from collections.abc import Iterator
from datetime import date

import numpy as np

from benchmarks.simulated import machine_table
from monitory import sensors
from monitory.clock import HOURS_PER_DAY, first_hour, hour_start
from monitory.features import vector
from monitory.features.hour_row import Columns
from monitory.log import logger
from monitory.logbook.entry import Kind, LogEntry
from monitory.logbook.logbook import Logbook
from monitory.machine import Machine
from monitory.settings import RetrainSettings, Settings
from monitory_local.simulator.readings import MachineReadings
from monitory_local.simulator.wear import MachineLives, Plan, State
from monitory_retrain.dataset import dataset, hour_table, labels
from monitory_retrain.training import failure_modes

START = first_hour(date(2026, 1, 1))
SETTINGS = RetrainSettings()
RANGES = ((0.0, 1.0), (1.0, 3.0), (3.0, 5.0), (5.0, SETTINGS.max_rul_days))
JUDGED_SHARE = 0.25


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.failure_modes", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--machines", type=int, default=40, help="of the factory (%(default)s)")
    parser.add_argument("--days", type=int, default=60, help="of its history (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the simulation (%(default)s)")
    arguments = parser.parse_args()
    plan = Plan(START, machines=arguments.machines, seed=arguments.seed, rate_seconds=60.0)
    for line in measure(plan, arguments.days):
        print(json.dumps({"benchmark": "failure modes", "figure": "mode ahead", **line}), flush=True)


def measure(plan: Plan, days: int) -> Iterator[dict[str, object]]:
    """The lines of a factory."""
    sensor_set, hours = sensors.load(), range(START, START + days * HOURS_PER_DAY)
    machines = [MachineReadings(plan, number) for number in range(plan.machines)]
    lives = {Machine(m.lives.zone_id, m.lives.equip_id): m.lives for m in machines}
    tables = [machine_table(name, m, hours, sensor_set) for name, m in zip(lives, machines, strict=True)]
    table = hour_table.join(tables, len(Columns(sensor_set)))
    logbook = Logbook(entry for of_machine in lives.values() for entry in _entries(of_machine, hours))
    found = labels.label_by(SETTINGS, table, sensor_set, logbook)
    log = logger("benchmark", Settings(log_level="ERROR"))
    rows = dataset.build(table, found, sensor_set, log, wanted=found.running & (table.hour % 3 == 0))
    begins = hours.stop - round(len(hours) * JUDGED_SHARE)
    modes = failure_modes.learn(rows.as_of(begins), found.failure_modes, sensor_set)
    if modes is None:
        raise SystemExit("the modes of this factory cannot be told apart")
    judged = rows.take(rows.hour >= begins)
    truths = [
        (lives[judged.machines[machine]], hour)
        for machine, hour in zip(judged.machine.tolist(), judged.hour.tolist(), strict=True)
    ]
    left = np.array([of_machine.truth(hour).rul_days for of_machine, hour in truths], dtype=float)
    runs = np.array([of_machine.truth(hour).state in (State.HEALTHY, State.WORN) for of_machine, hour in truths])
    true = [of_machine.life(hour).mode.name for of_machine, hour in truths]
    features = (dict(zip(judged.names, row, strict=True)) for row in judged.x.tolist())
    named = [modes.likeliest(vector.limit_shares(values, sensor_set)) for values in features]
    for low, high in RANGES:
        within = np.flatnonzero(runs & (left > low) & (left <= high)).tolist()
        with_mode = [at for at in within if named[at]]
        right = sum(named[at] == true[at] for at in with_mode)
        yield {
            "days_left": [low, high],
            "hours": len(within),
            "named": round(len(with_mode) / max(len(within), 1), 3),
            "right": round(right / len(with_mode), 3) if with_mode else None,
        }


def _entries(lives: MachineLives, hours: range) -> Iterator[LogEntry]:
    """A machine's failures with their modes."""
    for hour in lives.failures(hours.start, hours.stop - 1):
        start = hour_start(hour).replace(tzinfo=None)
        yield LogEntry(lives.equip_id, lives.zone_id, Kind.FAILURE, start, failure_mode=lives.life(hour).mode.name)


if __name__ == "__main__":
    main()

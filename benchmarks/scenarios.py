"""Model quality in factories of many kinds, by the future that their simulator knows.

    python -m benchmarks.scenarios [NAME …] [--seeds 3] [--threads 0]

A JSON line a scenario, the mean over seeds. The product learns from what a factory knows at the end of its history; it
is judged in each hour after that, on *all* running machines, by the simulator's true RUL up to the cap: nobody is left
out because the failure is yet to come. `mean_mae` answers the training mean always (of lives as Kaplan and Meier see
them), `near_mae` counts RULs of at most 3 days, `false_urgent` is the share of those with more than 10 days left that
are told 5 or less, `missed_urgent` of those with at most 3 left that are told more than 5; `brier_3`, `brier_7` are of
P(failure within 3, 7 days), `base_3`, `base_7` of answering the base rate; `first` is how often the worn sensor is the
first driver within 3 days of failure.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from tqdm import tqdm

from monitory import sensors
from monitory.clock import HOURS_PER_DAY, first_hour, hour_start
from monitory.features import vector
from monitory.features.hour_row import Columns
from monitory.log import logger
from monitory.logbook.entry import Kind, LogEntry
from monitory.logbook.logbook import Logbook
from monitory.machine import Machine
from monitory.model.distribution import Distribution
from monitory.model.model import Model
from monitory.scoring.prediction import drivers
from monitory.sensors import SensorSet
from monitory.settings import RetrainSettings, Settings
from monitory_local.simulator.hours import machine_hours
from monitory_local.simulator.readings import MachineReadings
from monitory_local.simulator.wear import MachineLives, Plan, State
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset import dataset, hour_table, labels
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.lifetimes import Lifetimes, kaplan_meier
from monitory_retrain.evaluation.holdout import predictions
from monitory_retrain.evaluation.scores import intervals
from monitory_retrain.training import survival, training
from monitory_retrain.training.training import Recipe

START = first_hour(date(2026, 1, 1))
SETTINGS = RetrainSettings()
CAP = SETTINGS.max_rul_days
NEAR_DAYS, URGENT_DAYS, FAR_DAYS = 3.0, 5.0, 10.0
JUDGE_EVERY = 3  # hours; neighbouring ones are near copies
NAMED_ROWS = 300


@dataclass(frozen=True)
class Scenario:
    """A factory, the days that it is learnt from and those that judge.

    Attributes:
        machines, life_days, life_spread, maintained_share, abrupt_share: as in `Plan`.
        days: of history.
        judged: days after it.
        recorded: maintenance is in the log.
    """

    machines: int
    days: int
    judged: int
    life_days: float = 6.0
    life_spread: float = 0.3
    maintained_share: float = 0.0
    abrupt_share: float = 0.0
    recorded: bool = True


SCENARIOS = {
    "long-21d": Scenario(80, 21, 14, life_days=60.0),
    "long-90d": Scenario(80, 90, 14, life_days=60.0),
    "short": Scenario(40, 45, 15),
    "preempted": Scenario(40, 45, 15, maintained_share=0.5),
    "preempted-unrecorded": Scenario(40, 45, 15, maintained_share=0.5, recorded=False),
    "small-20x60": Scenario(20, 45, 15),
    "wide-100x30": Scenario(100, 22, 8),
    "demo-20x30": Scenario(20, 22, 8),
    "mixed": Scenario(60, 60, 14, life_days=25.0, life_spread=0.5, maintained_share=0.4, abrupt_share=0.2),
}


@dataclass(frozen=True)
class Factory:
    """What a scenario's factory knows, and the judged rows with the truth as labels.

    Attributes:
        history: running machines' rows with what was seen of them by the end of the history.
        judged: running machines' rows after it.
        worn: the sensor that wears, of each judged row.
    """

    history: Dataset
    judged: Dataset
    worn: list[str | None]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scenarios", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SCENARIOS)} (all)")
    parser.add_argument("--seeds", type=int, default=3, help="factories of each kind (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="of LightGBM; 0 for all cores")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    for name in arguments.names or SCENARIOS:
        print(json.dumps(measure(name, arguments.seeds, arguments.threads)), flush=True)


def measure(name: str, seeds: int, threads: int) -> dict[str, object]:
    """The mean figures of a scenario."""
    scenario, sensor_set = SCENARIOS[name], sensors.load()
    lines = []
    for seed in range(1, seeds + 1):
        factory = build(scenario, seed, sensor_set)
        if scenario.maintained_share:  # judged on the same rows as a factory where nothing is prevented
            whole = build(replace(scenario, maintained_share=0.0), seed, sensor_set)
            factory = replace(factory, judged=whole.judged, worn=whole.worn)
        lines.append(judge(factory, sensor_set, Recipe(seed=seed, threads=threads)))
    figures = {}
    for key in lines[0]:
        values = [value for line in lines if (value := line[key]) is not None]
        figures[key] = round(float(np.mean(values)), 3) if values else None
    return {"benchmark": "factory", "scenario": name, "seeds": seeds, **figures}


def build(scenario: Scenario, seed: int, sensor_set: SensorSet) -> Factory:
    """Simulate a factory, label as it would, and put the truth on the hours after its history."""
    plan = Plan(
        START,
        machines=scenario.machines,
        seed=seed,
        life_days=scenario.life_days,
        rate_seconds=60.0,
        life_spread=scenario.life_spread,
        maintained_share=scenario.maintained_share,
        abrupt_share=scenario.abrupt_share,
    )
    end = START + scenario.days * HOURS_PER_DAY
    hours = range(START, end + scenario.judged * HOURS_PER_DAY)
    machines = [MachineReadings(plan, number) for number in range(plan.machines)]
    names = [Machine(machine.lives.zone_id, machine.lives.equip_id) for machine in machines]
    shown = tqdm(machines, desc="machines simulated", disable=not sys.stderr.isatty())
    table = hour_table.join(
        [machine_table(name, machine, hours, sensor_set) for name, machine in zip(names, shown, strict=True)],
        len(Columns(sensor_set)),
    )
    found = labels.label(
        table,
        sensor_set,
        cap_days=CAP,
        share=SETTINGS.excursion_share,
        count=SETTINGS.excursion_sensors,
        logbook=Logbook(entry for m in machines for entry in _entries(m.lives, hours, scenario.recorded)),
    )
    wanted = found.running & ((table.hour < end) | (table.hour % JUDGE_EVERY == 0))
    log = logger("benchmark", Settings(log_level="ERROR"))
    rows = dataset.build(table, found, sensor_set, log, wanted=wanted)
    newer = rows.take(rows.hour >= end)
    owner = [names.index(machine) for machine in newer.machines]
    truths = [
        machines[owner[at]].lives.truth(hour)
        for at, hour in zip(newer.machine.tolist(), newer.hour.tolist(), strict=True)
    ]
    runs = np.array([truth.state in (State.HEALTHY, State.WORN) for truth in truths])
    true = np.array([np.nan if truth.rul_days is None else min(truth.rul_days, CAP) for truth in truths])
    judged = replace(newer, rul=true).take(runs)
    return Factory(rows.as_of(end), judged, [t.worn_sensor for t, run in zip(truths, runs, strict=True) if run])


def _entries(lives: MachineLives, hours: range, recorded: bool) -> Iterator[LogEntry]:
    """A machine's entries of the factory's log; maintenance where it is recorded."""
    for hour in lives.failures(hours.start, hours.stop - 1):
        yield LogEntry(lives.equip_id, lives.zone_id, Kind.FAILURE, _wall_clock(hour))
    for first, after in lives.maintenances(hours.start, hours.stop - 1) if recorded else ():
        yield LogEntry(lives.equip_id, lives.zone_id, Kind.MAINTENANCE, _wall_clock(first), _wall_clock(after))


def _wall_clock(hour: int) -> datetime:
    return hour_start(hour).replace(tzinfo=None)


def machine_table(name: Machine, machine: MachineReadings, hours: range, sensor_set: SensorSet) -> HourTable:
    """A machine's hour rows."""
    rows = machine_hours(machine, hours, sensor_set)
    zeros = np.zeros_like(rows.hour)
    return HourTable([name], zeros, rows.hour, rows.values, zeros + 360, zeros)


def judge(factory: Factory, sensor_set: SensorSet, recipe: Recipe) -> dict[str, float | None]:
    """Train on a factory's history and judge what comes after it."""
    known, judged = factory.history, factory.judged
    names = vector.trained(sensor_set)
    lives = Lifetimes(known.seen, ~np.isnan(known.rul), CAP)
    started = time.perf_counter()
    trained = training.train(known.x[:, [known.names.index(n) for n in names]], lives, known.life, names, recipe)
    rows = trained.rows[trained.settled]
    found = survival.distribution(
        trained.out_of_fold[trained.settled], lives.take(rows), known.life[rows], SETTINGS.coverage
    )
    seconds = time.perf_counter() - started
    model = Model(trained.text.encode(), None, feature_names=known.names, cap_days=CAP)
    predicted = predictions(model, judged)
    days = np.linspace(0, CAP, 121)
    mean = float(np.trapezoid(kaplan_meier(lives, days), days))
    return {
        **_errors(judged.rul, predicted),
        "mean_mae": float(np.abs(judged.rul - mean).mean()),
        **_distribution(judged.rul, predicted, found),
        "first": _worn_first(factory, model, sensor_set),
        "history_rows": float(len(known)),
        "judged_rows": float(len(judged)),
        "failed_lives": float(len(np.unique(known.life[lives.failed]))),
        "trees": float(trained.trees),
        "seconds": seconds,
    }


def _errors(true: Floats, predicted: Floats) -> dict[str, float | None]:
    error, near, far = np.abs(predicted - true), true <= NEAR_DAYS, true > FAR_DAYS
    return {
        "mae": float(error.mean()),
        "near_mae": float(error[near].mean()) if near.any() else None,
        "false_urgent": float((predicted[far] <= URGENT_DAYS).mean()) if far.any() else None,
        "missed_urgent": float((predicted[near] > URGENT_DAYS).mean()) if near.any() else None,
        "bias": float((predicted - true).mean()),
    }


def _distribution(true: Floats, predicted: Floats, found: Distribution | None) -> dict[str, float | None]:
    if found is None:
        return {"coverage": None, "width": None, "brier_3": None, "base_3": None, "brier_7": None, "base_7": None}
    low, high = intervals(predicted, found, CAP)
    figures: dict[str, float | None] = {
        "coverage": float(((low <= true) & (true <= high)).mean()),
        "width": float((high - low).mean()),
    }
    probabilities = [dict(found.failure_probability(days)) for days in predicted.tolist()]
    for days in (3, 7):
        fails = true <= days
        chance = np.array([probability[days] for probability in probabilities])
        figures[f"brier_{days}"] = float(((chance - fails) ** 2).mean())
        figures[f"base_{days}"] = float(fails.mean() * (1 - fails.mean()))
    return figures


def _worn_first(factory: Factory, model: Model, sensor_set: SensorSet) -> float | None:
    """In how many of the hours near a failure the worn sensor is named first: moves the RUL most, up or down."""
    judged = factory.judged
    near = [at for at in np.flatnonzero(judged.rul <= NEAR_DAYS).tolist() if factory.worn[at]][:NAMED_ROWS]
    first = 0
    for at in near:
        values = dict(zip(judged.names, judged.x[at].tolist(), strict=True))
        contributions = model.estimate(values, "").contributions
        named = [d.sensor for d in drivers(contributions, sensor_set, vector.nearest(values, sensor_set))]
        first += named[:1] == [factory.worn[at]]
    return first / len(near) if near else None


if __name__ == "__main__":
    main()

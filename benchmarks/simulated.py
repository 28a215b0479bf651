"""Simulated factories of several kinds: what they know at the end of their history, and the future that they don't."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from tqdm import tqdm

from benchmarks import oracle
from monitory.clock import HOURS_PER_DAY, first_hour, hour_start
from monitory.features.hour_row import Columns
from monitory.log import logger
from monitory.logbook.entry import Kind, LogEntry
from monitory.logbook.logbook import Logbook
from monitory.machine import Machine
from monitory.sensors import SensorSet
from monitory.settings import RetrainSettings, Settings
from monitory_local.simulator.hours import machine_hours
from monitory_local.simulator.readings import MachineReadings
from monitory_local.simulator.wear import MachineLives, Plan, State
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset import dataset, hour_table, labels
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.hour_table import HourTable

START = first_hour(date(2026, 1, 1))
SETTINGS = RetrainSettings()
CAP = SETTINGS.max_rul_days
JUDGE_EVERY = 3  # hours; neighbouring ones are near copies


@dataclass(frozen=True)
class Scenario:
    """A factory, the days that it is learnt from and those that judge.

    Attributes:
        machines, life_days, life_spread, maintained_share, abrupt_share: as in `Plan`.
        days: of history.
        judged: days after it.
        recorded: maintenance is in the log.
        oracle: the oracle's error is printed beside.
    """

    machines: int
    days: int
    judged: int
    life_days: float = 6.0
    life_spread: float = 0.3
    maintained_share: float = 0.0
    abrupt_share: float = 0.0
    recorded: bool = True
    oracle: bool = False


SCENARIOS = {
    "long-21d": Scenario(80, 21, 14, life_days=60.0),
    "long-90d": Scenario(80, 90, 14, life_days=60.0),
    "short": Scenario(40, 45, 15, oracle=True),
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
        oracle: the oracle's answers for the judged rows, days; None where the scenario has none.
    """

    history: Dataset
    judged: Dataset
    worn: list[str | None]
    oracle: Floats | None = None


def factory(scenario: Scenario, seed: int, sensor_set: SensorSet) -> Factory:
    """The factory of a scenario.

    Where maintenance prevents failures it is judged on the rows of the same factory with none prevented.
    """
    simulated = _simulate(scenario, seed, sensor_set)
    if not scenario.maintained_share:
        return simulated
    whole = _simulate(replace(scenario, maintained_share=0.0), seed, sensor_set)
    return replace(simulated, judged=whole.judged, worn=whole.worn)


def _simulate(scenario: Scenario, seed: int, sensor_set: SensorSet) -> Factory:
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
    logbook = Logbook(entry for m in machines for entry in _entries(m.lives, hours, scenario.recorded))
    labelled = labels.label_by(SETTINGS, table, sensor_set, logbook)
    wanted = labelled.running & ((table.hour < end) | (table.hour % JUDGE_EVERY == 0))
    log = logger("benchmark", Settings(log_level="ERROR"))
    rows = dataset.build(table, labelled, sensor_set, log, wanted=wanted, dtype=dataset.TRAINING_TYPE)
    newer = rows.take(rows.hour >= end)
    owner = [names.index(machine) for machine in newer.machines]
    truths = [
        machines[owner[at]].lives.truth(hour)
        for at, hour in zip(newer.machine.tolist(), newer.hour.tolist(), strict=True)
    ]
    runs = np.array([truth.state in (State.HEALTHY, State.WORN) for truth in truths])
    true = np.array([np.nan if truth.rul_days is None else min(truth.rul_days, CAP) for truth in truths])
    judged = replace(newer, rul=true).take(runs)
    told = oracle.answers(machines, table, sensor_set, judged.machine, judged.hour, CAP) if scenario.oracle else None
    worn = [truth.worn_sensor for truth, run in zip(truths, runs, strict=True) if run]
    return Factory(rows.as_of(end), judged, worn, told)


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

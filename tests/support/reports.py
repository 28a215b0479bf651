"""A small factory's findings for tests of the report: learnt by the product's own code from made-up hour rows."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

import msgspec
import numpy as np

from monitory import sensors
from monitory.clock import days_between, first_hour
from monitory.features.hour_row import STATISTICS
from monitory.log import logger
from monitory.machine import Machine
from monitory.model.model import Model
from monitory.scoring.performance import (
    Accuracy,
    AnnouncementRecord,
    HorizonAccuracy,
    Performance,
    VersionAccuracy,
)
from monitory.sensors import PowerFactor, Sensor, SensorSet
from monitory.settings import RetrainSettings
from monitory_retrain import pipeline, report
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.completeness import Completeness, completeness
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.evaluation import drift, verdict
from monitory_retrain.evaluation import holdout as validation
from monitory_retrain.evaluation.announcements import announcements
from monitory_retrain.evaluation.holdout import Champion
from monitory_retrain.evaluation.scores import score
from monitory_retrain.ingest.lake_config import LakeConfig
from monitory_retrain.report import Findings
from monitory_retrain.training.training import Recipe

SENSORS: SensorSet = sensors.load()
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 16)
DAYS = days_between(FIRST, LAST)
SETTINGS = RetrainSettings(min_readings=0)
LAKE = LakeConfig("lake", "", "EQUIPMENT", SENSORS)
RECIPE = Recipe(folds=3, trees=15, threads=1)


def table(machines: int = 6, life_hours: int = 90, seed: int = 0) -> HourTable:
    """Machines whose vibration rises until it leaves its limits; the fourth date is missing, and some hours are.

    No run is as long as the one before: a machine's last one does not tell its next.
    """
    owners = [Machine("ZONE-001", f"EQUIP-{number:03d}") for number in range(1, machines + 1)]
    machine, hour, values = _columns(machines, life_hours, seed)
    n = len(hour)
    return HourTable(
        owners,
        machine.copy(),
        hour.copy(),
        values.copy(),
        np.full(n, 4320, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
    )


@cache
def _columns(machines: int, life_hours: int, seed: int) -> tuple[Ints, Ints, Floats]:
    """Machine, hour and values of a table's rows."""
    rng = np.random.default_rng(seed)
    start = first_hour(FIRST)
    gap = range(first_hour(DAYS[3]), first_hour(DAYS[4]))
    machine, hour, values = [], [], []
    for index in range(machines):
        age, length = index * life_hours // machines, life_hours
        for at in range(start, first_hour(LAST) + 24):
            age += 1
            if age >= length:
                age, length = 0, int(rng.integers(life_hours * 2 // 3, life_hours * 4 // 3))
            if at in gap or (index == 1 and rng.random() < 0.1):
                continue
            row = _row(rng, age / length)
            machine.append(index)
            hour.append(at)
            values.append(row)
    return np.array(machine, dtype=np.int64), np.array(hour, dtype=np.int64), np.array(values)


def _row(rng: np.random.Generator, wear: float) -> list[float]:
    row: list[float] = []
    for sensor in SENSORS.sensors:
        middle, reach = (sensor.low + sensor.high) / 2, (sensor.high - sensor.low) / 2
        mean = middle + reach * float(rng.normal(0, 0.05))
        if sensor.name == "vibration":
            mean = middle + reach * (wear * 1.15 - 0.2) + reach * float(rng.normal(0, 0.02))
        outside = float(abs(mean - middle) > reach * 0.88)
        statistics = dict.fromkeys(STATISTICS, mean)
        statistics |= {"rollstd": reach * 0.1, "min": mean - reach * 0.2, "max": mean + reach * 0.2}
        row += (statistics | {"outside": outside, "count": 720.0}).values()
    return [*row, 0.9]


@cache
def challenger() -> pipeline.Challenger:
    """What is learnt from `table`."""
    found = pipeline.learn(table(), SENSORS, SETTINGS, RECIPE, logger("tests", SETTINGS))
    assert isinstance(found, pipeline.Challenger), found
    return found


@cache
def findings() -> Findings:
    """Findings with a champion that is a little worse, a day without data and nothing drifted."""
    new = challenger()
    holdout = new.split.holdout
    model = Model(new.trained.text.encode(), None, feature_names=new.last_day.names, cap_days=SETTINGS.max_rul_days)
    day = drift.compare(new.reference, new.last_day, validation.predictions(model, new.last_day), SENSORS)
    worse = np.clip(new.predicted + np.random.default_rng(1).normal(0, 1.0, len(holdout)), 0, SETTINGS.max_rul_days)
    shown = score(holdout.seen, worse, new.calibration, SETTINGS.max_rul_days, watched=new.split.watched)
    champion = Champion("2026/11/10/150102", worse, shown)
    compared = verdict.compare(
        holdout.seen, worse, new.predicted, holdout.machine, holdout.hour // 24, new.split.watched
    )
    ruling = verdict.against(champion.scores, new.scores, compared, new.baselines, margin=0.02, coverage=0.9)
    card = pipeline.card(
        new,
        version="2026/11/16/150102",
        trained_at="2026-11-16T15:01:02+00:00",
        days=DAYS,
        sensors=SENSORS,
        settings=SETTINGS,
        recipe=RECIPE,
    )
    return Findings(card, new, ruling, True, champion, day, completeness(table(), DAYS), realised())


@cache
def page() -> bytes:
    """The report of `findings`."""
    return report.render(findings())


def realised() -> Performance:
    """Realised accuracy with a broken promise."""
    accuracy = Accuracy(
        hours=1234,
        mae_days=1.5,
        coverage=0.62,
        horizons=[
            HorizonAccuracy(
                days=days,
                failures=6,
                mean_absolute_error_days=0.25,
                mean_error_days=-0.125,
                coverage=0.5,
                maintenance=0,
                maintenance_rul_days=None,
            )
            for days in (1, 3, 7, 14)
        ],
        announcements=[
            AnnouncementRecord(
                limit_days=limit,
                failures=6,
                announced=5,
                missed=1,
                median_lead_days=limit - 0.5,
                low_lead_days=0.0,
                maintenance=2,
                maintenance_announced=1,
                raised=7,
                false=1,
                machine_months=3.0,
                false_per_machine_month=0.33,
            )
            for limit in (5.0, 3.0)
        ],
    )
    return Performance(
        first_day=FIRST,
        last_day=LAST,
        measured_at=datetime(2026, 11, 16, 15, 1, tzinfo=UTC),
        promised_coverage=0.9,
        shortfalls=["62% of the intervals held what happened, 90% are promised"],
        overall=accuracy,
        versions=[VersionAccuracy(version="2026/11/10/150102", **dict(accuracy))],
    )


def sparse() -> Findings:
    """Findings with as little as there can be: no champion, no interval, no failure in sight, no drift to tell."""
    full = findings()
    new = full.challenger
    rows = np.flatnonzero(np.isnan(new.split.holdout.rul))
    parts = new.split._replace(holdout=new.split.holdout.take(rows))
    alone = replace(
        new,
        split=parts,
        predicted=new.predicted[rows],
        judged=replace(new.judged, calibration=None),
        scores=score(parts.holdout.seen, new.predicted[rows], watched=parts.watched),
        machines=[],
        announcements=announcements(parts.holdout.take(rows[:0]), new.predicted[:0], SETTINGS.max_rul_days),
        reliability=[],
    )
    unjudged = drift.compare(None, new.last_day, np.zeros(len(new.last_day)), SENSORS)
    card = msgspec.structs.replace(full.card, calibration=None)
    ruling = verdict.first(alone.scores, new.baselines)
    nothing = Completeness([], DAYS, np.zeros((0, len(DAYS)), dtype=np.int64))
    return Findings(card, alone, ruling, False, None, unjudged, nothing)


def hostile() -> Findings:
    """Findings in which everything that comes from data tries to be markup."""
    full = findings()
    new = full.challenger
    evil = '<script>alert("1")</script><img src=x onerror=alert(2)>'
    owners = [Machine(evil, f"{evil}{number}") for number in range(len(full.completeness.machines))]
    ruling = msgspec.structs.replace(full.verdict, reasons=(evil, f"<b>{evil}</b>"))
    told = msgspec.structs.replace(full.drift.sensors[0], name=evil, status="moved", sentence=evil)
    units = tuple(Sensor(s.lake_name, s.name, r"<i>$\frac$</i>", s.low, s.high) for s in SENSORS.sensors)
    odd = SensorSet(units, PowerFactor("active_power", "reactive_power"))
    parts = new.split._replace(holdout=replace(new.split.holdout, machines=owners))
    return Findings(
        msgspec.structs.replace(full.card, sensors=odd, labels={**full.card.labels, "from_failure_log": evil}),
        replace(new, split=parts),
        ruling,
        True,
        replace(full.champion, version=evil) if full.champion else None,
        msgspec.structs.replace(full.drift, sensors=(told, *full.drift.sensors[1:]), against=evil),
        replace(full.completeness, machines=owners),
    )

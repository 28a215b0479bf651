"""Model quality on a simulated factory, whose future is known.

    python -m benchmarks.factory [--machines 40] [--days 60]

Hour rows come from the simulator's readings by the product's own code. The product learns from what a factory would
know at the time; the hold-out is the newest quarter, judged by the simulator's true RUL, so that no machine is left
out because its failure is yet to come. JSON lines: the product, the best that hourly means can tell (see `oracle`) and
rules without sensors, the product restricted to the newest hour (snapshot), the recipe of the server that did this job
before (one row an hour, oversampled, *then* split at random) with the error that it would report and the error that it
has, coverage by thirds of predicted RUL, and how often the worn sensor is named first.
"""

import argparse
import json
import sys
from dataclasses import dataclass, replace
from datetime import datetime

import lightgbm as lgb
import numpy as np
from imblearn.over_sampling import RandomOverSampler
from tqdm import tqdm

from benchmarks import oracle
from benchmarks.simulated import machine_table
from monitory import sensors
from monitory.clock import first_hour
from monitory.features import vector
from monitory.features.hour_row import POWER_FACTOR, Columns
from monitory.log import logger
from monitory.machine import Machine
from monitory.model.distribution import Distribution
from monitory.model.model import Model
from monitory.scoring.prediction import drivers
from monitory.sensors import SensorSet
from monitory.settings import RetrainSettings, Settings
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan, State
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset import dataset, hour_table, labels, split
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.lifetimes import Lifetimes
from monitory_retrain.evaluation.holdout import predictions
from monitory_retrain.evaluation.scores import Scores, intervals, score
from monitory_retrain.training import balancing, survival, training
from monitory_retrain.training.training import Recipe

HOLDOUT_SHARE = 0.25
NEAR_DAYS = 3.0
SETTINGS = RetrainSettings()


@dataclass(frozen=True)
class Factory:
    """A simulated factory's rows, and the hold-out with the truth as its labels and the oracle's answers."""

    training: Dataset
    holdout: Dataset
    worn: list[str | None]
    oracle: Floats


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.factory", description=__doc__.splitlines()[0])
    parser.add_argument("--machines", type=int, default=40, help="of the factory (%(default)s)")
    parser.add_argument("--days", type=int, default=60, help="of its history (%(default)s)")
    parser.add_argument("--rate", type=float, default=60.0, help="seconds between readings (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the simulation (%(default)s)")
    arguments = parser.parse_args()
    start = first_hour(datetime(2026, 1, 1).date())
    plan = Plan(start, machines=arguments.machines, seed=arguments.seed, rate_seconds=arguments.rate)
    sensor_set = sensors.load()
    factory = build(Producer(plan), range(start, start + arguments.days * 24), sensor_set)
    size = {"machines": plan.machines, "days": arguments.days, "training_rows": len(factory.training)}
    for line in measure(factory, sensor_set):
        print(json.dumps({"benchmark": "factory", **size, **line}), flush=True)


def build(producer: Producer, hours: range, sensor_set: SensorSet) -> Factory:
    """Simulate, label as a factory would, split through time, and put the truth on the hold-out."""
    rows = join(producer, hours, sensor_set)
    found = labels.label_by(SETTINGS, rows, sensor_set)
    everything = dataset.build(rows, found, sensor_set, logger("benchmark", Settings(log_level="ERROR")))
    starts = split.begins(everything.hour, HOLDOUT_SHARE)
    newer = everything.take(everything.hour >= starts)
    lives = [machine.lives for machine in producer.machines]
    truths = [lives[m].truth(h) for m, h in zip(newer.machine.tolist(), newer.hour.tolist(), strict=True)]
    runs = np.array([truth.state in (State.HEALTHY, State.WORN) for truth in truths])
    true = np.array([truth.rul_days if truth.rul_days is not None else np.nan for truth in truths])
    holdout = replace(newer, rul=np.minimum(true, SETTINGS.max_rul_days)).take(runs)
    worn = [truth.worn_sensor for truth, run in zip(truths, runs, strict=True) if run]
    told = oracle.answers(producer.machines, rows, sensor_set, holdout.machine, holdout.hour, SETTINGS.max_rul_days)
    return Factory(everything.as_of(starts), holdout, worn, told)


def join(producer: Producer, hours: range, sensor_set: SensorSet) -> HourTable:
    """The hour rows of all machines."""
    tables = [
        machine_table(Machine(m.lives.zone_id, m.lives.equip_id), m, hours, sensor_set)
        for m in tqdm(producer.machines, desc="machines simulated", disable=not sys.stderr.isatty())
    ]
    return hour_table.join(tables, len(Columns(sensor_set)))


def measure(factory: Factory, sensor_set: SensorSet) -> list[dict[str, object]]:
    """All figures, one JSON line each."""
    known, holdout = factory.training, factory.holdout
    mean = score(holdout.rul, np.full(len(holdout), known.labelled.rul.mean()))
    learnt = _learn(known, holdout, vector.trained(sensor_set))
    product = learnt.scores
    best = score(holdout.rul, factory.oracle)
    snapshot = _learn(known, holdout, _snapshot(sensor_set)).scores
    claimed, honest = _ancestor(known.labelled, holdout, _snapshot(sensor_set))
    ours = {"mae": product.mae, "near_mae": product.near_mae, "rmse": product.rmse, "r2": product.r2}
    lines: list[dict[str, object]] = [
        {"figure": "product", "holdout_rows": len(holdout), **ours},
        {"figure": "oracle", "mae": best.mae, "near_mae": best.near_mae, "r2": best.r2},
        {"figure": "training_mean", "mae": mean.mae, "near_mae": mean.near_mae, "ratio": mean.mae / product.mae},
        {"figure": "snapshot_only", "mae": snapshot.mae, "near_mae": snapshot.near_mae, "r2": snapshot.r2},
        {"figure": "ancestor_claimed", "mae": claimed.mae, "near_mae": claimed.near_mae, "r2": claimed.r2},
        {"figure": "ancestor_honest", "mae": honest.mae, "near_mae": honest.near_mae, "r2": honest.r2},
        {"figure": "leak", "honest_over_claimed": honest.mae / claimed.mae},
        {"figure": "coverage", **_coverage(holdout, learnt)},
        {"figure": "drivers", **_drivers(factory, learnt.model, sensor_set)},
    ]
    return [_rounded(line) for line in lines]


def _snapshot(sensor_set: SensorSet) -> tuple[str, ...]:
    found = [name + suffix for name in sensor_set.names for suffix in vector.SNAPSHOT]
    return (*found, POWER_FACTOR) if sensor_set.power_factor else tuple(found)


@dataclass(frozen=True)
class Learnt:
    """A model of the product's training and how it does on the hold-out."""

    model: Model
    calibration: Distribution | None
    predicted: Floats
    scores: Scores


def _learn(known: Dataset, holdout: Dataset, names: tuple[str, ...]) -> Learnt:
    """The product's training on some features, judged on the hold-out."""
    at = [known.names.index(name) for name in names]
    cap = SETTINGS.max_rul_days
    lives = Lifetimes(known.seen, ~np.isnan(known.rul), cap)
    trained = training.train(known.x[:, at], lives, known.life, names, Recipe())
    rows = trained.rows[trained.settled]
    interval = survival.distribution(
        trained.out_of_fold[trained.settled], lives.take(rows), known.life[rows], SETTINGS.coverage
    )
    model = Model(trained.text.encode(), None, feature_names=known.names, cap_days=cap)
    predicted = predictions(model, holdout)
    return Learnt(model, interval, predicted, score(holdout.rul, predicted, interval, cap, holdout.age))


def _ancestor(known: Dataset, holdout: Dataset, names: tuple[str, ...]) -> tuple[Scores, Scores]:
    """Oversample bins of RUL, then split at random: what it reports of itself, and what it's worth."""
    at = [known.names.index(name) for name in names]
    index = np.arange(len(known)).reshape(-1, 1)
    index, _ = RandomOverSampler(random_state=0).fit_resample(index, balancing.bins(known.rul))
    rows = np.random.default_rng(0).permutation(index.ravel())
    cut = len(rows) * 4 // 5
    fitting, testing = rows[:cut], rows[cut:]
    parameters = {"objective": "regression", "verbose": -1, "seed": 0, "num_leaves": 63}
    booster = lgb.train(parameters, lgb.Dataset(known.x[fitting][:, at], known.rul[fitting]), 500)
    claimed = score(known.rul[testing], np.asarray(booster.predict(known.x[testing][:, at])))
    return claimed, score(holdout.rul, np.asarray(booster.predict(holdout.x[:, at])))


def _coverage(holdout: Dataset, learnt: Learnt) -> dict[str, object]:
    """Coverage and mean width of the intervals, over all rows and in thirds of the predicted RUL, shortest first."""
    if learnt.calibration is None:
        return {"coverage": None}
    low, high = intervals(learnt.predicted, learnt.calibration, SETTINGS.max_rul_days, holdout.age)
    held = (low <= holdout.rul) & (holdout.rul <= high)
    thirds = np.array_split(np.argsort(learnt.predicted), 3)
    return {
        "coverage": float(held.mean()),
        "thirds": [round(float(held[third].mean()), 3) for third in thirds],
        "width": float((high - low).mean()),
    }


def _drivers(factory: Factory, model: Model, sensor_set: SensorSet) -> dict[str, object]:
    """In how many of the hours near a failure the worn sensor is named first: moves the RUL most, up or down."""
    holdout, x = factory.holdout, factory.holdout.x
    near = np.flatnonzero(holdout.rul <= NEAR_DAYS).tolist()
    first = considered = 0
    for at in near:
        if factory.worn[at] is None:
            continue
        considered += 1
        values = dict(zip(holdout.names, x[at].tolist(), strict=True))
        shares = model.estimate(values, "").contributions
        ranked = drivers(shares, sensor_set, vector.nearest(values, sensor_set))
        named = [driver.sensor for driver in ranked if driver.sensor in sensor_set.names]
        first += bool(named) and named[0] == factory.worn[at]
    return {"hours": considered, "worn_sensor_first": first / considered if considered else None}


def _rounded(line: dict[str, object]) -> dict[str, object]:
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in line.items()}


if __name__ == "__main__":
    main()

"""Failure modes learnt from the days before failures that the log names."""

import numpy as np

from monitory import sensors
from monitory.features import vector
from monitory.machine import Machine
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.training import failure_modes

SENSORS = sensors.load()
NAMES = vector.names(SENSORS)
MACHINE = Machine("ZONE-001", "EQUIP-001")
WORN = {"bearing": "vibration", "cooling": "temperature", "seal": "humidity"}
HOURS = 240


def factory(modes: list[str], noise: float = 0.1) -> tuple[Dataset, dict[Machine, dict[int, str]]]:
    """A machine's runs of ten days, one after another, each to a failure of a mode."""
    draw = np.random.default_rng(1)
    n = len(modes) * HOURS
    x = np.full((n, len(NAMES)), np.nan)
    for sensor in SENSORS.sensors:
        span = sensor.high - sensor.usual
        x[:, NAMES.index(f"{sensor.name}_mean_24h")] = sensor.usual + noise * span * draw.standard_normal(n)
    hour = np.arange(1000, 1000 + n)
    left = HOURS - 1 - (hour - 1000) % HOURS
    for run, mode in enumerate(modes):
        rows = slice(run * HOURS, (run + 1) * HOURS)
        sensor = next(sensor for sensor in SENSORS.sensors if sensor.name == WORN[mode])
        wear = 0.8 * np.clip(1 - left[rows] / 120, 0.0, 1.0) * (sensor.high - sensor.usual)
        x[rows, NAMES.index(f"{sensor.name}_mean_24h")] += wear
    zeros = np.zeros(n, dtype=np.int64)
    rul = left / 24.0
    rows_of = Dataset(NAMES, x, rul, rul, zeros, hour, hour + left, (hour - 1000) // HOURS, [MACHINE])
    return rows_of, {MACHINE: {1000 + (run + 1) * HOURS - 1: mode for run, mode in enumerate(modes)}}


def features(**shares: float) -> dict[str, float]:
    values = dict.fromkeys(NAMES, float("nan"))
    for sensor in SENSORS.sensors:
        distance = shares.get(sensor.name, 0.0) * (sensor.high - sensor.usual)
        values[f"{sensor.name}_mean_24h"] = sensor.usual + distance
    return values


def test_the_worn_sensor_tells_the_mode_and_a_healthy_machine_none() -> None:
    learnt = failure_modes.learn(*factory(["bearing", "cooling"] * 8), SENSORS)
    assert learnt is not None
    named = [
        learnt.likeliest(vector.limit_shares(features(**shares), SENSORS))
        for shares in ({"vibration": 0.9}, {"temperature": 0.9}, {})
    ]
    assert named == ["bearing", "cooling", None]


def test_rare_modes_are_one_that_is_not_named() -> None:
    learnt = failure_modes.learn(*factory(["bearing", "cooling"] * 8 + ["seal"] * 4), SENSORS)
    assert learnt is not None
    assert [mode.name for mode in learnt.modes] == ["", "bearing", "cooling"]
    assert learnt.likeliest(vector.limit_shares(features(humidity=0.9), SENSORS)) is None


def test_what_cannot_be_told_apart_is_not_learnt() -> None:
    rows, modes = factory(["bearing"] * 16)
    assert failure_modes.learn(rows, modes, SENSORS) is None
    mixed = {MACHINE: {hour: ("a", "b")[at % 3 == 0] for at, hour in enumerate(modes[MACHINE])}}
    assert failure_modes.learn(rows, mixed, SENSORS) is None
    assert failure_modes.learn(rows, {}, SENSORS) is None

"""Failures in the readings: enough readings, at any rate, of a sensor that can be believed."""

import math

import numpy as np
import pytest

from monitory.features.excursion import Excursion
from monitory.features.hour_row import Columns
from monitory.sensors import load

SENSORS = load()
COLUMNS = Columns(SENSORS)
RULE = Excursion(0.5, 1)


def row(count: float = 60.0, lows: float = 0.0, highs: float = 9.0, **outside: float) -> list[float]:
    """An hour's values with shares of readings outside the limits, 0 where none is given."""
    values = [0.0] * len(COLUMNS)
    for name in SENSORS.names:
        statistics = {"count": count, "min": lows, "max": highs, "outside": outside.get(name, 0.0)}
        for statistic, value in statistics.items():
            values[COLUMNS.index(name, statistic)] = value
    return values


def failing(rows: list[list[float]], rule: Excursion = RULE, hours: list[int] | None = None) -> list[bool]:
    return rule.failing(hours or list(range(len(rows))), rows, SENSORS)


@pytest.mark.parametrize(
    ("rule", "outside", "fails"),
    [
        (Excursion(0.5, 1), {}, False),
        (Excursion(0.5, 1), {"temperature": 0.49}, False),
        (Excursion(0.5, 1), {"temperature": 0.5}, True),
        (Excursion(0.5, 1), {"reactive_power": 1.0}, True),
        (Excursion(0.5, 2), {"temperature": 1.0}, False),
        (Excursion(0.5, 2), {"temperature": 0.6, "humidity": 0.7}, True),
        (Excursion(0.5, 1), {"temperature": math.nan}, False),
        (Excursion(0.2, 1), {"temperature": 0.25}, True),
        (Excursion(0.01, 1), {"temperature": 0.05}, False),  # spikes are as many
        (Excursion(1.0, 6), dict.fromkeys(SENSORS.names, 1.0), True),
    ],
)
def test_an_hour_fails_when_enough_sensors_are_outside_long_enough(
    rule: Excursion, outside: dict[str, float], fails: bool
) -> None:
    assert failing([row(720, **outside)], rule) == [fails]


@pytest.mark.parametrize(("readings_an_hour", "hours"), [(1, 6), (2, 3), (3, 2), (6, 1), (12, 1), (720, 1)])
def test_few_readings_take_more_hours_and_then_count_from_the_first(readings_an_hour: int, hours: int) -> None:
    rows = [row(readings_an_hour, temperature=1.0)] * hours
    assert failing(rows) == [True] * hours
    assert failing([row(readings_an_hour), *rows[1:], row(readings_an_hour)]) == [False] * (hours + 1)


@pytest.mark.parametrize("readings_an_hour", [1, 2, 3, 6, 12, 60, 720])
@pytest.mark.parametrize("spike_share", [0.005, 0.02, 0.05])
def test_spikes_are_no_failure_at_any_rate(readings_an_hour: int, spike_share: float) -> None:
    draw = np.random.default_rng(readings_an_hour)
    rows = np.tile(row(readings_an_hour), (20_000, 1))
    shares = draw.binomial(readings_an_hour, spike_share, (len(rows), len(SENSORS.names))) / readings_an_hour
    rows[:, [COLUMNS.index(name, "outside") for name in SENSORS.names]] = shares
    assert not any(failing(rows.tolist()))


def test_an_hour_within_the_limits_begins_another_series() -> None:
    out, normal = row(1, temperature=1.0), row(1)
    assert not any(failing([out] * 5 + [normal] + [out] * 5))


def test_another_sensor_s_spike_adds_nothing() -> None:
    rows = [row(1, **{("temperature", "humidity")[hour % 2]: 1.0}) for hour in range(20)]
    assert not any(failing(rows))


def test_hours_without_the_sensor_neither_add_nor_end() -> None:
    out = row(1, temperature=1.0)
    silent = row(0)
    assert failing([out, silent, *[out] * 5]) == [True] * 7
    assert not any(failing([out, *[out] * 5], hours=[0, 8, 9, 10, 11, 12]))


@pytest.mark.parametrize("count", [12.0, 720.0])
def test_a_sensor_that_is_stuck_beyond_its_limits_is_no_machine_that_fails(count: float) -> None:
    stuck = row(count, lows=110.0, highs=110.0, temperature=1.0)
    assert not any(failing([row(count), *[stuck] * 5]))


def test_a_sensor_that_gets_stuck_within_an_hour_is_found_out_in_the_next_one() -> None:
    mixed = row(60, lows=70.0, highs=110.0, temperature=0.6)
    stuck = row(60, lows=110.0, highs=110.0, temperature=1.0)
    assert failing([row(60), mixed]) == [False, True]
    assert not any(failing([row(60), mixed, stuck]))
    assert failing([row(60, lows=70.0, highs=118.0, temperature=0.9), stuck]) == [True, False]


def test_few_readings_that_are_all_equal_prove_nothing() -> None:
    assert not any(failing([row(1, lows=110.0, highs=110.0, temperature=1.0)] * 10))

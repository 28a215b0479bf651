"""Hour rows, with pandas as the oracle."""

import math
import random
import sys
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitory import clock
from monitory.features import hour_row
from monitory.readings.by_hour import ReadingsByHour
from monitory.sensors import load
from tests.support.samples import SENSOR_TYPES, SOURCE, TEN, ndjson, reading

SENSORS = load()
HOUR = clock.hour_of(TEN)


def row(readings: list[dict[str, Any]]) -> dict[str, float]:
    """The hour row of readings, by name."""
    gathered = ReadingsByHour(SENSORS)
    gathered.add(SOURCE, [ndjson(readings)])
    made = hour_row.hour_row(HOUR, gathered.hours[HOUR], SENSORS)
    assert made.hour == HOUR
    return dict(zip(hour_row.Columns(SENSORS).names, made.values, strict=True))


def series(values: list[float], sensor: str = "temp") -> list[dict[str, Any]]:
    return [reading(value, second, sensor=sensor) for second, value in enumerate(values)]


values_of_a_sensor = st.lists(
    st.one_of(st.floats(-200, 200), st.sampled_from([0.0, 70.0, 101.0, 101.5, 1e5])), min_size=1, max_size=60
)


@given(values_of_a_sensor)
@example([1e5, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
@example([*[0.0] * 8, 1.5, 1.5, 1.5, 1.875, 1e5])
def test_a_row_says_what_pandas_says(values: list[float]) -> None:
    made = row(series(values))
    oracle = pd.Series(values)
    expected = {
        "temperature": oracle.mean(),
        "temperature_rollmean": oracle.rolling(5).mean().mean(),
        # `rolling(5).std()` updates a sum of squares: it keeps the rounding errors of an outlier that has left
        "temperature_rollstd": oracle.rolling(5).apply(pd.Series.std).mean(),
        "temperature_min": oracle.min(),
        "temperature_max": oracle.max(),
        "temperature_outside": 1 - oracle.between(41, 101).mean(),
        "temperature_count": float(len(values)),
    }
    # of readings that are all alike but for rounding, a variance is at most their squares' last digit
    rounding = max(map(abs, values)) * sys.float_info.epsilon**0.5
    for name, value in expected.items():
        assert made[name] == pytest.approx(value, rel=1e-9, abs=max(1e-5, rounding), nan_ok=True), name


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_fewer_than_five_readings_have_a_mean_but_nothing_rolls(count: int) -> None:
    made = row(series([70.0] * count))
    assert made["temperature"] == 70.0
    assert math.isnan(made["temperature_rollmean"])
    assert math.isnan(made["temperature_rollstd"])
    assert made["temperature_count"] == count


def test_five_readings_roll_once() -> None:
    made = row(series([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert made["temperature_rollmean"] == 3.0
    assert made["temperature_rollstd"] == pytest.approx(math.sqrt(2.5))


def test_a_silent_sensor_is_missing_and_never_0() -> None:
    made = row(series([70.0] * 10))
    of_others = {name: value for name, value in made.items() if not name.startswith("temperature")}
    assert {name for name, value in of_others.items() if not math.isnan(value)} == {
        f"{name}_count" for name in SENSORS.names if name != "temperature"
    }
    assert made["vibration_count"] == 0.0


@pytest.mark.parametrize(
    ("active", "reactive", "expected"),
    [(0.0, 0.0, 0.0), (3.0, 4.0, 0.6), (5.0, 0.0, 1.0), (0.0, 5.0, 0.0), (-3.0, 4.0, -0.6)],
)
def test_power_factor(active: float, reactive: float, expected: float) -> None:
    made = row([reading(active, sensor="active_power"), reading(reactive, sensor="reactive_power")])
    assert made["power_factor"] == expected


@pytest.mark.parametrize("silent", ["active_power", "reactive_power"])
def test_power_factor_is_missing_without_both_powers(silent: str) -> None:
    heard = next(name for name in ("active_power", "reactive_power") if name != silent)
    assert math.isnan(row([reading(0.0, sensor=heard)])["power_factor"])


@given(st.floats(-1e6, 1e6), st.integers(5, 400))
def test_a_frozen_sensor_has_a_deviation_of_exactly_0(value: float, count: int) -> None:
    made = row(series([value] * count))
    assert made["temperature_rollstd"] == 0.0
    assert made["temperature_min"] == made["temperature_max"] == value


def test_the_largest_values_that_count_as_numbers_can_be_computed_with() -> None:
    made = row(series([1e100, -1e100] * 100))
    assert made["temperature"] == 0.0
    assert math.isfinite(made["temperature_rollstd"])


@given(values_of_a_sensor, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_change_a_bit(values: list[float], shuffler: random.Random) -> None:
    lines = series(values) + series(values[:20], sensor="pressure")
    mixed = lines[:]
    shuffler.shuffle(mixed)
    assert row(mixed) == pytest.approx(row(lines), rel=0, abs=0, nan_ok=True)


def test_a_row_has_every_sensor_s_columns_in_the_order_of_the_set() -> None:
    names = hour_row.Columns(SENSORS).names
    assert names[:7] == (
        "temperature",
        "temperature_rollmean",
        "temperature_rollstd",
        "temperature_min",
        "temperature_max",
        "temperature_outside",
        "temperature_count",
    )
    assert len(names) == 7 * len(SENSOR_TYPES) + 1 == len(set(names))
    assert names[-1] == "power_factor"


def test_spikes_count_as_outside_and_no_more() -> None:
    readings = series([70.0] * 95 + [180.0] * 5)
    assert row(readings)["temperature_outside"] == pytest.approx(0.05)


@pytest.mark.parametrize("limit", [41.0, 101.0])
def test_a_reading_at_a_limit_is_inside(limit: float) -> None:
    assert row(series([limit] * 4))["temperature_outside"] == 0.0


def test_a_clock_that_jumps_back_within_the_hour_only_orders_readings() -> None:
    times = [0, 600, 1200, 300, 900]
    jumped = [reading(float(at), at) for at in times]
    straight = [reading(float(at), at) for at in sorted(times)]
    assert row(jumped) == pytest.approx(row(straight), rel=0, abs=0, nan_ok=True)
    assert TEN + timedelta(seconds=max(times)) < TEN + timedelta(hours=1)

"""The array form of the features is what serving computes hour by hour, whatever a machine's history looks like."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitory.features import vector
from monitory.features.hour_row import Columns, HourRow, off_rule
from monitory.features.regimes import Regime, Regimes
from monitory.sensors import PowerFactor, Sensor, SensorSet, load
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.feature_matrix import History, matrix

SENSORS = load()
OPERATED = SensorSet(
    (
        Sensor("load", "load", "%", 0.0, 100.0),
        Sensor("P", "power", "kW", 10.0, 90.0),
        Sensor("Q", "reactive", "kvar", -40.0, 40.0),
        Sensor("T", "heat", "°C", -20.0, 1e30),
    ),
    PowerFactor("power", "reactive"),
    operating=("load",),
)
REGIMES = Regimes(
    ("load",),
    (10.0,),
    1.0,
    ("power", "reactive", "heat"),
    (Regime((30.0,), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), 90), Regime((70.0,), (0.5, 2.0, 0.0), (3.0, -1.0, 20.0), 60)),
)
NEAR = 1e-8
FIRST = 500_000


def history(seed: int, count: int, sensors: SensorSet) -> History:
    """A machine's hours: gaps, silent sensors, standstill, flat stretches, wear, and failures that begin it anew."""
    draw = np.random.default_rng(seed)
    present = draw.random(2 * count) < draw.choice([0.3, 0.9, 1.0])
    if draw.random() < 0.3:
        present[draw.integers(2 * count) :][:200] = False  # longer than any window
    present[-1] = True
    hour = FIRST + np.flatnonzero(present)
    n, columns = len(hour), Columns(sensors)
    values = draw.normal(30, 5, (n, len(columns)))
    worn = np.linspace(0, 1, n)[:, None] * draw.normal(0, 20, len(sensors.names))
    means = draw.normal(50, draw.choice([0.0, 0.1, 10.0]), (n, len(sensors.names))) + worn * draw.integers(2)
    means *= draw.choice([1.0, 1e-3, 1e6], len(sensors.names))
    if sensors.operating:
        means[:, 0] = draw.choice([30.0, 70.0, 50.0], n, p=[0.6, 0.35, 0.05])
    values[:, columns.indices("mean")] = means
    values[:, columns.indices("count")] = 720.0
    still = draw.random(n) < draw.choice([0.0, 0.1])
    values[:, columns.indices("min")], values[:, columns.indices("max")] = 1.0, np.where(still, 1.0, 2.0)[:, None]
    for at, name in enumerate(sensors.names):
        silent = draw.random(n) < draw.choice([0.0, 0.0, 0.2, 1.0])
        first = columns.index(name, "mean")
        values[silent, first : first + 5] = np.nan
        values[silent, columns.indices("count")[at]] = 0.0
    ends = np.sort(draw.choice(hour, draw.integers(0, 3)))
    last_failure = np.r_[-1, ends][np.searchsorted(ends, hour)]
    if draw.random() < 0.3:
        last_failure[last_failure < 0] = FIRST - draw.integers(1, 300)
    return History(hour, values, last_failure, np.flatnonzero(draw.random(n) < 0.8))


def hour_by_hour(history: History, sensors: SensorSet, regimes: Regimes | None) -> Floats:
    """What serving computes at each wanted hour."""
    rows = list(map(HourRow, history.hour.tolist(), map(tuple, history.values.tolist())))
    if regimes:
        rows = regimes.normalised(rows, sensors)
    last = history.last_failure.tolist()
    built = [
        vector.build(rows[max(0, at - vector.HISTORY_HOURS) : at + 1], sensors, None if last[at] < 0 else last[at])
        for at in history.wanted.tolist()
    ]
    return np.array(built).reshape(len(built), len(vector.names(sensors)))


def assert_same(x: Floats, expected: Floats, sensors: SensorSet, history: History) -> None:
    """Equal to `NEAR` of what there is to compare: of a slope or deviation of nothing, the sensor's own size."""
    means = np.abs(history.values[:, Columns(sensors).indices("mean")])
    sizes = {name: float(np.nanmax(column, initial=0.0)) for name, column in zip(sensors.names, means.T, strict=True)}
    for at, name in enumerate(vector.names(sensors)):
        size = sizes.get(vector.sensor_of(name, sensors), 1.0)
        np.testing.assert_allclose(x[:, at], expected[:, at], rtol=NEAR, atol=NEAR * 1e-3 * size, err_msg=name)


@pytest.mark.parametrize(("sensors", "regimes"), [(SENSORS, None), (OPERATED, None), (OPERATED, REGIMES)])
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 220))
@settings(max_examples=10, deadline=None)
def test_whole_arrays_give_what_serving_computes_hour_by_hour(
    seed: int, count: int, sensors: SensorSet, regimes: Regimes | None
) -> None:
    made = history(seed, count, sensors)
    x = matrix(made, sensors, regimes, vector.names(sensors))
    assert_same(x, hour_by_hour(made, sensors, regimes), sensors, made)


def test_so_they_do_where_python_sums_without_rounding_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector, "sum", math.fsum, raising=False)  # Python 3.12 and newer come close to it
    for seed in range(8):
        made = history(seed, 150, SENSORS)
        assert_same(
            matrix(made, SENSORS, None, vector.names(SENSORS)), hour_by_hour(made, SENSORS, None), SENSORS, made
        )


def test_the_generated_histories_have_what_makes_windows_differ() -> None:
    made = [history(seed, 200, SENSORS) for seed in range(40)]
    assert any((np.diff(one.hour) > vector.LONG_WINDOW).any() for one in made)
    assert any((one.last_failure > one.hour[0]).any() for one in made)
    assert any((one.last_failure == -1).all() for one in made)
    assert any(np.isnan(one.values).any() for one in made)
    assert any(off_rule(SENSORS)(row) for one in made for row in one.values[one.wanted].tolist())


def test_some_features_alone_are_the_same_as_among_all() -> None:
    made = history(3, 200, SENSORS)
    every = matrix(made, SENSORS, None, vector.names(SENSORS))
    names = vector.trained(SENSORS)
    places = [vector.names(SENSORS).index(name) for name in names]
    np.testing.assert_array_equal(matrix(made, SENSORS, None, names), every[:, places])


def test_a_machine_without_wanted_hours_has_none() -> None:
    made = history(1, 30, SENSORS)._replace(wanted=np.empty(0, dtype=np.int64))
    assert matrix(made, SENSORS, None, vector.names(SENSORS)).shape == (0, len(vector.names(SENSORS)))


def test_a_constant_sensor_has_no_slope_at_all() -> None:
    made = history(5, 100, SENSORS)
    made.values[:, Columns(SENSORS).index("vibration", "mean")] = 0.1
    x = matrix(made, SENSORS, None, ("vibration_slope_168h", "vibration_mean_24h"))
    slopes = x[~np.isnan(x[:, 0]), 0]
    assert len(slopes) > 50
    assert not slopes.any()
    assert math.isclose(float(np.nanmax(x[:, 1])), 0.1)

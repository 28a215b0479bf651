"""History features, with numpy as the oracle."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitory.features import hour_row, vector
from monitory.features.hour_row import HourRow
from monitory.sensors import PowerFactor, Sensor, SensorSet, load

Floats = npt.NDArray[np.float64]
SENSORS = load()
ONE = SensorSet((Sensor("temp", "temperature", "°C", 41.0, 101.0),))


def row(hour: int, mean: float, *, still: bool = False) -> HourRow:
    """An hour of the one sensor; `still` when its readings did not change."""
    spread = math.nan if math.isnan(mean) else 0.0 if still else 1.0
    count = 0.0 if math.isnan(mean) else 12.0
    return HourRow(hour, (mean, mean, spread, mean - spread, mean + spread, 0.0, count))


def history(means: dict[int, float]) -> list[HourRow]:
    """Hour rows with the given means."""
    return [row(hour, mean) for hour, mean in sorted(means.items())]


def built(means: dict[int, float], last_failure: int | None = None) -> dict[str, float]:
    return dict(zip(vector.names(ONE), vector.build(history(means), ONE, last_failure), strict=True))


def test_the_twenty_features_of_existing_models_are_there() -> None:
    names = vector.names(SENSORS)
    sensors = ("temperature", "pressure", "vibration", "humidity", "active_power", "reactive_power")
    expected = {name + suffix for name in sensors for suffix in ("", "_rollmean", "_rollstd")} | {"power_factor"}
    assert expected <= set(names)
    assert SENSORS.names == sensors


def test_names_are_unique_and_name_each_value() -> None:
    names = vector.names(SENSORS)
    values = vector.build([HourRow(1, tuple([1.0] * len(hour_row.Columns(SENSORS))))], SENSORS, None)
    assert len(names) == len(set(names)) == len(values) == 6 * 3 + 1 + 6 * 10 + 2 + 1
    assert set(vector.trained(SENSORS)) < set(names)
    assert names[0] == "temperature"
    assert names[18] == "power_factor"
    assert names[19:22] == ("temperature_mean_5h", "temperature_std_5h", "temperature_slope_5h")


def test_the_newest_row_s_own_values_stand_under_their_names() -> None:
    columns = hour_row.Columns(SENSORS).names
    newest = HourRow(9, tuple(float(number) for number in range(len(columns))))
    made = dict(zip(vector.names(SENSORS), vector.build([newest], SENSORS, None), strict=True))
    for name in [sensor + suffix for sensor in SENSORS.names for suffix in vector.SNAPSHOT] + ["power_factor"]:
        assert made[name] == columns.index(name), name


def test_what_history_is_too_short_for_is_missing_and_not_0() -> None:
    one = built({100: 7.0})
    assert one["temperature_mean_24h"] == 7.0
    assert math.isnan(one["temperature_std_24h"])
    assert math.isnan(one["temperature_slope_24h"])
    two = built({98: 5.0, 100: 9.0})
    assert two["temperature_std_24h"] == pytest.approx(math.sqrt(8))
    assert two["temperature_slope_24h"] == two["temperature_slope_168h"] == pytest.approx(2.0)


def test_a_sensor_that_is_silent_now_still_has_its_history() -> None:
    made = built({97: 1.0, 98: 2.0, 99: 3.0, 100: math.nan})
    assert math.isnan(made["temperature"])
    assert made["temperature_mean_5h"] == 2.0
    assert made["temperature_slope_5h"] == pytest.approx(1.0)


def test_a_sensor_that_was_never_heard_has_no_history() -> None:
    made = built(dict.fromkeys(range(90, 101), math.nan))
    assert all(math.isnan(value) for value in made.values())


@pytest.mark.parametrize("window", vector.WINDOWS)
def test_a_window_is_clock_hours_the_newest_included(window: int) -> None:
    inside = built({1000 - window + 1: 1.0, 1000: 3.0})
    outside = built({1000 - window: 1.0, 1000: 3.0})
    assert inside[f"temperature_mean_{window}h"] == 2.0
    assert outside[f"temperature_mean_{window}h"] == 3.0


def test_a_gap_is_time_that_passed() -> None:
    assert built({80: 0.0, 90: 10.0, 100: 20.0})["temperature_slope_24h"] == pytest.approx(1.0)
    assert built({98: 0.0, 99: 10.0, 100: 20.0})["temperature_slope_24h"] == pytest.approx(10.0)


means_by_hour = st.dictionaries(
    st.integers(500_000, 500_200), st.one_of(st.floats(-1e4, 1e4), st.just(math.nan)), min_size=1, max_size=90
)


def slope(hours: Floats, values: Floats) -> float:
    if len(values) < 2:
        return math.nan
    return float(np.polyfit(hours, values, 1)[0])


@given(means_by_hour)
def test_history_says_what_numpy_says(means: dict[int, float]) -> None:
    made = built(means)
    newest = max(means)
    for window in (*vector.WINDOWS, vector.LONG_WINDOW):
        heard = {h: x for h, x in means.items() if newest - window < h and not math.isnan(x)}
        xs, ts = np.array(list(heard.values())), np.array([h - newest for h in heard], dtype=float)
        expected = {
            "mean": xs.mean() if len(xs) > 0 else math.nan,
            "std": xs.std(ddof=1) if len(xs) > 1 else math.nan,
            "slope": slope(ts, xs),
        }
        if window == vector.LONG_WINDOW:
            expected = {"slope": expected["slope"]}
        for what, value in expected.items():
            found = made[f"temperature_{what}_{window}h"]
            assert found == pytest.approx(float(value), rel=1e-6, abs=1e-6, nan_ok=True), (what, window)


@given(means_by_hour, st.floats(-1e4, 1e4))
def test_rows_beyond_the_longest_window_change_nothing(means: dict[int, float], old: float) -> None:
    newest = max(means)
    with_old = {newest - vector.HISTORY_HOURS - n: old for n in range(3)} | {
        hour: mean for hour, mean in means.items() if hour > newest - vector.HISTORY_HOURS
    }
    without_old = {hour: mean for hour, mean in with_old.items() if hour > newest - vector.HISTORY_HOURS}
    assert list(built(with_old).values()) == pytest.approx(list(built(without_old).values()), rel=0, abs=0, nan_ok=True)


def test_hours_since_failure_counts_from_the_newest_row() -> None:
    assert built({100: 1.0}, last_failure=88)[vector.AGE] == 12.0
    assert math.isnan(built({100: 1.0})[vector.AGE])


@pytest.mark.parametrize(
    ("feature", "sensor"),
    [
        ("temperature", "temperature"),
        ("active_power_rollstd", "active_power"),
        ("reactive_power_slope_72h", "reactive_power"),
        ("power_factor", "power_factor"),
        ("equipment", "equipment"),
        ("hours_since_failure", "hours_since_failure"),
    ],
)
def test_a_feature_belongs_to_the_sensor_that_it_is_computed_from(feature: str, sensor: str) -> None:
    assert vector.sensor_of(feature, SENSORS) == sensor


def test_of_two_sensors_that_begin_alike_the_longer_name_owns_its_features() -> None:
    sensors = SensorSet(
        (
            Sensor("p", "power", "W", 0.0, 1.0),
            Sensor("po", "power_out", "W", 0.0, 1.0),
        ),
        PowerFactor("power", "power_out"),
    )
    assert vector.sensor_of("power_out_mean_5h", sensors) == "power_out"
    assert vector.sensor_of("power_mean_5h", sensors) == "power"
    assert vector.sensor_of("power_factor", sensors) == "power_factor"


def test_a_set_without_powers_has_no_power_factor() -> None:
    assert "power_factor" not in vector.names(ONE)
    assert len(vector.names(ONE)) == 3 + 10 + 2 + 1


def test_hours_up_to_the_last_failure_are_no_history() -> None:
    means = {97: 100.0, 98: 100.0, 99: 1.0, 100: 3.0}
    assert built(means, last_failure=98)["temperature_mean_24h"] == 2.0
    assert built(means, last_failure=99)["temperature_mean_24h"] == 3.0
    assert built(means)["temperature_mean_24h"] == 51.0


def test_hours_in_which_the_machine_stood_still_are_no_history_but_the_newest_is() -> None:
    listed = [row(97, 1.0), row(98, 50.0, still=True), row(99, 3.0), row(100, 80.0, still=True)]
    made = dict(zip(vector.names(ONE), vector.build(listed, ONE, None), strict=True))
    assert made["temperature_mean_24h"] == pytest.approx((1 + 3 + 80) / 3)
    assert made["temperature"] == 80.0


def of_power(mean: float) -> HourRow:
    values = {
        f"active_power{suffix}": value for suffix, value in (("", mean), ("_min", 0.0), ("_max", 9.0), ("_count", 5.0))
    }
    return HourRow(1, tuple(values.get(name, 0.0) for name in hour_row.Columns(SENSORS).names))


@pytest.mark.parametrize(("mean", "off"), [(0.0, True), (3360.0, True), (3361.0, False), (50_000.0, False)])
def test_a_machine_without_active_power_is_off(mean: float, off: bool) -> None:
    assert hour_row.off_rule(SENSORS)(of_power(mean).values) is off


@pytest.mark.parametrize(("count", "off"), [(1.0, False), (4.0, False), (5.0, True)])
def test_few_readings_of_power_may_be_low_by_chance(count: float, off: bool) -> None:
    columns = hour_row.Columns(SENSORS)
    values = list(of_power(12.0).values)
    values[columns.index("active_power", "count")] = count
    assert hour_row.off_rule(SENSORS)(values) is off


def test_a_machine_of_which_nothing_was_heard_is_not_off() -> None:
    silent = HourRow(1, tuple(0.0 if name.endswith("_count") else math.nan for name in hour_row.Columns(SENSORS).names))
    assert not hour_row.off_rule(SENSORS)(silent.values)

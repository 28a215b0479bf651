"""From rows and a model to what an engineer is told."""

import math
from datetime import datetime, timedelta

import pytest

from monitory.errors import BrokenModel
from monitory.features import vector
from monitory.features.failure_state import Condition
from monitory.features.hour_row import Columns, HourRow, hour_row
from monitory.features.machine_state import Stop
from monitory.model.model import Model
from monitory.readings.by_hour import ReadingsByHour
from monitory.scoring.prediction import Prediction, drivers, predict, window
from tests.support.models import SENSORS, card, frame, small_text, text, train
from tests.support.samples import MACHINE, SENSOR_TYPES, SOURCE, TEN, hour_of_readings, ndjson

KNOWN = vector.names(SENSORS)
MODEL = Model(small_text(), card(), feature_names=KNOWN, cap_days=30.0)


def row(**others: object) -> HourRow:
    """An hour of the machine at ten o'clock."""
    readings = ReadingsByHour(SENSORS)
    readings.add(SOURCE, [ndjson(hour_of_readings(TEN, **others))])  # type: ignore[arg-type]
    ((hour, of_hour),) = readings.hours.items()
    return hour_row(hour, of_hour, SENSORS)


def predicted(newest: HourRow, model: Model = MODEL) -> Prediction:
    return predict([newest], MACHINE, model, SENSORS, Condition())


def busy(number: int) -> float:
    return 5000.0 + number % 7


def test_all_is_well_with_a_machine_that_works() -> None:
    made = predicted(row(value=busy))
    assert (made.state, made.missing_sensors, made.flat_sensors) == ("ok", [], [])
    assert made.warnings == []


def test_a_prediction_is_the_model_s_answer_to_the_features() -> None:
    newest = row(value=busy)
    values = dict(zip(KNOWN, vector.build([newest], SENSORS, 100), strict=True))
    made = predict([newest], MACHINE, MODEL, SENSORS, Condition(100))
    assert made.estimate.raw_days == MODEL.estimate(values, MACHINE.equip_id).raw_days


def test_a_sensor_that_fell_silent_is_named() -> None:
    made = predicted(row(value=busy, sensors=[name for name in SENSOR_TYPES if name != "humid"]))
    assert (made.state, made.missing_sensors) == ("degraded", ["humidity"])
    assert "no readings from: humidity" in made.warnings


def hours(counts: list[float]) -> list[HourRow]:
    """Hours in which humidity has so many readings, and every other sensor as many as ever."""
    columns = Columns(SENSORS)
    rows = []
    for at, count in enumerate(counts):
        values = list(row(value=busy).values)
        values[columns.index("humidity", "count")] = count
        if not count:
            for statistic in ("mean", "rollmean", "rollstd", "min", "max", "outside"):
                values[columns.index("humidity", statistic)] = math.nan
        rows.append(HourRow(1000 + at, tuple(values)))
    return rows


@pytest.mark.parametrize(
    ("counts", "missing"),
    [
        ([1.0, 0.0], []),  # a sensor that speaks once an hour may miss one by chance
        ([2.0, 0.0], []),
        ([1.0, 0.0, 0.0], ["humidity"]),
        ([3.0, 0.0], ["humidity"]),
        ([12.0, 0.0], ["humidity"]),
        ([0.0], ["humidity"]),
    ],
)
def test_a_sensor_that_speaks_seldom_is_missing_after_two_hours(counts: list[float], missing: list[str]) -> None:
    made = predict(hours(counts), MACHINE, MODEL, SENSORS, Condition())
    assert made.missing_sensors == missing
    assert made.state == ("degraded" if missing else "ok")


def test_a_machine_that_fails_is_told_with_its_mode_and_since_when() -> None:
    made = predict(hours([12.0]), MACHINE, MODEL, SENSORS, Condition(None, Stop(900, 1000, "bearing")))
    assert (made.state, made.estimate.days, made.base, made.drivers) == ("failing", 0.0, 0.0, [])
    assert (made.estimate.low, made.estimate.high, made.failure_mode) == (0.0, 0.0, "bearing")
    assert made.warnings[0] == "the machine fails since 1970-02-07 12:00 (bearing)"


def test_a_failing_machine_s_model_without_intervals_promises_none() -> None:
    foreign = Model(small_text(), None, feature_names=KNOWN, cap_days=30.0)
    made = predict(hours([12.0]), MACHINE, foreign, SENSORS, Condition(None, Stop(900, 1000)))
    assert (made.estimate.days, made.estimate.low, made.estimate.high) == (0.0, None, None)
    assert (list(made.estimate.failure_probability), made.failure_mode) == ([], None)


def test_a_sensor_that_is_stuck_is_named() -> None:
    newest = row(value=busy)
    names = Columns(SENSORS).names
    stuck = list(newest.values)
    stuck[names.index("pressure_max")] = stuck[names.index("pressure_min")]
    made = predicted(HourRow(newest.hour, tuple(stuck)))
    assert (made.state, made.flat_sensors) == ("degraded", ["pressure"])
    assert "flat readings, the sensor may be stuck: pressure" in made.warnings


@pytest.mark.parametrize("value", [lambda number: 5000.0, lambda number: number % 7], ids=["frozen", "no power"])
def test_a_machine_that_is_off_is_said_to_be_off(value: object) -> None:
    made = predicted(row(value=value))
    assert made.state == "off"
    assert any("seems to be off" in warning for warning in made.warnings)


@pytest.mark.parametrize(("minutes", "state"), [(-5, "ok"), (120, "ok"), (126, "stale"), (179, "stale")])
def test_an_hour_that_did_not_come_is_said(minutes: int, state: str) -> None:
    made = predict([row(value=busy)], MACHINE, MODEL, SENSORS, Condition(), timedelta(minutes=minutes))
    said = f"the newest reading is 2 h {minutes - 120:02d} min old, so the newest hours are missing"
    assert (made.state, made.warnings) == (state, [said] if state == "stale" else [])


def test_a_machine_that_training_did_not_see_is_named() -> None:
    stranger = Model(small_text(), card(machines=frozenset({"OTHER"})), feature_names=KNOWN, cap_days=30.0)
    assert "the model has not seen machine EQUIP-001 in training" in predicted(row(value=busy), stranger).warnings
    silent = Model(small_text(), None, feature_names=KNOWN, cap_days=30.0)
    assert predicted(row(value=busy), silent).warnings == []


def test_features_beyond_the_training_range_are_named_up_to_three() -> None:
    narrow = dict.fromkeys(KNOWN[:5], (0.0, 1.0)) | {"humidity_slope_24h": (0.0, 1.0)}
    model = Model(small_text(), card(ranges=narrow), feature_names=KNOWN, cap_days=30.0)
    (warning,) = predicted(row(value=busy), model).warnings
    assert warning.startswith("outside the range seen in training: temperature, temperature_rollmean, temperature_roll")
    assert warning.endswith(" and 2 more")


def test_the_cap_is_not_a_precise_number() -> None:
    assert predicted(
        row(value=busy), Model(small_text(), card(cap_days=0.01), feature_names=KNOWN, cap_days=30.0)
    ).at_cap
    assert not predicted(row(value=busy)).at_cap


def test_drivers_are_sensors_largest_first_and_add_up() -> None:
    data = frame(KNOWN[:12], machines=["EQUIP-001"])
    model = Model(text(train(data)), card(features=tuple(data.columns)), feature_names=KNOWN, cap_days=30.0)
    made = predict([row(value=busy)], MACHINE, model, SENSORS, Condition())
    sizes = [abs(driver.days) for driver in made.drivers]
    assert sizes == sorted(sizes, reverse=True)
    assert {driver.sensor for driver in made.drivers} <= {*SENSORS.names, "equipment"}
    assert made.base + sum(d.days for d in made.drivers) == pytest.approx(made.estimate.raw_days)


def test_what_drives_nothing_is_no_driver() -> None:
    shares = {"temperature": 1.0, "temperature_mean_5h": -3.0, "power_factor": 1.5, "humidity": 0.0}
    assert [(driver.sensor, driver.days) for driver in drivers(shares, SENSORS, {})] == [
        ("temperature", -2.0),
        ("power_factor", 1.5),
    ]


def test_an_hour_is_a_window_in_korean_time() -> None:
    start, end = window(0)
    assert (start.isoformat(), end.isoformat()) == ("1970-01-01T00:00:00+09:00", "1970-01-01T01:00:00+09:00")
    assert start.tzinfo is not None
    assert datetime.fromisoformat(start.isoformat()) == start


def test_a_model_whose_answer_is_no_number_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model(small_text(), None, feature_names=KNOWN, cap_days=30.0)
    monkeypatch.setattr(model._booster, "predict", lambda values: math.inf)
    with pytest.raises(BrokenModel, match="not a number"):
        predicted(row(value=busy), model)

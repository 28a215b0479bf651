"""A machine that fails, hour by hour through the predict function: by its readings, and by the log of its factory."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitory import clock
from monitory.features import failure_state, vector
from monitory.features.excursion import Excursion
from monitory.features.failure_state import FailureState
from monitory.model.distribution import Distribution, SurvivalCurve
from monitory.model.failure_modes import FailureMode, FailureModes
from monitory.scoring import failure_cache as failures
from monitory.storage.port import Storage
from tests.support.lakes import HOUR, MACHINE, NOW, FieldLake, hour, ndjson
from tests.support.models import card, frame, text, train
from tests.support.registries import promote

VERSION = "2026/11/19/150000"
LOG = "failures.ndjson"
KNOWN_WITH_LOG = FailureState(Excursion(0.5, 1), log_key=LOG)


@pytest.fixture
def lake() -> FieldLake:
    """Six clean hours from 10 to 16 o'clock, and a model that tells the hours since the last failure."""
    made = FieldLake()
    features = (vector.AGE, "temperature")
    by_age = text(train(frame(features, missing=0.0), trees=60, num_leaves=31))
    curves = tuple(SurvivalCurve(float(days), (1.0, 0.5, 0.0)) for days in (5, 25))
    distribution = Distribution(0.9, (0.0, 15.0, 30.0), curves)
    made.world.store(
        VERSION, made=card(VERSION, features=features, calibration=None, distribution=distribution), text=by_age
    )
    promote(made.world.registry, VERSION)
    failure_state.write(door(made), FailureState(Excursion(0.5, 1)))
    return made


def door(lake: FieldLake) -> Storage:
    return lake.world.registry.storage


def write(lake: FieldLake, start: datetime, **replaced: Callable[[int], float]) -> None:
    """An hour in which some sensors' readings are replaced, by their number."""
    readings = hour(start)
    count: dict[str, int] = {}
    for one in readings:
        sensor = one["sensorType"]
        count[sensor] = count.get(sensor, -1) + 1
        if sensor in replaced:
            one["val"] = replaced[sensor](count[sensor])
    lake.put(ndjson(readings), f"equip-{start:%H}-0.json", written=start + timedelta(hours=1, minutes=5))


def at(hours: int) -> datetime:
    return HOUR + timedelta(hours=hours)


def answer(lake: FieldLake, hours: int) -> dict[str, Any]:
    status, body = lake.predict(NOW + timedelta(hours=hours))
    assert status == 200
    assert datetime.fromisoformat(body["window"]["start"]) == clock.aware(at(hours))
    return body


def test_a_failing_machine_has_no_days_left_until_it_runs_again(lake: FieldLake) -> None:
    hot = {"temp": lambda number: 108.0 + number % 5}
    still = {"active_power": lambda number: 12.0}
    plan = [{}, hot, hot, hot, still, still, {}, {}]
    told = []
    for hours, readings in enumerate(plan):
        write(lake, at(hours), **readings)
        told.append(answer(lake, hours))
    assert [body["state"] for body in told] == ["ok", *["failing"] * 5, "ok", "ok"]
    assert [body["predictions"] == [0.0] for body in told] == [False, *[True] * 5, False, False]
    for body in told[1:6]:
        assert body["rul"] == "0.0 days"
        assert body["interval"] == {"low": 0.0, "high": 0.0, "coverage": 0.9}
        assert {entry["p"] for entry in body["failure_probability"]} == {1.0}
        assert body["expected_failure_at"] == body["as_of"]
        assert body["base_days"] == 0.0
        assert body["drivers"] == []
        assert "the machine fails since 2026-11-20 17:00" in body["warnings"]
    # then another clock: as the model answers one hour, and two, after the last hour of failure
    model = lake.world.models.current().served.model
    for body, age in zip(told[6:], (1.0, 2.0), strict=True):
        mean = lake.world.rows.history_at(MACHINE, NOW + timedelta(hours=5 + age)).newest.values[0]
        assert body["predictions"] == [round(model.value({vector.AGE: age, "temperature": mean}, MACHINE.equip_id), 4)]
        assert body["expected_failure_at"] is None or body["expected_failure_at"] > body["as_of"]


@pytest.mark.parametrize("value", [-999.0, 65535.0, 1e20, 110.0])
def test_a_sensor_that_lies_is_no_machine_that_fails(lake: FieldLake, value: float) -> None:
    write(lake, at(0))
    before = answer(lake, 0)
    write(lake, at(1), temp=lambda number: value)
    lying = answer(lake, 1)
    write(lake, at(2))
    after = answer(lake, 2)
    assert [body["state"] for body in (before, lying, after)] == ["ok", "degraded", "ok"]
    assert 0.0 not in (before["predictions"][0], lying["predictions"][0])
    assert after["predictions"] == before["predictions"]  # no other clock


def test_one_spike_of_one_reading_an_hour_is_no_failure(lake: FieldLake) -> None:
    for hours in range(4):
        spiked = [{**one, "val": 126.0} if one["sensorType"] == "temp" else one for one in hour(at(hours), every=3600)]
        lake.put(ndjson(spiked if hours == 2 else hour(at(hours), every=3600)), f"equip-{at(hours):%H}-0.json")
        body = answer(lake, hours)
        assert body["state"] == "ok"
        assert body["predictions"] != [0.0]


def log(lake: FieldLake, **fields: object) -> None:
    line = {"equipId": MACHINE.equip_id, **fields}
    lake.world.lake_storage.put(LOG, json.dumps(line).encode())


@pytest.fixture
def with_log(lake: FieldLake, monkeypatch: pytest.MonkeyPatch) -> FieldLake:
    """The lake of a factory that keeps a log, which is read at every request."""
    monkeypatch.setattr(failures, "LOG_SECONDS", -1.0)
    failure_state.merge(door(lake), KNOWN_WITH_LOG)
    return lake


def test_an_entry_counts_at_the_next_request(with_log: FieldLake) -> None:
    write(with_log, at(0))
    assert answer(with_log, 0)["state"] == "ok"  # the log is not there yet
    log(with_log, start=at(0).isoformat(), failureMode="bearing")
    failing = answer(with_log, 0)
    assert (failing["state"], failing["predictions"], failing["failure_mode"]) == ("failing", [0.0], "bearing")
    assert "the machine fails since 2026-11-20 16:00 (bearing)" in failing["warnings"]
    log(with_log, start=at(0).isoformat(), kind="inspection")
    body = answer(with_log, 0)
    assert (body["state"], body["failure_mode"]) == ("ok", None)


def test_the_mode_ahead_is_named_where_the_model_is_certain(lake: FieldLake) -> None:
    modes = FailureModes(
        ("temperature", "vibration"),
        (FailureMode("", 2.0, (0.0, 0.0)), FailureMode("cooling", 0.0, (9.0, 0.0))),
        certainty=0.7,
    )
    features = lake.world.models.current().served.model.features
    lake.world.store(
        "2026/11/20/150000",
        made=card("2026/11/20/150000", features=features, failure_modes=modes),
        text=text(train(frame(features, missing=0.0))),
    )
    promote(lake.world.registry, "2026/11/20/150000")
    write(lake, at(0))
    assert answer(lake, 0)["failure_mode"] is None
    for hours in range(-6, 1):  # the mean of a day counts
        write(lake, at(hours), temp=lambda number: 94.0 + number % 5)
    assert answer(lake, 0)["failure_mode"] == "cooling"
    for hours in range(-6, 1):
        write(lake, at(hours), temp=lambda number: 94.0 + number % 5, active_power=lambda number: 12.0)
    assert (answer(lake, 0)["state"], answer(lake, 0)["failure_mode"]) == ("off", None)


def test_maintenance_is_no_failure_and_starts_the_clock(with_log: FieldLake) -> None:
    log(with_log, kind="maintenance", start=at(0).isoformat(), end=at(2).isoformat())
    told = []
    for hours in range(3):
        write(with_log, at(hours))
        told.append(answer(with_log, hours))
    assert [body["state"] for body in told] == ["off", "off", "ok"]
    assert any("under maintenance since 2026-11-20 16:00" in warning for warning in told[0]["warnings"])
    model = with_log.world.models.current().served.model
    mean = with_log.world.rows.history_at(MACHINE, NOW + timedelta(hours=2)).newest.values[0]
    expected = model.value({vector.AGE: 1.0, "temperature": mean}, MACHINE.equip_id)
    assert told[2]["predictions"] == [round(expected, 4)]


def test_a_log_that_gets_damaged_leaves_the_last_good_one(with_log: FieldLake) -> None:
    write(with_log, at(0))
    log(with_log, start=at(0).isoformat())
    assert answer(with_log, 0)["state"] == "failing"
    with_log.world.lake_storage.put(LOG, b"PAR1")
    assert answer(with_log, 0)["state"] == "failing"
    del with_log.world.lake_storage.objects[LOG]
    assert answer(with_log, 0)["state"] == "failing"


def test_the_log_costs_a_conditional_request_a_minute(lake: FieldLake, monkeypatch: pytest.MonkeyPatch) -> None:
    failure_state.merge(door(lake), KNOWN_WITH_LOG)
    log(lake, start=at(-3).isoformat())
    write(lake, at(0))
    answer(lake, 0)
    lake.world.reset_calls()
    answer(lake, 0)
    assert lake.world.lake_storage.calls["get"] == 0
    monkeypatch.setattr(failures, "LOG_SECONDS", -1.0)
    answer(lake, 0)
    assert lake.world.lake_storage.calls["get"] == 1

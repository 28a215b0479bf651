"""Values, names and small objects in the field, through predict and ingest: read, or named."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.lakes import (
    DAY,
    HOUR,
    MACHINE,
    NOW,
    READINGS,
    FieldLake,
    assert_all_read,
    clean,
    hour,
    lines,
    look_at,
    ndjson,
    reading,
)

CHANGES: dict[str, dict[str, Callable[[Any], object]]] = {
    "number as text": {"val": lambda one: str(one["val"])},
    "with blanks": {"val": lambda one: f" {one['val']!r} "},
    "numeric sensorId": {"sensorId": lambda one: 17},
    "null sensorId": {"sensorId": lambda one: None},
    "Z and text": {"time": lambda at: (at - timedelta(hours=9)).isoformat() + "Z", "val": lambda one: str(one["val"])},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_values_in_other_types_are_read(change: dict[str, Callable[[Any], object]]) -> None:
    def changed(one: dict[str, Any]) -> dict[str, Any]:
        at: Any = datetime.fromisoformat(one["time"])
        made = {name: write(at) if name == "time" else write(one) for name, write in change.items()}
        return {**one, **made}

    assert_all_read(look_at(ndjson([changed(one) for one in READINGS])))


def test_without_a_sensor_id_a_reading_is_read() -> None:
    assert_all_read(look_at(ndjson([{k: v for k, v in one.items() if k != "sensorId"} for one in READINGS])))


def test_null_nan_and_infinity_are_counted_and_the_rest_is_used() -> None:
    odd = [b'"val": null', b'"val": NaN', b'"val": Infinity', b'"val": -Infinity']
    plain = [b'"val": ' + json.dumps(one["val"]).encode() for one in READINGS[:4]]
    bad = [line.replace(val, text) for line, val, text in zip(lines()[:4], plain, odd, strict=True)]
    view = look_at(b"\n".join([*bad, *lines()[4:]]))
    assert view.body["window"]["readings"] == 68
    assert view.body["window"]["rejected"] == {"wrong_type": 1, "not_finite": 3}
    assert "3 records with a val that is no finite number (val is nan)" in view.warnings
    assert "1 record with a value of the wrong kind (val is null)" in view.losses


def test_a_sentinel_for_an_hour_is_a_silent_sensor_and_no_failure() -> None:
    sick = [{**one, "val": -999} if one["sensorType"] == "temp" else one for one in READINGS]
    view = look_at(ndjson(sick))
    silent = look_at(ndjson([one for one in READINGS if one["sensorType"] != "temp"]))
    assert view.body["window"]["rejected"] == {"implausible": 12}
    assert view.body["window"]["missing_sensors"] == ["temperature"]
    assert view.body["predictions"] == silent.body["predictions"]
    assert view.rows == silent.rows
    for text in (view.warnings, view.losses):
        assert "12 readings outside the sensor's plausible range (temp -999)" in text


@pytest.mark.parametrize("value", [1e20, 65535, -999.0, 9999])
@pytest.mark.parametrize("sensor", ["temp", "humid", "pressure", "vibration"])
@pytest.mark.parametrize("is_split", [False, True], ids=["one object", "two objects"])
def test_one_impossible_value_among_others_is_as_if_it_had_never_been(
    value: float, sensor: str, is_split: bool
) -> None:
    body = [*READINGS, reading(HOUR + timedelta(seconds=7), sensor, value)]
    lake = FieldLake()
    lake.put(ndjson(body[:40] if is_split else body), "equip-a-0.json")
    if is_split:
        lake.put(ndjson(body[36:]), "equip-b-0.json")
    view = lake.look()
    assert view.body["window"]["rejected"] == {"implausible": 1}
    assert view.rows == clean().rows
    assert view.body["predictions"] == clean().body["predictions"]


def test_a_few_coarse_readings_are_neither_flat_nor_off() -> None:
    lake = FieldLake()
    lake.world.lake_storage.objects.clear()
    for age in range(7):
        start = HOUR - timedelta(hours=age)
        coarse = hour(start, every=1800, sensors=["temp"])
        lake.put(
            ndjson([{**one, "val": 71} for one in coarse]), f"equip-{age}-0.json", written=start + timedelta(minutes=65)
        )
    view = lake.look()
    assert view.newest_hour == 16
    assert "flat" not in view.warnings
    assert "seems to be off" not in view.warnings
    assert view.body["state"] == "degraded"  # five sensors are silent


def test_readings_of_another_machine_are_told_and_no_older_hour_is_ok() -> None:
    view = look_at(ndjson([{**one, "equipId": "m1"} for one in READINGS]))
    assert (view.newest_hour, view.body["state"]) == (15, "degraded")
    assert view.counts.rejected == {"other_machine": 72}
    for text in (view.warnings, view.losses):
        assert "72 readings of another machine than the folder's (m1)" in text


@pytest.mark.parametrize("name", ["Temp", "TEMP", "temperature", "temp ", "tmp"])
def test_a_sensor_whose_name_nearly_fits_is_asked_for(name: str) -> None:
    view = look_at(ndjson([{**one, "sensorType": name} if one["sensorType"] == "temp" else one for one in READINGS]))
    assert view.body["window"]["rejected"] == {"unknown_sensor": 12}
    for text in (view.warnings, view.losses):
        assert f"12 readings of sensors that the sensor set doesn't have ({name}; did you mean temp?)" in text


def test_sensors_that_nobody_wants_are_no_warning() -> None:
    view = look_at(ndjson([*READINGS, *[{**one, "sensorType": "dust"} for one in READINGS]]))
    assert view.body["window"]["rejected"] == {"unknown_sensor": 72}
    assert view.body["warnings"] == clean().body["warnings"]


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("sensorType", "sensor_type"),
        ("equipId", "equip_id"),
        ("time", "timestamp"),
        ("val", "value"),
        ("zoneId", "ZoneId"),
    ],
)
def test_a_field_under_another_name_is_told_with_what_was_found(field: str, name: str) -> None:
    readings = [{(name if key == field else key): value for key, value in one.items()} for one in READINGS]
    view = look_at(ndjson(readings))
    assert view.body["state"] == "degraded"
    assert view.counts.rejected == {"missing_field": 72}
    for text in (view.warnings, view.losses):
        assert f"72 records without a field that is needed ({field} is missing, '{name}' is there)" in text


def test_numeric_ids_are_read() -> None:
    lake = FieldLake()
    folder = f"EQUIPMENT/date={DAY}/zone_id=9/equip_id=7"
    lake.put(ndjson([{**one, "zoneId": 9, "equipId": 7, "sensorId": 3} for one in READINGS]), folder=folder)
    assert lake.look().counts.readings == 7 * 72


def test_720_objects_of_one_reading_cost_the_next_message_a_few_requests() -> None:
    lake = FieldLake()
    readings = hour(every=30)
    assert len(readings) == 720
    for number, one in enumerate(readings[:-1]):
        lake.put(ndjson([one]), f"equip-{number:04d}-0.json")
    assert lake.look().body["window"]["readings"] == 719
    lake.put(ndjson(readings[-1:]), "equip-last-0.json")
    lake.world.reset_calls()
    assert lake.predict()[1]["window"]["readings"] == 720
    assert lake.world.lake_storage.calls == {"list": 1, "get": 1}
    view = lake.look()
    whole = look_at(ndjson(readings))
    assert view.rows == whole.rows
    assert view.body["predictions"] == whole.body["predictions"]


def test_the_moments_of_the_cases_are_those_of_the_contract() -> None:
    assert datetime.fromtimestamp(1795158000, UTC) == datetime(2026, 11, 20, 7, tzinfo=UTC)
    assert MACHINE == ("ZONE-9", "M1")
    assert NOW.hour == HOUR.hour + 1

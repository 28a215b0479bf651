"""Lakes as they are found in the field, through the predict function and the retrain ingest: read, or named."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitory import clock
from tests.support.lakes import DAY, HOUR, MACHINE, NOW, FieldLake, Seen, hour, ndjson, reading

NUMBER = clock.hour_of(HOUR)
READINGS = hour()
Readings = list[dict[str, Any]]


def lines(readings: Readings = READINGS) -> list[bytes]:
    return [json.dumps(one).encode() for one in readings]


def seen_with(body: bytes, name: str = "equip-case-0.json") -> Seen:
    lake = FieldLake()
    lake.put(body, name)
    return lake.look()


CLEAN = seen_with(ndjson(READINGS))


def assert_all_read(seen: Seen) -> None:
    """The hour is the clean one, for predict and retrain, and nothing is told."""
    assert (seen.status, seen.newest_hour, seen.body["state"]) == (200, 16, "ok")
    assert seen.body["window"]["readings"] == 72
    assert seen.body["window"]["rejected"] == {}
    assert seen.body["warnings"] == CLEAN.body["warnings"]
    assert seen.body["predictions"] == CLEAN.body["predictions"]
    assert seen.rows == CLEAN.rows
    assert seen.counts.rejected == {}


def pretty(readings: Readings) -> bytes:
    return b"\n".join(json.dumps(one, indent=1).encode() for one in readings)


def mixed() -> bytes:
    parts = [
        b"".join(lines(READINGS[:10])),
        b"\xef\xbb\xbf" + json.dumps(READINGS[10:20]).encode() + b"\n",
        json.dumps(READINGS[20:30], indent=2).encode(),
        b"\n\n" + pretty(READINGS[30:40]) + b"\n",
        b"\r\n".join(lines(READINGS[40:50])) + b"\r\n",
        b"[" + b",\n".join(lines(READINGS[50:60])) + b",]",
        ndjson(READINGS[60:]),
    ]
    return b"".join(parts)


TWO_MEMBERS = gzip.compress(ndjson(READINGS[:30])) + gzip.compress(ndjson(READINGS[30:]))
FRAMINGS: dict[str, tuple[bytes, str]] = {
    "one line, nothing between": (b"".join(lines()), "a.json"),
    "half of the lines hold two": (
        b"\n".join([*(a + b for a, b in zip(lines()[:36:2], lines()[1:36:2], strict=True)), *lines()[36:]]),
        "a.json",
    ),
    "gzip under .json": (gzip.compress(ndjson(READINGS)), "a.json"),
    "gzip under .json.gz": (gzip.compress(ndjson(READINGS)), "a.json.gz"),
    "gzip of two members": (TWO_MEMBERS, "a.json"),
    "gzip of an array": (gzip.compress(json.dumps(READINGS).encode()), "a.json"),
    "arrays a line": (b"\n".join(json.dumps(READINGS[at : at + 2]).encode() for at in range(0, 72, 2)), "a.json"),
    "an array, then lines": (json.dumps(READINGS[:30]).encode() + b"\n" + ndjson(READINGS[30:]), "a.json"),
    "each on many lines": (pretty(READINGS), "a.json"),
    "an array on many lines": (json.dumps(READINGS, indent=4).encode(), "a.json"),
    "trailing comma in an array": (json.dumps(READINGS).encode()[:-1] + b",]", "a.json"),
    "byte order marks": (b"".join(b"\xef\xbb\xbf" + line + b"\n" for line in lines()), "a.json"),
    "all of it": (mixed(), "a.json"),
    "no extension, deeper": (ndjson(READINGS), "hour=16/part-0"),
}


@pytest.mark.parametrize("name", FRAMINGS)
def test_values_are_read_in_whatever_frame_they_stand(name: str) -> None:
    assert_all_read(seen_with(*FRAMINGS[name]))


def test_a_gzip_bomb_is_bounded_and_named() -> None:
    seen = seen_with(gzip.compress(ndjson(READINGS) + b"x" * (64 << 20)))
    assert seen.newest_hour == 16
    assert seen.body["window"]["rejected"] == {"too_long": 1}
    assert "1 record longer than 1 MB" in seen.warnings
    assert "1 record longer than 1 MB" in seen.losses


def test_a_gzip_object_that_is_cut_off_tells_so() -> None:
    body = gzip.compress(ndjson(READINGS))
    seen = seen_with(body[: len(body) // 2])
    assert seen.counts.rejected["truncated"] == 1
    assert f"cut off at the end of a compressed object (after {len(body) // 2:,} packed bytes)" in seen.losses


def test_a_record_that_is_cut_off_is_counted_with_its_length() -> None:
    seen = seen_with(ndjson(READINGS)[:-41])
    assert seen.body["window"]["readings"] == 71
    assert seen.body["window"]["rejected"] == {"not_json": 1}
    assert "1 record not JSON (" in seen.warnings


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"\n".join(lines()).decode().encode("utf-16-be"), "UTF-16"),
        (b"".join(lines()).decode().encode("utf-16-le"), "UTF-16"),
        (b"\xff\xfe" + b"\n".join(lines()).decode().encode("utf-16-le"), "UTF-16"),
        (b"time,sensorType,val\n2026-11-20T16:00:00,temp,71.2\n", "CSV"),
        (b"2026-11-20T16:00:00;temp;71.2\n2026-11-20T16:00:05;temp;71.3\n", "CSV"),
        (b"PAR1\x15\x04\x15\x10" + bytes(100) + b"PAR1", "Parquet"),
        (b"Obj\x01\x04\x14avro.codec" + bytes(50), "Avro"),
        (b"ORC\x08\x03" + bytes(50), "ORC"),
    ],
    ids=[
        "UTF-16 big-endian",
        "UTF-16 without a mark",
        "UTF-16",
        "CSV",
        "CSV without a header",
        "Parquet",
        "Avro",
        "ORC",
    ],
)
def test_another_format_is_recognised_and_named_with_what_to_do(body: bytes, told: str) -> None:
    seen = seen_with(body)
    assert (seen.status, seen.newest_hour, seen.body["state"]) == (200, 15, "degraded")
    for text in (seen.warnings, seen.losses):
        assert f"it is {told} ({len(body):,} bytes), not JSON; " in text
        assert "NDJSON" in text or "UTF-8" in text
    assert seen.counts.rejected["foreign_format"] == (body.count(b"\n") or 1)


def test_wide_json_is_named() -> None:
    wide = [{"zoneId": "ZONE-9", "equipId": "M1", "timestamp": HOUR.isoformat(), "temp": 71.2, "humid": 50.1}] * 5
    seen = seen_with(ndjson(wide))
    assert seen.body["state"] == "degraded"
    assert seen.counts.rejected == {"several_sensors": 5}
    for text in (seen.warnings, seen.losses):
        assert "5 records with several sensors in one (temp, humid): write one record per sensor" in text


NO_DATA = ["_SUCCESS", "_temporary/0/t/part-0.json", ".part-0.inprogress", "part-0.inprogress.7f", ".a.json.crc"]
NO_DATA += ["a.json.crc", "M1_$folder$", "x/_$folder$"]


@pytest.mark.parametrize("name", NO_DATA)
@pytest.mark.parametrize("body", [b"", b'{"complete": true}'], ids=["empty", "json"])
def test_what_is_no_data_is_in_no_answer(name: str, body: bytes) -> None:
    lake = FieldLake()
    lake.put(ndjson(READINGS), "equip-case-0.json")
    lake.put(body, name)
    seen = lake.look()
    assert_all_read(seen)
    assert seen.counts.objects == 7


def test_a_folder_s_marker_is_no_machine() -> None:
    lake = FieldLake()
    lake.put(ndjson(READINGS))
    lake.put(b"x", "equip_id=M1_$folder$", folder=f"EQUIPMENT/date={DAY}/zone_id=ZONE-9")
    assert_all_read(lake.look())


def with_times(write: Callable[[datetime], object]) -> Readings:
    return [{**one, "time": write(datetime.fromisoformat(one["time"]))} for one in READINGS]


def since_1970(at: datetime) -> float:
    return at.replace(tzinfo=clock.KST).timestamp()


TIMES: dict[str, Callable[[datetime], object]] = {
    "Z": lambda at: (at - timedelta(hours=9)).isoformat() + "Z",
    "offset": lambda at: at.isoformat() + "+09:00",
    "another offset": lambda at: (at - timedelta(hours=14)).isoformat() + "-05:00",
    "short offset": lambda at: at.isoformat() + "+09",
    "milliseconds": lambda at: int(since_1970(at) * 1000),
    "seconds": lambda at: int(since_1970(at)),
    "microseconds": lambda at: int(since_1970(at) * 1e6),
    "seconds with a fraction": since_1970,
    "milliseconds as text": lambda at: str(int(since_1970(at) * 1000)),
    "space": lambda at: at.isoformat(" "),
    "no seconds": lambda at: at.isoformat(timespec="minutes"),
    "no seconds, Z": lambda at: (at - timedelta(hours=9)).isoformat(timespec="minutes") + "Z",
    "nine digits": lambda at: at.isoformat() + ".000000000",
}


@pytest.mark.parametrize("notation", TIMES)
def test_a_time_is_read_as_that_moment_in_any_unambiguous_notation(notation: str) -> None:
    assert_all_read(seen_with(ndjson(with_times(TIMES[notation]))))


@pytest.mark.parametrize("notation", TIMES)
def test_one_line_in_another_notation_changes_nothing(notation: str) -> None:
    readings = [*with_times(TIMES[notation])[:5], *READINGS[5:]]
    assert_all_read(seen_with(ndjson(readings)))


def test_nanoseconds_are_read() -> None:
    times = [one["time"] for one in with_times(lambda at: at.isoformat() + ".613655123")]
    seen = seen_with(ndjson([{**one, "time": time} for one, time in zip(READINGS, times, strict=True)]))
    assert seen.body["window"]["readings"] == 72
    assert seen.counts.rejected == {}


def test_a_naive_utc_clock_is_not_silently_another_hour() -> None:
    seen = seen_with(ndjson(with_times(lambda at: (at - timedelta(hours=9)).isoformat())))
    assert seen.body["state"] == "degraded"
    assert "lie 9 h before the time at which their object was written" in seen.warnings
    assert "set FACTORY_TIME_ZONE" in seen.warnings


def test_a_naive_utc_clock_is_named_where_there_is_nothing_else() -> None:
    lake = FieldLake()
    lake.world.lake_storage.objects.clear()
    lake.put(ndjson(with_times(lambda at: (at - timedelta(hours=9)).isoformat())))
    seen = lake.look()
    assert seen.status == 404
    assert "lie 9 h before" in seen.warnings
    assert "FACTORY_TIME_ZONE" in seen.warnings


def test_a_naive_utc_clock_before_nine_in_the_morning_lies_outside_its_folder() -> None:
    lake = FieldLake()
    start = HOUR.replace(hour=3)
    shifted = [
        {**one, "time": (datetime.fromisoformat(one["time"]) - timedelta(hours=9)).isoformat()} for one in hour(start)
    ]
    lake.put(ndjson(shifted), "equip-03-0.json", written=start + timedelta(hours=1, minutes=5))
    seen = lake.look()
    assert seen.counts.rejected == {"other_hours": 72}
    assert "72 readings hours away from the date of their folder (6 h before it: 2026-11-19T18:00:00" in seen.losses
    assert "is that date, or the readings' clock, UTC? Set FACTORY_TIME_ZONE" in seen.losses


def test_folders_dated_in_utc_lose_nothing_in_silence() -> None:
    lake = FieldLake()
    start = datetime(2026, 11, 21, 3)
    lake.put(ndjson(hour(start)), "equip-03-0.json", written=start + timedelta(hours=1, minutes=5))
    seen = lake.look(now=datetime(2026, 11, 20, 17, 10, tzinfo=clock.KST))
    assert seen.counts.rejected == {"other_hours": 72}
    assert "4 h after it: 2026-11-21T03:00:00 in the folder of 2026-11-20): is that date" in seen.losses
    seen = lake.look(now=datetime(2026, 11, 21, 4, 10, tzinfo=clock.KST))
    assert seen.status == 404
    assert "is that date, or the readings' clock, UTC?" in seen.warnings


CHANGES: dict[str, dict[str, Callable[[Any], object]]] = {
    "number as text": {"val": lambda one: str(one["val"])},
    "with blanks": {"val": lambda one: f" {one['val']!r} "},
    "numeric sensorId": {"sensorId": lambda one: 17},
    "null sensorId": {"sensorId": lambda one: None},
    "Z and text": {"time": TIMES["Z"], "val": lambda one: str(one["val"])},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_values_in_other_types_are_read(change: dict[str, Callable[[Any], object]]) -> None:
    def changed(one: dict[str, Any]) -> dict[str, Any]:
        at: Any = datetime.fromisoformat(one["time"])
        made = {name: write(at) if name == "time" else write(one) for name, write in change.items()}
        return {**one, **made}

    assert_all_read(seen_with(ndjson([changed(one) for one in READINGS])))


def test_without_a_sensor_id_a_reading_is_read() -> None:
    assert_all_read(seen_with(ndjson([{k: v for k, v in one.items() if k != "sensorId"} for one in READINGS])))


def test_null_nan_and_infinity_are_counted_and_the_rest_is_used() -> None:
    odd = [b'"val": null', b'"val": NaN', b'"val": Infinity', b'"val": -Infinity']
    plain = [b'"val": ' + json.dumps(one["val"]).encode() for one in READINGS[:4]]
    bad = [line.replace(val, text) for line, val, text in zip(lines()[:4], plain, odd, strict=True)]
    seen = seen_with(b"\n".join([*bad, *lines()[4:]]))
    assert seen.body["window"]["readings"] == 68
    assert seen.body["window"]["rejected"] == {"wrong_type": 1, "not_finite": 3}
    assert "3 records with a val that is no finite number (val is nan)" in seen.warnings
    assert "1 record with a value of the wrong kind (val is null)" in seen.losses


def test_a_sentinel_for_an_hour_is_a_silent_sensor_and_no_failure() -> None:
    sick = [{**one, "val": -999} if one["sensorType"] == "temp" else one for one in READINGS]
    seen = seen_with(ndjson(sick))
    silent = seen_with(ndjson([one for one in READINGS if one["sensorType"] != "temp"]))
    assert seen.body["window"]["rejected"] == {"implausible": 12}
    assert seen.body["window"]["missing_sensors"] == ["temperature"]
    assert seen.body["predictions"] == silent.body["predictions"]
    assert seen.rows == silent.rows
    for text in (seen.warnings, seen.losses):
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
    seen = lake.look()
    assert seen.body["window"]["rejected"] == {"implausible": 1}
    assert seen.rows == CLEAN.rows
    assert seen.body["predictions"] == CLEAN.body["predictions"]


def test_a_few_coarse_readings_are_neither_flat_nor_off() -> None:
    lake = FieldLake()
    lake.world.lake_storage.objects.clear()
    for age in range(7):
        start = HOUR - timedelta(hours=age)
        coarse = hour(start, every=1800, sensors=["temp"])
        lake.put(
            ndjson([{**one, "val": 71} for one in coarse]), f"equip-{age}-0.json", written=start + timedelta(minutes=65)
        )
    seen = lake.look()
    assert seen.newest_hour == 16
    assert "flat" not in seen.warnings
    assert "seems to be off" not in seen.warnings
    assert seen.body["state"] == "degraded"  # five sensors are silent


def test_readings_of_another_machine_are_told_and_no_older_hour_is_ok() -> None:
    seen = seen_with(ndjson([{**one, "equipId": "m1"} for one in READINGS]))
    assert (seen.newest_hour, seen.body["state"]) == (15, "degraded")
    assert seen.counts.rejected == {"other_machine": 72}
    for text in (seen.warnings, seen.losses):
        assert "72 readings of another machine than the folder's (m1)" in text


@pytest.mark.parametrize("name", ["Temp", "TEMP", "temperature", "temp ", "tmp"])
def test_a_sensor_whose_name_nearly_fits_is_asked_for(name: str) -> None:
    seen = seen_with(ndjson([{**one, "sensorType": name} if one["sensorType"] == "temp" else one for one in READINGS]))
    assert seen.body["window"]["rejected"] == {"unknown_sensor": 12}
    for text in (seen.warnings, seen.losses):
        assert f"12 readings of sensors that the sensor set doesn't have ({name}; did you mean temp?)" in text


def test_sensors_that_nobody_wants_are_no_warning() -> None:
    seen = seen_with(ndjson([*READINGS, *[{**one, "sensorType": "dust"} for one in READINGS]]))
    assert seen.body["window"]["rejected"] == {"unknown_sensor": 72}
    assert seen.body["warnings"] == CLEAN.body["warnings"]


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
    seen = seen_with(ndjson(readings))
    assert seen.body["state"] == "degraded"
    assert seen.counts.rejected == {"missing_field": 72}
    for text in (seen.warnings, seen.losses):
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
    seen = lake.look()
    whole = seen_with(ndjson(readings))
    assert seen.rows == whole.rows
    assert seen.body["predictions"] == whole.body["predictions"]


def test_the_moments_of_the_cases_are_those_of_the_contract() -> None:
    assert datetime.fromtimestamp(1795158000, UTC) == datetime(2026, 11, 20, 7, tzinfo=UTC)
    assert MACHINE == ("ZONE-9", "M1")
    assert NOW.hour == HOUR.hour + 1

"""What of an object is read, and what is rejected for which reason."""

import json
import os
import time
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitory import clock
from monitory.decoding.framing import MAX_RECORD_BYTES
from monitory.errors import UnreadableObject
from monitory.machine import Machine
from monitory.readings.by_hour import ReadingsByHour
from monitory.readings.objects import ObjectKey
from monitory.sensors import load
from tests.support.samples import DAY, MACHINE, SOURCE, TEN, ndjson, reading

SENSORS = load()
HOUR = clock.hour_of(TEN)


def read(*chunks: bytes, source: ObjectKey = SOURCE) -> ReadingsByHour:
    readings = ReadingsByHour(SENSORS)
    readings.add(source, chunks)
    return readings


def content(readings: ReadingsByHour) -> dict[int, dict[str, tuple[list[datetime], list[float], list[str]]]]:
    """All that was gathered, settled."""
    found: dict[int, dict[str, tuple[list[datetime], list[float], list[str]]]] = {}
    for hour, columns in readings.hours.items():
        for name, column in columns.items():
            values = list(column.settled_values())
            ((times, _, ids),) = column.parts()
            found.setdefault(hour, {})[name] = (times, values, ids)
    return found


def temperatures(readings: ReadingsByHour) -> list[float]:
    return list(readings.hours[HOUR]["temperature"].settled_values())


GOOD = json.dumps(reading(1.0, 1)).encode()


def with_value(text: str) -> bytes:
    return GOOD.replace(b"1.0", text.encode())


def without(field: str) -> bytes:
    return json.dumps({name: value for name, value in reading().items() if name != field}).encode()


REJECTED: list[tuple[str, bytes]] = [
    ("not_json", b"gibberish"),
    ("not_json", GOOD[:-9]),
    ("not_json", b"\x00" * 50),
    ("not_json", GOOD.replace(b"UA10T", b"UA\x01T")),
    ("not_json", GOOD.replace(b"UA10T", b"\\ud800")),
    ("not_json", with_value("01")),
    ("not_json", GOOD[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ("not_utf8", GOOD.replace(b"UA10T", b"UA\xff\xfeT")),
    ("not_utf8", b"\xff\xfe{\x00}\x00"),
    ("wrong_type", b"7"),
    ("wrong_type", b"null"),
    ("wrong_type", b'["temp", 1.0]'),
    ("wrong_type", with_value('"1,0"')),
    ("wrong_type", with_value('"high"')),
    ("wrong_type", with_value("[1.0]")),
    ("wrong_type", with_value("true")),
    ("wrong_type", with_value("null")),
    ("wrong_type", json.dumps(reading(equipId=7.5)).encode()),
    ("wrong_type", json.dumps(reading(equipId=True)).encode()),
    ("wrong_type", json.dumps(reading(sensorType=7)).encode()),
    *[
        ("wrong_type", json.dumps(reading(time=text)).encode())
        for text in (
            "yesterday",
            "2026-11-20",
            "2026-02-30T10:00:00",
            "2026-11-20T24:00:00",
            "20/11/2026 10:00:00",
            "99999-01-01T00:00:00",
            20261120,
            True,
            None,
        )
    ],
    *[("missing_field", without(name)) for name in ("zoneId", "equipId", "sensorType", "val", "time")],
    *[
        ("not_finite", with_value(text))
        for text in ("NaN", "Infinity", "-Infinity", "1e999", "-1e308", "1e101", "1" + "0" * 400, "9" * 5000)
    ],
    ("not_finite", with_value('"NaN"')),
    ("too_long", b'{"x": "' + b"x" * MAX_RECORD_BYTES + b'"}'),
    ("unknown_sensor", json.dumps(reading(sensor="dust")).encode()),
    ("unknown_sensor", json.dumps(reading(sensorType="temperature")).encode()),
    ("other_machine", json.dumps(reading(equipId="EQUIP-002")).encode()),
    ("other_machine", json.dumps(reading(zoneId="zone-001")).encode()),
    ("other_machine", json.dumps(reading(equipId=7)).encode()),
    ("other_date", json.dumps(reading(time="2026-11-19T23:59:59.999")).encode()),
    ("other_date", json.dumps(reading(time="2026-11-21T00:00:00")).encode()),
    ("other_date", json.dumps(reading(time="0001-01-01T00:00:00")).encode()),
]


@pytest.mark.parametrize(("reason", "line"), REJECTED)
@pytest.mark.parametrize("array", [False, True], ids=["lines", "array"])
def test_a_record_that_cannot_be_used_is_counted_by_its_reason_and_costs_no_other(
    reason: str, line: bytes, array: bool
) -> None:
    records = [GOOD, line, json.dumps(reading(2.0, 2)).encode()]
    body = b"[" + b",\n".join(records) + b"]" if array else b"\n".join(records)
    readings = read(body)
    assert temperatures(readings) == [1.0, 2.0]
    assert readings.rejected == {reason: 1}


@pytest.mark.parametrize(
    "reason", sorted({reason for reason, _ in REJECTED} - {"unknown_sensor", "other_machine", "other_date"})
)
def test_an_object_in_which_nothing_is_readable_is_an_error_with_its_key_and_the_reasons(reason: str) -> None:
    line = next(line for name, line in REJECTED if name == reason)
    with pytest.raises(UnreadableObject, match=rf"EQUIPMENT/an-object\.json.*2 {reason}"):
        read(line + b"\n" + line)


@pytest.mark.parametrize("body", [b"", b"\n\n \r\n", b"[]", b" [ ] \n", b"\xef\xbb\xbf"])
def test_an_empty_object_is_an_error(body: bytes) -> None:
    with pytest.raises(UnreadableObject, match="it is empty"):
        read(body)


@pytest.mark.parametrize("reason", ["unknown_sensor", "other_machine", "other_date"])
def test_an_object_that_is_readable_but_not_wanted_is_no_error(reason: str) -> None:
    line = next(line for name, line in REJECTED if name == reason)
    readings = read(line)
    assert not readings.hours
    assert readings.rejected == {reason: 1}


THREE = [reading(1.0, 1), reading(2.0, 2), reading(3.0, 3, sensor="pressure")]


@pytest.mark.parametrize(
    "body",
    [
        ndjson(THREE),
        ndjson(THREE).replace(b"\n", b"\r\n"),
        b"\n \n" + ndjson(THREE).replace(b"\n", b"\n\n \t\n"),
        b"\xef\xbb\xbf" + ndjson(THREE),
        b"".join(json.dumps(one).encode() + b"\n" for one in THREE)[:-1],
        json.dumps(THREE).encode(),
        json.dumps(THREE, indent=4).encode(),
        b"\xef\xbb\xbf \r\n" + json.dumps(THREE, indent=1).encode() + b"\n\n",
        json.dumps(THREE, separators=(",", ":")).encode(),
        json.dumps(THREE).encode()[:-1],
        ndjson({name: one[name] for name in sorted(one)} for one in THREE),
        ndjson({"tags": [{"a": "}"}, {"b": {"c": "{"}}], **one, "x": {"val": "no"}} for one in THREE),
        json.dumps([{"tags": [{"a": "}"}, {"b": {"c": 1}}], **one, "x": {"val": 0}} for one in THREE]).encode(),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_all_spellings_of_the_same_readings_are_read_alike(body: bytes) -> None:
    readings = read(body)
    assert temperatures(readings) == [1.0, 2.0]
    assert readings.hours[HOUR]["pressure"].settled_values() == [3.0]
    assert readings.rejected == {}


def test_an_array_that_breaks_off_gives_what_was_whole() -> None:
    readings = read(json.dumps(THREE).encode()[:-30])
    assert temperatures(readings) == [1.0, 2.0]
    assert readings.rejected == {"not_json": 1}


def test_null_in_an_array_is_rejected_as_in_lines() -> None:
    readings = read(json.dumps([None, *THREE, 5]).encode())
    assert temperatures(readings) == [1.0, 2.0]
    assert readings.rejected == {"wrong_type": 2}


def test_the_last_of_duplicate_keys_counts() -> None:
    assert temperatures(read(GOOD[:-1] + b', "val": 9}')) == [9.0]


def test_an_object_over_several_lines_is_no_ndjson_whatever_else_is_in_the_chunk() -> None:
    pretty = json.dumps(THREE[0], indent=1).encode()
    alone = read(pretty + b"\n" + GOOD)
    with_a_defect = read(pretty + b"\n" + GOOD + b"\n{")
    assert temperatures(alone) == temperatures(with_a_defect) == [1.0]
    assert with_a_defect.rejected - alone.rejected == {"not_json": 1}


def test_readings_of_one_sensor_are_put_in_order_and_exact_repeats_count_once() -> None:
    readings = read(ndjson([reading(3.0, 3), reading(1.0, 1), reading(2.0, 2), reading(1.0, 1), reading(1.5, 1)]))
    assert temperatures(readings) == [1.0, 1.5, 2.0, 3.0]


def test_equal_readings_of_two_sensors_of_a_kind_are_no_repeats() -> None:
    assert temperatures(read(ndjson([reading(1.0, 1), reading(1.0, 1, sensorId="another")]))) == [1.0, 1.0]


def test_an_object_may_reach_over_several_hours() -> None:
    readings = read(ndjson(reading(float(hour), time=f"2026-11-20T{hour:02d}:59:59.999999") for hour in range(24)))
    assert [columns["temperature"].values for columns in readings.hours.values()] == [[float(h)] for h in range(24)]


@pytest.mark.parametrize("day", [date(2028, 2, 29), date(2026, 12, 31), date(2027, 1, 1)])
def test_leap_day_and_the_year_s_ends_are_days_like_others(day: date) -> None:
    start = datetime(day.year, day.month, day.day)
    times = [
        start + offset
        for offset in (timedelta(), timedelta(hours=23, minutes=59), timedelta(days=1), -timedelta(seconds=1))
    ]
    readings = read(ndjson(reading(1.0, time=at.isoformat()) for at in times), source=SOURCE._replace(day=day))
    assert sorted(readings.hours) == [clock.first_hour(day), clock.first_hour(day) + 23]
    assert readings.rejected == {"other_date": 2}


@pytest.fixture
def zone_with_daylight_saving() -> Any:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.__setitem__("TZ", before)
    time.tzset()


@pytest.mark.usefixtures("zone_with_daylight_saving")
def test_the_runner_s_daylight_saving_does_not_matter() -> None:
    times = [f"2026-03-08T{hour:02d}:30:00" for hour in (1, 2, 3)]  # 02:30 does not exist in New York that day
    readings = read(ndjson(reading(1.0, time=at) for at in times), source=SOURCE._replace(day=date(2026, 3, 8)))
    first = clock.first_hour(date(2026, 3, 8))
    assert sorted(readings.hours) == [first + 1, first + 2, first + 3]
    assert clock.hour_start(first).isoformat() == "2026-03-08T00:00:00+09:00"


some_readings = st.builds(
    reading,
    st.floats(-1e6, 1e6),
    st.integers(-1000, 5000).map(lambda n: n / 2),
    sensor=st.sampled_from(["temp", "pressure", "dust"]),
    equipId=st.sampled_from([MACHINE.equip_id] * 9 + ["other"]),
)


@given(st.lists(some_readings, min_size=1), st.randoms(use_true_random=False))
def test_disorder_and_repeats_change_nothing(listed: list[dict[str, Any]], random: Any) -> None:
    plain = read(ndjson([reading(0.0), *listed]))
    mixed = [reading(0.0), *listed, *random.choices(listed, k=3)]
    random.shuffle(mixed)
    assert content(read(ndjson(mixed))) == content(plain)


records = st.one_of(
    some_readings.map(lambda one: json.dumps(one).encode()),
    some_readings.map(lambda one: json.dumps({"n": [{"a": 1}, {"b": {}}], **one}).encode()),
    st.sampled_from([line for _, line in REJECTED if len(line) < 1000]),
)


@given(st.lists(records, min_size=1), st.sampled_from([b"\n", b"\r\n", b",", b" ,\n  "]), st.data())
def test_chunks_may_end_anywhere(listed: list[bytes], separator: bytes, data: st.DataObject) -> None:
    body = separator.join([GOOD, *listed])
    if b"," in separator:
        body = b"[" + body + b"]"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    chunks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    whole, cut = read(body), read(*chunks)
    assert content(whole) == content(cut)
    assert whole.rejected == cut.rejected


def test_another_machine_s_name_may_look_like_a_pattern() -> None:
    source = SOURCE._replace(machine=Machine("Z.1", "E.1"), day=DAY)
    readings = read(
        ndjson([reading(1.0, zoneId="Z.1", equipId="E.1"), reading(zoneId="Zx1", equipId="E.1")]), source=source
    )
    assert readings.rejected == Counter(other_machine=1)

"""Frames and formats of objects in the field, through predict and ingest: read, or named."""

import gzip
import json

import pytest

from tests.support.lakes import DAY, HOUR, READINGS, FieldLake, Readings, assert_all_read, lines, look_at, ndjson


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
    assert_all_read(look_at(*FRAMINGS[name]))


def test_a_gzip_bomb_is_bounded_and_named() -> None:
    view = look_at(gzip.compress(ndjson(READINGS) + b"x" * (64 << 20)))
    assert view.newest_hour == 16
    assert view.body["window"]["rejected"] == {"too_long": 1}
    assert "1 record longer than 1 MB" in view.warnings
    assert "1 record longer than 1 MB" in view.losses


def test_a_gzip_object_that_is_cut_off_tells_so() -> None:
    body = gzip.compress(ndjson(READINGS))
    view = look_at(body[: len(body) // 2])
    assert view.counts.rejected["truncated"] == 1
    assert f"cut off at the end of a compressed object (after {len(body) // 2:,} packed bytes)" in view.losses


def test_a_record_that_is_cut_off_is_counted_with_its_length() -> None:
    view = look_at(ndjson(READINGS)[:-41])
    assert view.body["window"]["readings"] == 71
    assert view.body["window"]["rejected"] == {"not_json": 1}
    assert "1 record not JSON (" in view.warnings


@pytest.mark.parametrize(
    ("body", "name"),
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
def test_another_format_is_recognised_and_named_with_what_to_do(body: bytes, name: str) -> None:
    view = look_at(body)
    assert (view.status, view.newest_hour, view.body["state"]) == (200, 15, "degraded")
    for text in (view.warnings, view.losses):
        assert f"it is {name} ({len(body):,} bytes), not JSON; " in text
        assert "NDJSON" in text or "UTF-8" in text
    assert view.counts.rejected["foreign_format"] == (body.count(b"\n") or 1)


def test_wide_json_is_named() -> None:
    wide = [{"zoneId": "ZONE-9", "equipId": "M1", "timestamp": HOUR.isoformat(), "temp": 71.2, "humid": 50.1}] * 5
    view = look_at(ndjson(wide))
    assert view.body["state"] == "degraded"
    assert view.counts.rejected == {"several_sensors": 5}
    for text in (view.warnings, view.losses):
        assert "5 records with several sensors in one (temp, humid): write one record per sensor" in text


NO_DATA = ["_SUCCESS", "_temporary/0/t/part-0.json", ".part-0.inprogress", "part-0.inprogress.7f", ".a.json.crc"]
NO_DATA += ["a.json.crc", "M1_$folder$", "x/_$folder$"]


@pytest.mark.parametrize("name", NO_DATA)
@pytest.mark.parametrize("body", [b"", b'{"complete": true}'], ids=["empty", "json"])
def test_what_is_no_data_is_in_no_answer(name: str, body: bytes) -> None:
    lake = FieldLake()
    lake.put(ndjson(READINGS), "equip-case-0.json")
    lake.put(body, name)
    view = lake.look()
    assert_all_read(view)
    assert view.counts.objects == 7


def test_a_folder_s_marker_is_no_machine() -> None:
    lake = FieldLake()
    lake.put(ndjson(READINGS))
    lake.put(b"x", "equip_id=M1_$folder$", folder=f"EQUIPMENT/date={DAY}/zone_id=ZONE-9")
    assert_all_read(lake.look())

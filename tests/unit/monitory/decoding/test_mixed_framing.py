"""Any sequence of JSON values, in any frame, packed or not, over any number of objects: the same, or counted."""

import gzip
import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitory.errors import UnreadableObject
from monitory.readings.by_hour import ReadingsByHour
from monitory.sensors import load
from tests.support.samples import SOURCE, reading

SENSORS = load()
SENSOR_TYPES = ("temp", "pressure", "humid")

readings = st.lists(
    st.builds(
        lambda value, second, sensor: reading(value, second, sensor=sensor),
        st.floats(0, 100).map(lambda value: round(value, 3)),
        st.integers(0, 7199).map(lambda number: number / 2),
        st.sampled_from(SENSOR_TYPES),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda one: (one["time"], one["sensorType"]),
)
EXTRAS: list[dict[str, Any]] = [{}, {"tags": [{"a": {"b": [1, {}]}}]}, {"note": '}{ "],[{\\'}, {"note": "왼쪽\n{"}]
extras = st.sampled_from(EXTRAS)
junk = st.sampled_from(
    [b"gibberish", b'{"zoneId": "ZONE-001", "val":', b"7", b"null", b'"text"', b"{]", b'{"a": nul}', b"[1, 2"]
)
separators = st.sampled_from([b"\n", b"\r\n", b"", b"\n\n  \n", b"\xef\xbb\xbf", b"\n\xef\xbb\xbf", b",", b" , \n"])


def spelled(one: dict[str, Any], indent: int | None) -> bytes:
    return json.dumps(one, indent=indent).encode()


@st.composite
def framed(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[bytes], int]:
    """Readings, the objects that they lie in, and how many pieces of junk lie between them."""
    listed = draw(readings)
    objects: list[bytes] = []
    body, junk_count, at = b"", 0, 0
    while at < len(listed):
        size = draw(st.integers(1, 4))
        group = [{**one, **draw(extras)} for one in listed[at : at + size]]
        at += size
        if draw(st.booleans()):
            inner = [spelled(one, draw(st.sampled_from([None, 1]))) for one in group]
            end = draw(st.sampled_from([b"]", b",]", b"\n]"]))
            body += b"[" + draw(st.sampled_from([b",", b", ", b",\n", b"\n,\n"])).join(inner) + end
        else:
            body += draw(separators).join(spelled(one, draw(st.sampled_from([None, 1, 2]))) for one in group)
        if draw(st.integers(0, 5)) == 0:
            body += b"\n" + draw(junk) + b"\n"
            junk_count += 1
        else:
            body += draw(separators)
        if draw(st.integers(0, 3)) == 0:
            objects.append(body)
            body = b""
    return listed, [*objects, body] if body else objects, junk_count


def values(found: ReadingsByHour) -> list[tuple[str, Any, float]]:
    listed = []
    for columns in found.hours.values():
        for name, column in columns.items():
            column.settled_values()
            for times, numbers, _ in column.parts():
                listed += [(name, time.isoformat(), number) for time, number in zip(times, numbers, strict=True)]
    return sorted(listed)


NAMES = {sensor.lake_name: sensor.name for sensor in SENSORS.sensors}


@settings(max_examples=200)
@given(framed(), st.booleans(), st.data())
def test_the_same_readings_come_out_of_any_frame_and_what_does_not_is_counted(
    made: tuple[list[dict[str, Any]], list[bytes], int], is_packed: bool, data: st.DataObject
) -> None:
    listed, objects, junk_count = made
    found = ReadingsByHour(SENSORS)
    for body in objects:
        stored = gzip.compress(body) if is_packed else body
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stored)), max_size=3)))
        chunks = [stored[a:b] for a, b in zip([0, *cuts], [*cuts, len(stored)], strict=True)]
        with suppress(UnreadableObject):  # an object of junk alone; it is counted
            found.add(SOURCE, chunks)
    expected = sorted((NAMES[one["sensorType"]], one["time"], float(one["val"])) for one in listed)
    read = values(found)
    assert set(read) <= set(expected)
    lost = len(expected) - len(read)
    assert lost <= found.rejected.total()
    if not junk_count:
        assert read == expected
        assert not found.rejected

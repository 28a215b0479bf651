"""Cutting objects into records: memory is bounded, whatever is written into one line."""

import json
import re
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitory.decoding import framing, scanning
from monitory.decoding.framing import MAX_RECORD_BYTES
from monitory.errors import UnreadableObject
from monitory.readings.by_hour import ReadingsByHour
from monitory.sensors import load
from tests.support.samples import SOURCE, reading

MEGABYTE = 1 << 20
GOOD = [json.dumps(reading(float(number), number)).encode() for number in range(3)]


def read(chunks: Iterator[bytes]) -> ReadingsByHour:
    readings = ReadingsByHour(load())
    readings.add(SOURCE, chunks)
    return readings


def values(readings: ReadingsByHour) -> list[float]:
    return [value for columns in readings.hours.values() for value in columns["temperature"].settled_values()]


def bomb(before: bytes, filling: bytes, after: bytes, megabytes: int) -> Iterator[bytes]:
    yield before
    for _ in range(megabytes):
        yield filling * (MEGABYTE // len(filling))
    yield after


@pytest.mark.parametrize(
    ("before", "filling", "after"),
    [
        (GOOD[0] + b"\n" + GOOD[1][:-1] + b', "x": "', b"a", b'"}\n' + GOOD[2]),
        (GOOD[0] + b"\n", b"\x00", b"\n" + GOOD[2]),
        (GOOD[0] + b"\n", b"[[[[", b"\n" + GOOD[2]),
        (b"[" + GOOD[0] + b"," + GOOD[1][:-1] + b', "x": "', b"a", b'"},' + GOOD[2] + b"]"),
        (b"[" + GOOD[0] + b",", b"[[[[", b"," + GOOD[2] + b"]"),
    ],
    ids=["string", "zeros", "nested", "string in an array", "nested in an array"],
)
def test_a_line_of_100_mb_is_dropped_in_little_memory(before: bytes, filling: bytes, after: bytes) -> None:
    tracemalloc.start()
    try:
        readings = read(bomb(before, filling, after, megabytes=100))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert values(readings) == [0.0, 2.0]
    assert readings.rejected == {"too_long": 1}
    assert peak < 16 * MEGABYTE


@pytest.mark.parametrize("filling", [b"\n", b" \r\n", b" " * 1024])
def test_100_mb_of_blank_space_before_the_first_reading_are_nothing(filling: bytes) -> None:
    readings = read(bomb(b"", filling, GOOD[0], megabytes=100))
    assert values(readings) == [0.0]
    assert readings.rejected == {}


@pytest.mark.parametrize("bomb_line", [b"x" * 3 * MEGABYTE, b"[" * 3 * MEGABYTE, b'"' * 3 * MEGABYTE])
def test_an_object_that_is_one_long_line_is_unreadable(bomb_line: bytes) -> None:
    with pytest.raises(UnreadableObject, match="1 too_long"):
        read(iter([bomb_line]))


def padded(line: bytes, length: int) -> bytes:
    return line[:-1] + b" " * (length - len(line)) + b"}"


@pytest.mark.parametrize("chunk_bytes", [100_000, MAX_RECORD_BYTES - 1, 10 * MEGABYTE])
@pytest.mark.parametrize("extra", [0, 1])
def test_how_long_a_line_may_be_does_not_depend_on_chunks(chunk_bytes: int, extra: int) -> None:
    body = b"\n".join([GOOD[0], padded(GOOD[1], MAX_RECORD_BYTES + extra), GOOD[2], b""])
    readings = read(body[at : at + chunk_bytes] for at in range(0, len(body), chunk_bytes))
    assert values(readings) == ([0.0, 2.0] if extra else [0.0, 1.0, 2.0])
    assert readings.rejected == ({"too_long": 1} if extra else {})


@pytest.mark.parametrize("array", [False, True], ids=["lines", "array"])
@pytest.mark.parametrize("defect", [b"", b"nonsense", b'{"zoneId": "ZONE-001, "val": 7}', b'{"n": [{"val"'])
def test_many_chunks_lose_nothing(array: bool, defect: bytes) -> None:
    lines = [json.dumps(reading(float(n), n / 10, tags=[{"n": n}])).encode() for n in range(2000)]
    if defect:
        lines.insert(1000, defect)
    body = b"[" + b", ".join(lines) + b"]" if array else b"\n".join(lines)
    readings = read(body[at : at + 10_007] for at in range(0, len(body), 10_007))
    assert values(readings) == [float(n) for n in range(2000)]
    assert readings.rejected.total() == bool(defect)


def outcome(*chunks: bytes) -> tuple[object, ...]:
    """What reading gives, or why nothing was readable."""
    readings = ReadingsByHour(load())
    try:
        readings.add(SOURCE, chunks)
    except UnreadableObject as exc:
        return (str(exc),)
    return values(readings), dict(readings.rejected)


SOUND = [b"\n".join(GOOD), b"[" + b", ".join(GOOD) + b"]", json.dumps([{"n": [{"a": "}"}]}] * 3, indent=1).encode()]
fragments = st.one_of(
    st.binary(max_size=6), st.sampled_from([b"{", b"}", b"[", b"]", b",", b'"', b"\\", b"\n", b"NaN", b"\xff"])
)
Edits = list[tuple[int, int, bytes]]
edits = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 30), fragments), max_size=5)


def edited(body: bytes, changes: Edits) -> bytes:
    """The bytes with stretches replaced."""
    for at, length, fragment in changes:
        body = body[:at] + fragment + body[at + length :]
    return body


@given(st.sampled_from(SOUND), edits)
def test_damaged_bytes_are_rejected_and_nothing_else_happens(
    body: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    for at, length, fragment in changes:
        body = body[:at] + fragment + body[at + length :]
    assert outcome(body)


@given(edits, st.lists(st.integers(0, 700), max_size=4))
@example([(0, 29, b""), (195, 0, b"\x80")], [324])  # broken text in a name that nobody looks for, beside a defect
def test_damaged_lines_are_the_same_in_whatever_chunks_they_come(changes: Edits, cuts: list[int]) -> None:
    body = GOOD[0] + b"\n" + edited(SOUND[0], changes)
    ends = sorted(cuts)
    chunks = [body[a:b] for a, b in zip([0, *ends], [*ends, len(body)], strict=True)]
    assert outcome(*chunks) == outcome(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert outcome(body)


def test_pieces_are_what_was_given_cut_between_records() -> None:
    rejected: Counter[str] = Counter()
    found = list(framing.pieces([b"a\nb", b"b\nc", b"\n"], rejected))
    assert found == [(b"a\n", False), (b"bb\n", False), (b"c\n", False)]
    assert not rejected


SEPARATORS = re.compile(r"(?:[, \t\r\n\]]|\[(?=[ \t\r\n]*(?:[{\]]|\Z))|\xef\xbb\xbf)*")
NEXT_RECORD = r"[},\]][ \t\r\n]*(?=\{)|\n[ \t\r]*(?=[\[{])"


def skipped(text: str, at: int) -> int:
    match = SEPARATORS.match(text, at)
    return match.end() if match else at


def parsed(text: str, at: int, *, strict: bool) -> tuple[object, int]:
    return json.JSONDecoder(strict=strict).raw_decode(text, at)


def plain_spans(piece: bytes) -> Iterator[tuple[int, int, bool]]:
    """What `framing` finds, spelled without a thought of time: every value is parsed from its own beginning."""
    text = piece.decode("latin-1")
    at = skipped(text, 0)
    while at < len(text):
        line = re.compile(r"\n(?=[\[{])").search(text, at)
        part = text[: line.start()] if line else text
        try:
            try:
                value, end = parsed(part, at, strict=True)
            except json.JSONDecodeError as exc:
                if not exc.msg.startswith("Invalid control") or part[exc.pos] in "\r\n":
                    raise
                newline = part.find("\n", at)
                part = part[:newline] if newline >= 0 else part
                value, end = parsed(part, at, strict=False)
            if not isinstance(value, dict | list) and not re.compile(
                r"[ \t\r]*(?:\Z|[\n\[\]{]|,\s*(?:\Z|[\[\]{]))"
            ).match(text, end):
                raise json.JSONDecodeError("part of a line", text, at)
            open_ended = end == len(text)
            if isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
                at = skipped(text, at + 1)
                continue
        except json.JSONDecodeError as exc:
            pattern = NEXT_RECORD if text[at] in "{[" else f"{NEXT_RECORD}|\n"
            following = re.compile(pattern).search(text, at + 1)
            end = following.start() + (text[following.start()] in "}]") if following else len(text)
            near = exc.msg.startswith("Unterminated") or exc.pos > len(part) - 9
            open_ended = following is None or (near and len(part) == len(text) and exc.msg != "part of a line")
        yield at, end, open_ended
        at = skipped(text, end)


FRAGMENTS = ["{", "}", "[", "]", ",", '"', "\\", '"k":', "1", "-", "tru", "true", "NaN", "-Infinity", "\n", "é"]
FRAGMENTS += ['{"a":[0,', '{"b":1}', '{"s":",{"}', ',{"a":{"b":[', '":"', ',{"', "\\ud83d", "7" * 600, "x" * 1200]
hostile = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)


@given(hostile)
def test_values_end_where_parsing_each_of_them_anew_says(text: str) -> None:
    piece = text.encode()
    assert list(scanning.spans(piece)) == list(plain_spans(piece))


BRACKETS = {
    "deeper than any parser goes": b'{"a":[0,' * 8000,
    "deep, and broken at its far end": b'{"a":[0,' * 250 + b'{"b":1},' * 7750 + b"!",
    "in strings of each other": b'{"a": ", {", "b":[", {",' * 2700,
    "broken at once, on many lines": b"\n" * 32_000 + b"{x\n,\n" * 6400,
}


class Counted:
    """A decoder or an expression of the scanner that counts the characters that it goes through."""

    def __init__(self, wrapped: Any, steps: Counter[str]) -> None:
        self.wrapped, self.steps = wrapped, steps

    def raw_decode(self, text: str) -> Any:
        try:
            value, end = self.wrapped.raw_decode(text)
        except json.JSONDecodeError as exc:
            self.steps["parsed"] += 2 * exc.pos  # it counts the lines before an error
            raise
        except RecursionError:
            self.steps["parsed"] += len(text)
            raise
        self.steps["parsed"] += end
        return value, end

    def search(self, text: str, start: int, end: int = sys.maxsize) -> re.Match[str] | None:
        match: re.Match[str] | None = self.wrapped.search(text, start, end)
        self.steps["searched"] += (match.end() if match else min(end, len(text))) - start
        return match

    def finditer(self, text: str, start: int, end: int) -> Iterator[re.Match[str]]:
        at = start
        for match in self.wrapped.finditer(text, start, end):
            self.steps["searched"] += match.end() - at
            at = match.end()
            yield match


@pytest.mark.parametrize("name", BRACKETS)
def test_what_never_closes_is_gone_through_a_few_times_at_most(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: Counter[str] = Counter()
    for scanner in ("_ANY_JSON", "_NEXT_RECORD", "_NEXT_RECORD_OR_LINE", "_LINE_OF_A_RECORD", "_STRUCTURE"):
        monkeypatch.setattr(scanning, scanner, Counted(getattr(scanning, scanner), steps))
    body = b"[" + BRACKETS[name]
    with pytest.raises(UnreadableObject):
        read(iter([body]))
    assert steps["parsed"]
    assert steps.total() < 50 * len(body), steps  # each value anew: some 10,000 times its length

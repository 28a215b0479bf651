"""The log of failures and maintenance: its lines one by one, whatever they hold."""

import gzip
from datetime import datetime

import pytest

from monitory.clock import hour_of
from monitory.errors import UnreadableObject
from monitory.logbook.entry import Kind, LogEntry
from monitory.logbook.logbook import Downtime, Logbook, MachineLog, read_logbook
from monitory.logbook.parsing import parse, sentences
from monitory.machine import Machine

TEN = datetime(2026, 11, 20, 10)
HOUR = hour_of(TEN)
A = Machine("ZONE-1", "A")
GOOD = b'{"equipId": "A", "time": "2026-11-20T10:00:00"}'

CSV = """zoneId,equipId,kind,start,end,failureMode,note
ZONE-1,A,failure,2026-11-20T10:00:00,2026-11-20T12:30:00,bearing,"loud, then still"
,A,maintenance,2026-11-21T10:00:00,,,
"""


def test_a_log_of_times_alone_lists_failures() -> None:
    lines = [
        b'{"equipId": "A", "time": "2026-11-20T10:59:59"}',
        b'{"time": "2026-11-21T10:00:00", "equipId": "A", "cause": "bearing"}',
        b"",
        b'{"equipId": "B", "time": "2026-11-20T10:00:00"}',
    ]
    logbook = read_logbook(b"\n".join(lines))
    assert logbook.of(A) == MachineLog((Downtime(HOUR), Downtime(HOUR + 24)), lists_failures=True)
    assert logbook.of(Machine("ZONE-2", "B")).failures == (Downtime(HOUR),)
    assert (logbook.counts, logbook.warnings) == ({"failure": 3}, [])


def test_every_field_is_read() -> None:
    line = (
        b'{"zoneId":"ZONE-1","equipId":"A","kind":"failure","start":"2026-11-20T10:00:00",'
        b'"end":"2026-11-20T12:30:00","failureMode":"bearing","note":"loud"}'
    )
    entries, rejects = parse(line)
    end = datetime(2026, 11, 20, 12, 30)
    assert entries == [LogEntry("A", "ZONE-1", Kind.FAILURE, TEN, end, "bearing", "loud")]
    assert not rejects.counts
    assert read_logbook(line).of(A).failures == (Downtime(HOUR, HOUR + 3, "bearing"),)


@pytest.mark.parametrize(
    ("end", "hours"), [("2026-11-20T12:00:00", 2), ("2026-11-20T12:00:01", 3), ("2026-11-20T10:00:00", 1)]
)
def test_an_hour_that_is_begun_counts_as_a_whole_one(end: str, hours: int) -> None:
    line = f'{{"equipId":"A","start":"2026-11-20T10:00:00","end":"{end}"}}'.encode()
    assert read_logbook(line).of(A).failures == (Downtime(HOUR, HOUR + hours),)


@pytest.mark.parametrize(
    "body",
    [
        CSV.encode(),
        CSV.encode("utf-8-sig"),
        CSV.replace(",", ";").replace("loud;", "loud,").encode(),
        CSV.replace(",", "\t").replace("\n", "\r\n").encode(),
        CSV.replace("zoneId,equipId", "ZONEID, EquipID").encode(),
        gzip.compress(CSV.encode()),
    ],
    ids=["comma", "byte order mark", "semicolon", "tab and CRLF", "case of names", "gzip"],
)
def test_csv_is_recognised_by_its_content(body: bytes) -> None:
    log = read_logbook(body).of(A)
    assert log.failures == (Downtime(HOUR, HOUR + 3, "bearing"),)
    assert log.maintenance == (Downtime(HOUR + 24),)


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + GOOD,
        b"[" + GOOD + b"," + GOOD + b"]",
        GOOD + GOOD,
        gzip.compress(GOOD),
        b'{"equipId": "A", "start": "2026-11-20T01:00:00Z"}',
        b'{"equipId": "A", "start": "2026-11-20 10:00", "time": null, "zoneId": ""}',
        b'{"equipId": "A", "start": 1795136400000, "kind": "Failure"}',
    ],
    ids=["byte order mark", "array", "no newline", "gzip", "Z", "space", "epoch"],
)
def test_what_is_unambiguous_is_read(body: bytes) -> None:
    assert set(read_logbook(body).of(A).failures) == {Downtime(HOUR)}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"x", "not JSON ('x'): write one JSON object per line, or CSV with a header"),
        (b"{}", "without equipId (equipId is missing): name the machine as in the lake, letter by letter"),
        (b"[1]", "no JSON object ('[1]'): write one object per entry"),
        (b'{"equip_id": "A", "time": "2026-11-20T10:00:00"}', "(equipId is missing, 'equip_id' is there)"),
        (b'{"equipId": "A", "timestamp": "2026-11-20T10:00:00"}', "(start is missing, 'timestamp' is there)"),
        (b'{"equipId": "\xff", "time": "2026-11-20T10:00:00"}', "not UTF-8"),
        (b'{"equipId": "A", "time": "soon"}', "with an unreadable time (time is 'soon'): write 2026-11-03T14:20:00"),
        (b'{"equipId": "A", "time": 7}', "with an unreadable time (time is 7)"),
        (b'{"equipId": [1], "time": "2026-11-20T10:00:00"}', "(equipId is [1])"),
        (b'{"equipId": "A", "time": "2026-11-20T10:00:00", "kind": "repair"}', "of unknown kind (kind is 'repair')"),
        (
            b'{"equipId": "A", "start": "2026-11-20T10:00:00", "end": "2026-11-20T09:00:00"}',
            "(start 2026-11-20T10:00:00, end 2026-11-20T09:00:00): correct one of the two",
        ),
        (b'{"x":' * 100_000, "not JSON"),
        (b'{"equipId":' + b"[" * 100_000, "not JSON"),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_a_line_that_cannot_be_used_is_named_and_the_others_are_read(line: bytes, said: str) -> None:
    logbook = read_logbook(line + b"\n" + GOOD + b"\n")
    assert logbook.of(A).failures == (Downtime(HOUR),)
    assert logbook.counts["rejected"] == 1
    (warning,) = logbook.warnings
    assert warning.startswith("1 entry of the log ")
    assert said in warning


def test_rejects_are_counted_by_reason() -> None:
    bad = [b'{"equipId": "A", "time": "soon"}'] * 3 + [b"x"]
    _, rejects = parse(b"\n".join([*bad, GOOD]))
    assert [sentence.split("(")[0] for sentence in sentences(rejects)] == [
        "3 entries of the log with an unreadable time ",
        "1 entry of the log not JSON ",
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"PAR1....", "the log is Parquet: write NDJSON, or CSV with the header zoneId,equipId,kind,start,end"),
        (b"PK\x03\x04....", "the log is a ZIP archive"),
        (CSV.encode("utf-16"), "the log is UTF-16"),
        (b"x\ny\n", "the log has no usable entry: 2 entries of the log not JSON"),
        (b"equipId,time\nA,soon\n", "the log has no usable entry: 1 entry of the log with an unreadable time"),
    ],
)
def test_a_log_of_which_nothing_can_be_used_is_no_factory_without_failures(body: bytes, said: str) -> None:
    with pytest.raises(UnreadableObject, match=said):
        read_logbook(body)


@pytest.mark.parametrize("body", [b"", b"\n\n", b"equipId,time\n"])
def test_an_empty_log_is_one_without_failures(body: bytes) -> None:
    logbook = read_logbook(body)
    assert (logbook.of(A), logbook.counts) == (MachineLog(), {})


def test_entries_that_belong_to_no_machine_or_to_several_are_named() -> None:
    lines = [f'{{"equipId": "{name}", "time": "2026-11-20T10:00:00"}}' for name in ("A", "a", "a", "B", "B7")]
    other_zone = '{"equipId":"A","zoneId":"zone-1","time":"2026-11-20T10:00:00"}'
    logbook = read_logbook("\n".join([*lines, other_zone]).encode())
    machines = [A, Machine("ZONE-1", "B"), Machine("ZONE-2", "B")]
    assert logbook.unmatched(machines) == [
        "4 entries of the log of machines without readings (B7, a, zone-1/A): "
        "write zoneId and equipId as in the lake, letter by letter",
        "1 entry of the log of an equipId that stands in several zones (B): add the zoneId",
    ]
    assert logbook.of(Machine("ZONE-1", "B"), {"B"}).failures == ()


def test_an_inspection_changes_nothing_and_a_false_alarm_takes_back_a_failure() -> None:
    def entry(kind: Kind, first: int, after: int | None = None) -> LogEntry:
        end = None if after is None else datetime(2026, 11, 20, after)
        return LogEntry("A", None, kind, datetime(2026, 11, 20, first), end)

    entries = [entry(Kind.FAILURE, 10), entry(Kind.FAILURE, 20), entry(Kind.INSPECTION, 5)]
    log = Logbook([*entries, entry(Kind.FALSE_ALARM, 9, 11)]).of(A)
    assert log == MachineLog((Downtime(HOUR + 10),), (), (Downtime(HOUR - 1, HOUR + 1),), lists_failures=True)

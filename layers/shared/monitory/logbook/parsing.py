"""A logbook's bytes -> its entries: NDJSON (or JSON arrays, concatenated objects) and CSV, recognised by content.

Gzip is unpacked, a byte order mark is skipped. Every line that is not used counts under its reason, with a sample.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress

import msgspec

from monitory.decoding import formats, framing
from monitory.decoding.dialect import Refusal
from monitory.decoding.rejects import NOT_JSON, NOT_UTF8, TOO_LARGE, TOO_LONG, TRUNCATED, Rejects
from monitory.errors import UNDECODABLE, UnreadableObject
from monitory.logbook.entry import (
    BAD_ID,
    BAD_TIME,
    END_BEFORE_START,
    FIELDS,
    MISSING_EQUIP_ID,
    MISSING_START,
    NOT_AN_OBJECT,
    UNKNOWN_KIND,
    Kind,
    LogEntry,
    entry,
)

_LINES = msgspec.json.Decoder(dict[str, object])
_BOM = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t|"
_HEAD_BYTES = 1 << 12
_HEADER = ",".join(FIELDS[:6])

_SENTENCES = {
    NOT_JSON: "not JSON: write one JSON object per line, or CSV with a header",
    NOT_UTF8: "not UTF-8: save the file as UTF-8",
    TOO_LONG: "longer than 1 MB: write one entry per line",
    NOT_AN_OBJECT: "no JSON object: write one object per entry",
    MISSING_EQUIP_ID: "without equipId: name the machine as in the lake, letter by letter",
    MISSING_START: "without start: write when it began, for instance 2026-11-03T14:20:00",
    BAD_ID: "with an id that is neither text nor a whole number: write it as text",
    BAD_TIME: "with an unreadable time: write 2026-11-03T14:20:00, with Z or an offset where it is no local time",
    UNKNOWN_KIND: f"of unknown kind: write {', '.join(Kind)}",
    END_BEFORE_START: "with an end before the start: correct one of the two",
    TRUNCATED: "cut off or damaged: upload the file again",
    TOO_LARGE: "left out, for the file unpacks to more than is read of one: split it",
}


def parse(body: bytes) -> tuple[list[LogEntry], Rejects]:
    """The entries of a logbook in its order, and the lines that cannot be used.

    Raises:
        UnreadableObject: it has another format, or lines but not a single usable one: nobody must take that for a
            factory without failures.
    """
    rejects = Rejects()
    data = b"".join(formats.unpacked([body], rejects)).removeprefix(_BOM)
    entries = []
    try:
        for fields in _records(data, rejects):
            try:
                entries.append(entry(fields))
            except Refusal as refusal:
                rejects.add(refusal.reason, refusal.sample)
    except csv.Error as exc:
        raise UnreadableObject(f"the log is no readable CSV ({exc})") from exc
    if rejects.counts and not entries:
        raise UnreadableObject(f"the log has no usable entry: {'; '.join(sentences(rejects))}")
    return entries, rejects


def sentences(rejects: Rejects) -> list[str]:
    """A sentence a reason, the largest first: number, defect, a sample and the remedy.

    >>> rejects = Rejects()
    >>> rejects.add(END_BEFORE_START, "start 9:00, end 8:00")
    >>> sentences(rejects)
    ['1 entry of the log with an end before the start (start 9:00, end 8:00): correct one of the two']
    """
    ranked = sorted(rejects.counts, key=lambda reason: -rejects.counts[reason])
    return [_sentence(reason, rejects.counts[reason], rejects.samples.get(reason, "")) for reason in ranked]


def _sentence(reason: str, count: int, sample: str) -> str:
    defect, colon, remedy = _SENTENCES[reason].partition(":")
    noun = "entry" if count == 1 else "entries"
    return f"{count:,} {noun} of the log {defect}{f' ({sample})' if sample else ''}{colon}{remedy}"


def _records(data: bytes, rejects: Rejects) -> Iterator[Mapping[str, object]]:
    """The fields of each entry.

    Raises:
        UnreadableObject: the format is none that is read.
    """
    head = data[:_HEAD_BYTES].lstrip()
    if not head:
        return
    if head[:1] in {b"{", b"["}:
        yield from _json(data, rejects)
    elif delimiter := _csv_delimiter(head):
        yield from _csv(data, delimiter, rejects)
    elif foreign := formats.recognised(head):
        raise UnreadableObject(f"the log is {foreign.name}: write NDJSON, or CSV with the header {_HEADER}")
    else:  # damaged at its start, maybe: what follows may be readable
        yield from _json(data, rejects)


def _json(data: bytes, rejects: Rejects) -> Iterator[Mapping[str, object]]:
    with suppress(*UNDECODABLE):  # a clean log in one call
        yield from _LINES.decode_lines(data)
        return
    too_long: Counter[str] = Counter()
    for piece, _ in framing.pieces([data], too_long):
        for value in framing.values(piece):
            try:
                fields = msgspec.json.decode(value)
            except UNDECODABLE as exc:
                rejects.add(NOT_UTF8 if isinstance(exc, UnicodeDecodeError) else NOT_JSON, ascii(value[:40])[1:])
                continue
            if isinstance(fields, dict):
                yield fields
            else:
                rejects.add(NOT_AN_OBJECT, ascii(value[:40])[1:])
    for reason, count in too_long.items():
        rejects.add(reason, count=count)


def _csv_delimiter(head: bytes) -> str | None:
    """The delimiter of a CSV header; None where the first line is none."""
    line = head.partition(b"\n")[0].decode("utf-8", "replace").strip()
    delimiter = max(_DELIMITERS, key=line.count)
    names = {name.strip().strip('"') for name in line.split(delimiter)}
    return delimiter if len(names) > 1 and names & {*FIELDS, *map(str.lower, FIELDS)} else None


def _csv(data: bytes, delimiter: str, rejects: Rejects) -> Iterator[Mapping[str, object]]:
    text = data.decode("utf-8", "replace")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    own = {name.lower(): name for name in FIELDS}
    names = [own.get(name.strip().lower(), name.strip()) for name in next(reader)]
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if any("\ufffd" in cell for cell in cells):
            rejects.add(NOT_UTF8, ascii(delimiter.join(cells))[:40])
            continue
        yield dict(zip(names, map(str.strip, cells), strict=False))

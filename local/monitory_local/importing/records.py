"""Maintenance tables (CSV, XLSX) and Lookout for Equipment's labels -> records of failures and maintenance.

A record is a line of NDJSON: `equipId`, `kind`, `start`, and where they are given `zoneId`, `end`, `failureMode`,
`note`. A failure's line has its start as `time`, too: readers that know nothing of kinds then see failures only.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from monitory.errors import InvalidIdentifier, ObjectNotFound
from monitory.machine import machine
from monitory.storage.port import Storage
from monitory_local.importing.errors import ImportFault, Rejects
from monitory_local.importing.tables import csv_rows, times
from monitory_local.importing.tables.csv_rows import Chunk
from monitory_local.importing.tables.mapping import ColumnMapping, Columns, complete_records
from monitory_local.importing.tables.times import Micros

Record = dict[str, str]

KINDS = ("failure", "maintenance", "inspection", "false_alarm")
_WORDS = {
    "failure": "failure breakdown fault broken defect störung ausfall 고장 장애",
    "maintenance": "maintenance repair pm preventive service overhaul replacement corrective "
    "wartung reparatur 정비 수리 교체 예방정비",
    "inspection": "inspection check inspektion 점검 검사",
    "false_alarm": "false_alarm falsealarm fehlalarm 오보 오경보",
}
_HEADER_ROWS = 10
"""A spreadsheet may have titles above its header, at most so many rows."""

_EXCEL_EPOCH = datetime(1899, 12, 30)
_EXCEL_DAYS = (20_000, 80_000)
"""Numbers between 1954 and 2119 in a column of times are spreadsheet dates."""


def read_table(path: Path, rejects: Rejects) -> Iterator[Chunk]:
    """A maintenance table's rows.

    Raises:
        ImportFault: it cannot be read, or has no header.
    """
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return iter([_spreadsheet(path)])
    return csv_rows.chunks(path, csv_rows.dialect(path), rejects)


def records(chunk: Chunk, mapping: ColumnMapping, kind: str | None, rejects: Rejects) -> list[Record]:
    """The records of a maintenance table.

    Args:
        chunk: its rows.
        mapping: what its columns mean, as far as somebody said.
        kind: of all records, where no column says it.
        rejects: counts the rows that cannot be used.

    Raises:
        ImportFault: nothing says which machine, when, or what kind of event a row is.
    """
    columns = complete_records(mapping, chunk.columns, chunk.file)
    _require(chunk, columns, mapping, kind)
    starts = _moments(chunk, columns.start, mapping)
    ends = _moments(chunk, columns.end, mapping)
    result: list[Record] = []
    for row, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        cells = dict(zip(chunk.columns, chunk.rows[row], strict=True))
        try:
            result.append(_record(cells, columns, mapping, kind, start, end))
        except _Unusable as exc:
            rejects.add(exc.reason, f"{chunk.file} line {chunk.lines[row]}: {exc.sample}")
    return result


def labels(path: Path, equip_ids: Sequence[str], kind: str, rejects: Rejects) -> list[Record]:
    """The records of a label file of Lookout for Equipment: two times a row, start and end, no header.

    Raises:
        ImportFault: the file cannot be read, or holds something else.
    """
    form = csv_rows.dialect(path)
    rows = list(csv_rows.rows_without_header(path, form))
    if not rows or any(len(row) != 2 for row in rows):
        raise ImportFault(f"{path}: a label file has two times a row, start and end, and no header")
    columns = ["start", "end"]
    chunk = Chunk(path.name, columns, rows, list(range(1, len(rows) + 1)))
    mapping = ColumnMapping(columns=Columns(start="start", end="end"))
    result: list[Record] = []
    for equip_id in equip_ids:
        named = ColumnMapping(columns=mapping.columns, equip=equip_id, time_zone="UTC")
        result += records(chunk, named, kind, rejects)
    return result


def merge(storage: Storage, key: str, new: Sequence[Record]) -> int:
    """Add the records that a log lacks, and return how many that were; what the log holds stays as it is.

    Raises:
        ImportFault: the log has another format.
        PreconditionFailed: somebody else wrote the log meanwhile.
        StorageUnavailable: the store failed.
    """
    try:
        blob = storage.get(key)
    except ObjectNotFound:
        body, etag = b"", None
    else:
        body, etag = blob.body, blob.etag
    if body.strip() and not body.lstrip().startswith(b"{"):
        raise ImportFault(
            f"s3://{storage.name}/{key} is there and no NDJSON, so nothing is added to it: import into another log, "
            "FAILURE_LOG_KEY=records.ndjson"
        )
    present = set(body.splitlines())
    lines = list(dict.fromkeys(as_line(record) for record in new))
    missing = [line for line in lines if line not in present]
    if missing:
        start = body + b"\n" if body and not body.endswith(b"\n") else body
        text = start + b"\n".join(missing) + b"\n"
        storage.put(key, text, content_type="application/x-ndjson", replaces=etag, create=etag is None)
    return len(missing)


def as_line(record: Record) -> bytes:
    """A record as a line of the log."""
    return json.dumps(record, ensure_ascii=False).encode()


def count_kinds(logged: Sequence[Record]) -> Counter[str]:
    """How many records there are of each kind."""
    return Counter(record["kind"] for record in logged)


def _require(chunk: Chunk, columns: Columns, mapping: ColumnMapping, kind: str | None) -> None:
    there = f"there are {', '.join(filter(None, chunk.columns))}"
    if columns.start is None:
        raise ImportFault(f"{chunk.file}: when did it happen? Name the column in the mapping, [columns] start; {there}")
    if columns.equip_id is None and mapping.equip is None:
        raise ImportFault(f"{chunk.file}: which machine? Name the column in the mapping, [columns] equipId; {there}")
    if columns.kind is None and kind is None:
        raise ImportFault(
            f"{chunk.file}: are these failures or maintenance? Say --kind failure, --kind maintenance, or name the "
            f"column that tells it in the mapping, [columns] kind; {there}"
        )


class _Unusable(Exception):
    """A row that gives no record."""

    def __init__(self, reason: str, sample: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sample = sample


def _record(
    cells: Mapping[str, str], columns: Columns, mapping: ColumnMapping, kind: str | None, start: int, end: int
) -> Record:
    """A row as a record.

    Raises:
        _Unusable: it lacks something, or says something that cannot be.
    """

    def cell(column: str | None) -> str:
        return cells[column] if column else ""

    equip, zone = cell(columns.equip_id) or mapping.equip or "", cell(columns.zone_id) or mapping.zone or ""
    if not equip:
        raise _Unusable("no_machine", "it")
    try:
        owner = machine(mapping.machines.get(zone, zone) or "-", mapping.machines.get(equip, equip))
    except InvalidIdentifier as exc:
        raise _Unusable("machine_name", repr(equip)) from exc
    word = cell(columns.kind)
    event = mapping.kinds.get(word) or (_kind(word) if word else kind)
    if event not in KINDS:
        raise _Unusable("kind", repr(word) if word else "it")
    start_text, end_text = cell(columns.start), cell(columns.end)
    for text, moment in ((start_text, start), (end_text, end)):
        if text and moment == times.NOT_A_TIME:
            raise _Unusable("time", repr(text))
    if not start_text:
        raise _Unusable("no_time", "it")
    if end_text and end < start:
        raise _Unusable("end_before_start", f"{start_text!r} to {end_text!r}")
    moments = times.in_lake_form(np.array([start, end if end_text else start], dtype=np.int64))
    record = {
        "zoneId": owner.zone_id if zone else "",
        "equipId": owner.equip_id,
        "kind": event,
        "time": moments[0] if event == "failure" else "",
        "start": moments[0],
        "end": moments[1] if end_text else "",
        "failureMode": cell(columns.failure_mode),
        "note": cell(columns.note),
    }
    return {name: value for name, value in record.items() if value}


def _kind(word: str) -> str | None:
    plain = word.strip().lower().replace(" ", "_").replace("-", "_")
    return next((kind for kind, words in _WORDS.items() if plain in words.split()), None)


def _moments(chunk: Chunk, column: str | None, mapping: ColumnMapping) -> Micros:
    texts = [_without_serial(text) for text in chunk.column(column)]
    if not any(texts):
        return np.full(len(texts), times.NOT_A_TIME, dtype=np.int64)
    form = mapping.time_format or times.guess_format(texts, f"{chunk.file}, column {column!r}")
    return times.moments(texts, form, mapping.time_zone)[0]


def _without_serial(text: str) -> str:
    """A spreadsheet's number of days as a time; another text as it is."""
    try:
        days = float(text)
    except ValueError:
        return text
    if not _EXCEL_DAYS[0] < days < _EXCEL_DAYS[1]:
        return text
    moment = _EXCEL_EPOCH + timedelta(seconds=round(days * 86_400))
    return moment.isoformat()


def _spreadsheet(path: Path) -> Chunk:
    """The first sheet of a workbook; its header is the first row, of the first ten, that names what and when."""
    try:
        sheet = pd.read_excel(path, header=None, dtype=object)
    except Exception as exc:  # whatever a damaged archive makes the library raise
        raise ImportFault(f"{path}: no workbook that can be read ({exc}); export it as CSV") from exc
    rows = [[_cell(value) for value in row] for row in sheet.itertuples(index=False)]
    if not rows:
        raise ImportFault(f"{path}: the first sheet is empty")
    head = next((n for n, row in enumerate(rows[:_HEADER_ROWS]) if sum(map(bool, row)) >= max(2, len(row) // 2)), 0)
    columns = csv_rows.checked_header(str(path), rows[head])
    filled = [(number, row) for number, row in enumerate(rows[head + 1 :], start=head + 2) if any(row)]
    return Chunk(path.name, columns, [row for _, row in filled], [number for number, _ in filled])


def _cell(value: object) -> str:
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return ""
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    return f"{value:.10g}" if isinstance(value, float) else str(value).strip()

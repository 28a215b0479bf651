"""CSV -> rows by the header's names, in the memory of a batch."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from monitory.decoding.framing import MAX_RECORD_BYTES
from monitory.decoding.rejects import BAD_ROW, NOT_UTF8, TOO_LONG, Rejects

Row = Mapping[str, object]

_DELIMITERS = ",;\t|"
_BATCH_ROWS = 1 << 14


def csv_rows(chunks: Iterable[bytes], rejects: Rejects) -> Iterator[list[Row]]:
    """The rows of a CSV object, some at a time; lines that cannot be read are counted.

    The delimiter is the most frequent one in the header. With semicolons a comma in a number is the decimal one.
    """
    lines = _lines(chunks, rejects)
    header_line = next(lines, "").lstrip("\ufeff")
    delimiter = max(_DELIMITERS, key=header_line.count)
    header = [name.strip() for name in next(csv.reader([header_line], delimiter=delimiter), [])]
    rows = _rows(csv.reader(lines, delimiter=delimiter), header, rejects, decimal_comma=delimiter == ";")
    while batch := list(islice(rows, _BATCH_ROWS)):
        yield batch


def _rows(cells: "Iterator[list[str]]", header: list[str], rejects: Rejects, *, decimal_comma: bool) -> Iterator[Row]:
    while True:
        try:
            row = next(cells, None)
        except csv.Error:  # a cell that never ends
            rejects.add(BAD_ROW)
            continue
        if row is None:
            return
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            rejects.add(BAD_ROW, f"{len(row)} cells, the header has {len(header)}")
            continue
        yield dict(zip(header, map(_with_point, row) if decimal_comma else row, strict=True))


def _with_point(cell: str) -> str:
    whole, comma, fraction = cell.partition(",")
    is_number = comma and fraction.isdecimal() and whole.strip().lstrip("+-").isdecimal()
    return f"{whole}.{fraction}" if is_number else cell


def _lines(chunks: Iterable[bytes], rejects: Rejects) -> Iterator[str]:
    for line in _whole_lines(chunks, rejects):
        try:
            yield line.decode()
        except UnicodeDecodeError:
            rejects.add(NOT_UTF8)


def _whole_lines(chunks: Iterable[bytes], rejects: Rejects) -> Iterator[bytes]:
    rest = b""
    is_too_long = False
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if is_too_long or len(line) > MAX_RECORD_BYTES:
                rejects.add(TOO_LONG)
            else:
                yield line + b"\n"
            is_too_long = False
        if len(rest) > MAX_RECORD_BYTES:
            rest, is_too_long = b"", True
    if is_too_long:
        rejects.add(TOO_LONG)
    elif rest:
        yield rest

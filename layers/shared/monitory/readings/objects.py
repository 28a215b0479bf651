"""One object of the lake -> readings in batches, whatever its format."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import NamedTuple

from monitory.decoding import decoders, formats, framing, tables
from monitory.decoding.form import RecordForm
from monitory.decoding.reading import Reading
from monitory.decoding.rejects import FOREIGN_FORMAT, READABLE, Rejects, sentences
from monitory.errors import UnreadableObject
from monitory.machine import Machine
from monitory.readings.kernels import Kernel

_ROW_BYTES = 200
"""Of text that a row of a table stands for."""


class ObjectKey(NamedTuple):
    """An object's key, and the machine and date in it: whose readings, of which day, the object may hold."""

    path: str
    machine: Machine
    day: date


def read(
    path: str,
    chunks: Iterable[bytes],
    form: RecordForm,
    kernel: Kernel,
    rejects: Rejects,
    take: Callable[[list[Reading], int], None],
) -> int:
    """Pass an object's readings on, in batches, each with its number of bytes of text.

    Args:
        path: the object's key.
        chunks: its bytes, in pieces of any size; gzip is unpacked.
        form: the form of its records.
        kernel: the implementation of the inner loops.
        rejects: counts records that cannot be read.
        take: receives the batches.

    Returns:
        The number of readings.

    Raises:
        UnreadableObject: it is of another format.
    """
    stream = formats.unpacked(chunks, rejects)
    first = next(stream, b"")
    expected = form.layout.format
    if (not first.startswith(b"{") or first[1:2] == b"\0" or expected != "json") and (
        foreign := formats.recognised(first, expected)
    ):
        _refuse(path, foreign, first, stream, rejects)
    count = 0
    for batch, size in _batches(path, _again(first, stream), form, kernel, rejects):
        count += len(batch)
        take(batch, size)
    return count


def check_readable(path: str, readable: int, rejects: Rejects) -> None:
    """Refuse an object in which no record can be read.

    Raises:
        UnreadableObject: it is such an object; the message has the reasons.
    """
    if not readable and not any(rejects.counts[reason] for reason in READABLE):
        reasons = ", ".join(f"{count} {reason}" for reason, count in rejects.counts.items())
        details = "; ".join(sentences(rejects.counts, rejects.samples))
        raise UnreadableObject(
            f"nothing in {path} is readable ({reasons or 'it is empty'}){details and ': ' + details}"
        )


def _batches(
    path: str, stream: Iterable[bytes], form: RecordForm, kernel: Kernel, rejects: Rejects
) -> Iterator[tuple[list[Reading], int]]:
    if form.layout.format == "json":
        for piece, is_array in framing.pieces(stream, rejects.counts):
            yield decoders.decode(piece, is_array, form, rejects, kernel.newlines), len(piece)
        return
    if form.layout.format == "csv":
        rows = tables.csv_rows(stream, rejects)
    elif kernel.parquet_rows:
        rows = kernel.parquet_rows(path, stream)
    else:
        raise UnreadableObject(f"{path} is Parquet, which retraining reads and predict does not: write NDJSON or CSV")
    for batch in rows:
        yield (
            [reading for row in batch for reading in decoders.readings(row, form, rejects)],
            len(batch) * _ROW_BYTES,
        )


def _refuse(path: str, foreign: formats.Format, first: bytes, rest: Iterable[bytes], rejects: Rejects) -> None:
    """Count the records of another format.

    Raises:
        UnreadableObject: always.
    """
    size, lines = len(first), first.count(b"\n")
    for chunk in rest:
        size += len(chunk)
        lines += chunk.count(b"\n")
    rejects.add(FOREIGN_FORMAT, f"{foreign.name}, {size:,} bytes", max(lines, 1) if foreign.is_text else 1)
    raise UnreadableObject(
        f"nothing in {path} is readable: it is {foreign.name} ({size:,} bytes), not {foreign.expected}; "
        f"{foreign.remedy}"
    )


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest

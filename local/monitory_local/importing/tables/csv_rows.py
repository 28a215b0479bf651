"""CSV files in chunks of rows, whatever their encoding and delimiter; memory does not grow with the file."""

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO, cast

from monitory_local.importing.errors import ImportFault, Rejects

CHUNK_ROWS = 20_000
_SAMPLE_BYTES = 64 << 10
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file.

    Attributes:
        file: its name, for people.
        columns: its header.
        rows: as many fields each as there are columns, without blanks around them.
        lines: the line in the file at which each row ends.
    """

    file: str
    columns: list[str]
    rows: list[list[str]]
    lines: list[int]

    def column(self, name: str | None) -> list[str]:
        """The values of a column; empty ones where there is no such column."""
        if name is None:
            return [""] * len(self.rows)
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


@dataclass(frozen=True)
class Dialect:
    """How a file is written: its encoding and its delimiter."""

    encoding: str
    delimiter: str


def dialect(path: Path, delimiter: str | None = None, encoding: str | None = None) -> Dialect:
    """The encoding and the delimiter of a CSV file, where they are not given by its first bytes.

    Raises:
        ImportFault: it cannot be opened, is empty, or is no text.
    """
    with _opened(path) as file:
        head = file.read(_SAMPLE_BYTES)
    if not head.strip():
        raise ImportFault(f"{path} is empty")
    encoding = encoding or _encoding(path, head)
    first = head.decode(encoding, errors="ignore").lstrip("\r\n").partition("\n")[0]
    return Dialect(encoding, delimiter or max(_DELIMITERS, key=first.count))


def header(path: Path, form: Dialect) -> list[str]:
    """The column names of a CSV file.

    Raises:
        ImportFault: there is no header, or a name is given twice.
    """
    with _text(path, form) as text:
        names = [name.strip() for name in next(_rows(text, form), [])]
    return checked_header(str(path), names)


def checked_header(file: str, names: Sequence[str]) -> list[str]:
    """The names of a header, if they can be used.

    Raises:
        ImportFault: they are numbers, or a name is given twice.
    """
    if names and all(_is_number(name) for name in names if name):
        raise ImportFault(f"{file}: its first row is {', '.join(names[:4])} …, not names of columns: add a header row")
    for name in filter(None, names):
        if names.count(name) > 1:
            what = f"column {name!r} is there twice"
            raise ImportFault(f"{file}: {what}: rename one of them in the header row")
    return list(names)


def chunks(path: Path, form: Dialect, rejects: Rejects, size: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """A CSV file's rows below its header; rows of another width are counted as `bad_row`.

    Raises:
        ImportFault: the file has no usable header.
        OSError: it cannot be read.
    """
    columns = header(path, form)
    with _text(path, form) as text:
        reader = _rows(text, form)
        next(reader)
        rows: list[list[str]] = []
        lines: list[int] = []
        while True:
            try:
                row = next(reader)
            except StopIteration:
                break
            except csv.Error as exc:
                rejects.add("bad_row", f"{path.name} line {reader.line_num}: {exc}:")
                continue
            if not any(field.strip() for field in row):
                continue
            if len(row) != len(columns):
                sample = f"{path.name} line {reader.line_num}: {len(row)} fields, the header has {len(columns)};"
                rejects.add("bad_row", sample)
                continue
            rows.append([field.strip() for field in row])
            lines.append(reader.line_num)
            if len(rows) == size:
                yield Chunk(path.name, columns, rows, lines)
                rows, lines = [], []
        if rows:
            yield Chunk(path.name, columns, rows, lines)


def rows_without_header(path: Path, form: Dialect) -> Iterator[list[str]]:
    """Every row of a file that has no header; blank ones are left out."""
    with _text(path, form) as text:
        for row in _rows(text, form):
            if any(field.strip() for field in row):
                yield [field.strip() for field in row]


def _rows(text: TextIO, form: Dialect) -> "csv._reader":  # type: ignore[name-defined,unused-ignore]
    return csv.reader(text, delimiter=form.delimiter, skipinitialspace=True)


@contextmanager
def _text(path: Path, form: Dialect) -> Iterator[TextIO]:
    with _opened(path) as file, io.TextIOWrapper(file, form.encoding, newline="") as text:
        yield text


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            with cast(IO[bytes], gzip.GzipFile(fileobj=file)) if packed else file as content:
                yield content
    except (OSError, EOFError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
        raise ImportFault(f"{path}: {reason}") from exc


def _encoding(path: Path, head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" in head:
        raise ImportFault(f"{path} is no text file: export it as CSV")
    # a character may be cut in two at the end of the sample
    starts = [head[: len(head) - cut] for cut in range(4)]
    if any(_decodes(start, "utf-8") for start in starts):
        return "utf-8-sig"
    # strictly, since the superset that Windows writes takes nearly every Western text for Korean
    if any(_decodes(start, "euc_kr") for start in starts):
        return "cp949"
    return "cp1252" if _decodes(head, "cp1252") else "latin-1"


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        head.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

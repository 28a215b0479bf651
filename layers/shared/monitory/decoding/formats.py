"""Objects that are not JSON: gzip is unpacked, other formats are recognised by their first bytes."""

import re
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from monitory.decoding.rejects import TOO_LARGE, TRUNCATED, Rejects

MAX_UNPACKED_BYTES = 1 << 30
"""Read of a compressed object; uncompressed ones have at most half of it."""

_GZIP = b"\x1f\x8b\x08"
_UNPACK_BYTES = 1 << 20
_HEAD_BYTES = 1 << 12
_CONVERT = "convert it to NDJSON, one reading per line"
_SETTING = _CONVERT + ', or set "format": "{}" in the lake file (LAKE_FILE)'

_PARQUET = b"PAR1"
_MAGIC = (
    (b"Obj\x01", "Avro"),
    (b"ORC", "ORC"),
    (b"PK\x03\x04", "a ZIP archive (or XLSX)"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "XZ"),
    (b"\x04\x22\x4d\x18", "LZ4"),
    (b"\xff\x06\x00\x00sNaPpY", "Snappy"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"\x89HDF\r\n", "HDF5"),
    (b"\x1f\x8b", "gzip that is packed twice"),
    (b"<?xml", "XML"),
    (b"<", "XML or HTML"),
)
_NAME = r'"?[A-Za-z_][\w .()/-]*"?'
_CSV_HEADER = re.compile(rf"({_NAME})(?:([,;\t|]){_NAME})(?:\2{_NAME})*\r?(?:\n|\Z)")
_CSV_ROW = re.compile(r'"?[\w :.+-]*"?([,;\t|])"?[\w :.+-]*"?(?:\1"?[^{}\[\],;\t|]*"?)+\r?\n')


class Format(NamedTuple):
    """A format that is not the lake's: its name and remedy; `is_text` has one record per line; `expected` is
    the lake's."""

    name: str
    remedy: str
    is_text: bool = False
    expected: str = "JSON"


def unpacked(chunks: Iterable[bytes], rejects: Rejects) -> Iterator[bytes]:
    """An object's bytes, unpacked if they are gzip, whatever its name; several members are one stream.

    Bytes beyond `MAX_UNPACKED_BYTES` are dropped and counted, like a truncated or damaged end.
    """
    stream = iter(chunks)
    start = b""
    for chunk in stream:
        start += chunk
        if len(start) >= len(_GZIP):
            break
    if not start.startswith(_GZIP):
        if start:
            yield start
        yield from stream
        return
    yield from _gunzipped(start, stream, rejects)


def _gunzipped(start: bytes, stream: Iterator[bytes], rejects: Rejects) -> Iterator[bytes]:
    size = packed = 0
    member, is_open = zlib.decompressobj(wbits=31), False
    chunk: bytes | None = start
    try:
        while chunk is not None:
            packed += len(chunk)
            while chunk:
                out = member.decompress(chunk, _UNPACK_BYTES)
                is_open = not member.eof
                size += len(out)
                if size > MAX_UNPACKED_BYTES:
                    rejects.add(TOO_LARGE, f"what follows {MAX_UNPACKED_BYTES:,} bytes")
                    return
                if out:
                    yield out
                chunk = member.unconsumed_tail
                if member.eof:
                    chunk = member.unused_data.lstrip(b"\0")
                    member = zlib.decompressobj(wbits=31)
            chunk = next(stream, None)
        if is_open:
            if rest := member.flush():
                yield rest
            if not member.eof:
                rejects.add(TRUNCATED, f"after {packed:,} packed bytes")
    except zlib.error:
        rejects.add(TRUNCATED, f"damaged, {packed:,} packed bytes were read")


def recognised(head: bytes, expected: str = "json") -> Format | None:
    """The format of an object that is not the expected one (json, csv or parquet); None where it may be that."""
    if head.startswith(_PARQUET) and expected == "parquet":
        return None
    actual = _recognised(head)
    if expected == "json":
        return actual
    if actual is None and head.lstrip()[:1] in {b"{", b"["}:
        actual = Format("JSON", 'set "format": "json" in the lake file (LAKE_FILE)', is_text=True)
    if expected == "csv" and (actual is None or actual.name == "CSV"):
        return None
    actual = actual or Format("of an unknown format", "convert it to Parquet")
    return actual._replace(expected={"csv": "CSV", "parquet": "Parquet"}[expected])


def _recognised(head: bytes) -> Format | None:
    """The format of an object; None where it may be JSON."""
    if head.startswith(_PARQUET):
        return Format("Parquet", _SETTING.format("parquet") + ", which retraining reads and predict does not")
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return Format(name, _CONVERT)
    if (encoding := _utf16(head)) is not None:
        return Format(encoding, "write it as UTF-8", is_text=True)
    if head.lstrip()[:1] in {b"{", b"[", b""}:
        return None
    try:
        text = head[:_HEAD_BYTES].decode("utf-8", "ignore").lstrip("\ufeff \r\n")
    except UnicodeDecodeError:
        return None
    if _CSV_HEADER.match(text) or _CSV_ROW.match(text):
        return Format("CSV", _SETTING.format("csv"), is_text=True)
    return None


def _utf16(head: bytes) -> str | None:
    sample = head[:64]
    if len(sample) < 16:
        return None
    for zeros, name in ((sample[1::2], "UTF-16"), (sample[::2], "UTF-16")):
        if zeros.count(0) > 0.7 * len(zeros) and sample.count(0) < 0.8 * len(sample):
            return name
    return None

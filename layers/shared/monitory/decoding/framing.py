"""Cuts an object between its JSON values.

An object arrives in chunks that end anywhere. Its values may be lines, elements of arrays, concatenated, spread over
several lines, or a mixture. The pieces can be decoded one by one, in the memory of one chunk and one record, however
long a line is.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec

from monitory.decoding.scanning import spans

MAX_RECORD_BYTES = 1 << 20
"""Longer records are dropped and counted; a reading takes 250 bytes."""

TOO_LONG = "too_long"

_BOM = b"\xef\xbb\xbf"
BETWEEN = b", \t\r\n"
"""Separators of an array's elements."""

_FRAME = BETWEEN + b"[]"
_JOINT = re.compile(rb"\}(?:[, \t\r\n\[\]]|\xef\xbb\xbf)*+\{")
_NEXT_ELEMENT = re.compile(r",[ \t\r\n]*(?=\{)")
_AFTER_LONG_RECORD = re.compile(rb"\n|\}[, \t]*+(?=\{)")
_TAIL = 64
"""Bytes that usually hold the blank lines at the end of an object."""


def pieces(chunks: Iterable[bytes], rejected: Counter[str]) -> Iterator[tuple[bytes, bool]]:
    """Cut a stream of bytes between records: pieces, and whether their records are an array's elements.

    Args:
        chunks: an object's bytes, in pieces of any size.
        rejected: counts the records that are too long.
    """
    stream = iter(chunks)
    start = b""
    for chunk in stream:
        start += chunk
        if len(start) < len(_BOM):
            continue
        start = start.removeprefix(_BOM).lstrip()
        if start:
            break
    start = start.removeprefix(_BOM).lstrip()
    if start.startswith(b"[") and not _is_array_a_line(start):
        for piece in _elements(_and_then(start[1:], stream), rejected):
            yield piece, True
    else:
        for piece in _lines(_and_then(start, stream), rejected):
            yield piece, False


def lines(piece: bytes) -> Iterator[bytes]:
    """The non-blank lines of a piece."""
    return filter(bytes.strip, piece.split(b"\n"))


def has_lines(piece: bytes, count: int, newlines: Callable[[bytes, int], int]) -> bool:
    """Whether a piece has `count` non-blank lines; `newlines` as in `kernels.newlines`."""
    tail = piece[-_TAIL:]
    end = len(piece) - len(tail) + len(tail.rstrip())
    return newlines(piece, end) + 1 == count or sum(1 for _ in lines(piece)) == count


def as_array(piece: bytes) -> bytes:
    """A piece as one JSON array, if it holds objects only; otherwise invalid JSON."""
    return b"[" + _JOINT.sub(b"},{", piece.strip(_FRAME)) + b"]"


def values(piece: bytes) -> Iterator[bytes]:
    """The values in a piece; invalid JSON ends where the next record seems to begin."""
    for start, end, _ in spans(piece):
        yield piece[start:end]


def has_long_line(piece: bytes) -> bool:
    """Whether a line of a piece is longer than `MAX_RECORD_BYTES` and not certainly several records."""
    at = 0
    while len(piece) - at > MAX_RECORD_BYTES:
        end = at + MAX_RECORD_BYTES + 1
        at = max(piece.rfind(b"\n", at, end), piece.rfind(b"}{", at, end)) + 1
        if not at:
            return True
    return False


def _is_array_a_line(start: bytes) -> bool:
    """Whether the first line is a whole array, so that others may follow."""
    line, newline, _ = start.partition(b"\n")
    return bool(newline) and line.rstrip().endswith(b"]")


def _and_then(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _lines(chunks: Iterable[bytes], rejected: Counter[str]) -> Iterator[bytes]:
    rest = b""
    skipping = False
    for chunk in chunks:
        buffer = rest + chunk if rest else chunk
        if skipping:
            following = _AFTER_LONG_RECORD.search(buffer)
            skipping = not following
            buffer = buffer[following.end() :] if following else buffer[-1:]
        if skipping:
            rest = buffer
            continue
        end = _line_cut(buffer)
        if end:
            yield buffer[:end]
        rest = buffer[end:]
        if len(rest) > MAX_RECORD_BYTES and (end := _value_cut(rest)):
            yield rest[:end]
            rest = rest[end:]
        if len(rest) > MAX_RECORD_BYTES:
            rejected[TOO_LONG] += 1
            skipping, rest = True, b""
    if rest.strip() and not skipping:
        yield rest


def _line_cut(buffer: bytes) -> int:
    """The start of a line at which no value is open; 0 for none."""
    if start := _last_line(buffer):
        end = buffer.find(b"\n", start) + 1
        line = buffer[start:end]
        if not end or line.count(b"{") != line.count(b"}") or line.count(b"[") != line.count(b"]"):
            return start
        return end if buffer[end:].strip() else len(buffer)
    if buffer[:_TAIL].lstrip()[:1] in {b"{", b"["}:  # a value over several lines may be unfinished
        return buffer.rfind(b"}{") + 1 if len(buffer) > MAX_RECORD_BYTES else 0
    return buffer.rfind(b"\n") + 1


def _last_line(buffer: bytes) -> int:
    """The start of the last line that begins with a bracket; 0 for none but the first."""
    at = len(buffer)
    for _ in range(_TAIL):  # usually one of the last lines, without a search through the whole buffer
        at = buffer.rfind(b"\n", 0, at)
        if at < 0:
            return 0
        if buffer[at + 1 : at + 2] in {b"{", b"["}:
            return at + 1
    return max(buffer.rfind(b"\n{"), buffer.rfind(b"\n[")) + 1


def _value_cut(buffer: bytes) -> int:
    """The end of the last complete value and its separators; 0 for none."""
    end = 0
    for start, at, open_ended in spans(buffer):
        if open_ended:
            return end and start
        end = at
    return end and len(buffer)


def _elements(chunks: Iterable[bytes], rejected: Counter[str]) -> Iterator[bytes]:
    rest = b""
    skipping = False
    for chunk in chunks:
        buffer = rest + chunk if rest else chunk
        if skipping:
            following = _NEXT_ELEMENT.search(buffer.decode("latin-1"))
            skipping = not following
            # a separator may lie across two chunks
            buffer = buffer[following.end() :] if following else buffer[-MAX_RECORD_BYTES:]
        cut = 0 if skipping else _cut(buffer)
        if cut:
            yield buffer[:cut]
        rest = buffer[cut:]
        if len(rest) > MAX_RECORD_BYTES and not skipping:
            rejected[TOO_LONG] += 1
            skipping = True
    rest = rest.rstrip().removesuffix(b"]")
    if rest.strip(BETWEEN) and not skipping:
        yield rest


def _cut(buffer: bytes) -> int:
    """The start of the element that may continue in the next chunk; 0 where it is the first one."""
    last = buffer.rfind(b"{")
    if buffer[:last].rstrip().endswith(b",") and _is_array(buffer[:last]):
        return last
    unfinished = next((start for start, _, open_ended in spans(buffer) if open_ended), None)
    return len(buffer) if unfinished is None else unfinished


def _is_array(elements_of_it: bytes) -> bool:
    try:
        msgspec.json.decode(b"[" + elements_of_it.strip(BETWEEN) + b"]", type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True

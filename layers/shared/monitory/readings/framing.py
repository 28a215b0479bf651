"""Where a record of the lake ends and the next one begins: NDJSON lines, or the elements of a JSON array.

An object comes in chunks that end anywhere. What is cut here can be decoded piece by piece, and memory is that of
one chunk and one record, however long a line somebody wrote.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec

MAX_RECORD_BYTES = 1 << 20
"""A longer record is dropped and counted: what a reading needs is 250 bytes."""

TOO_LONG = "too_long"

_BOM = b"\xef\xbb\xbf"
BETWEEN = b", \t\r\n"
"""What stands between the elements of an array."""

_NEXT_ELEMENT = re.compile(r",[ \t\r\n]*(?=\{)")
_SEPARATORS = re.compile(f"[{BETWEEN.decode()}]*")
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
_ANY_JSON = json.JSONDecoder(strict=False, parse_int=str)  # long numbers are no errors here
_WINDOW = 512
_TAIL = 64
"""Bytes in which the blank lines at the end of an object usually lie."""

_MANY_LEVELS = 300
"""Fewer than the parser goes down before it gives up."""


def pieces(chunks: Iterable[bytes], rejected: Counter[str]) -> Iterator[tuple[bytes, bool]]:
    """Cut a stream of bytes between records; says of each piece whether its records are an array's elements.

    Args:
        chunks: an object's bytes, in pieces of any size.
        rejected: where records that are too long are counted.
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
    if start.startswith(b"["):
        for piece in _elements(_and_then(start[1:], stream), rejected):
            yield piece, True
    else:
        for piece in _lines(_and_then(start, stream), rejected):
            yield piece, False


def lines(piece: bytes) -> Iterator[bytes]:
    """The lines of a piece that aren't blank."""
    return filter(bytes.strip, piece.split(b"\n"))


def has_lines(piece: bytes, count: int, newlines: Callable[[bytes, int], int]) -> bool:
    """Whether a piece has so many lines that aren't blank; `newlines` as in `kernel.newlines`."""
    tail = piece[-_TAIL:]
    end = len(piece) - len(tail) + len(tail.rstrip())
    return newlines(piece, end) + 1 == count or sum(1 for _ in lines(piece)) == count


def elements(piece: bytes) -> Iterator[bytes]:
    """The elements of a piece of an array. What is no JSON ends where the next object seems to begin."""
    for start, end, _ in _spans(piece):
        yield piece[start:end]


def has_long_line(piece: bytes) -> bool:
    """Whether a line of a piece is longer than a record may be."""
    at = 0
    while len(piece) - at > MAX_RECORD_BYTES:
        at = piece.rfind(b"\n", at, at + MAX_RECORD_BYTES + 1) + 1
        if not at:
            return True
    return False


def _and_then(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _lines(chunks: Iterable[bytes], rejected: Counter[str]) -> Iterator[bytes]:
    rest = b""
    skipping = False
    for chunk in chunks:
        buffer = rest + chunk if rest else chunk
        if skipping:
            end = buffer.find(b"\n") + 1
            skipping = not end
            buffer = buffer[end:] if end else b""
        end = buffer.rfind(b"\n") + 1
        if end:
            yield buffer[:end]
        rest = buffer[end:]
        if len(rest) > MAX_RECORD_BYTES:
            rejected[TOO_LONG] += 1
            skipping, rest = True, b""
    if rest.strip():
        yield rest


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
    """Where the last element begins that may go on in the next chunk; 0 where the first one does already."""
    last = buffer.rfind(b"{")
    if buffer[:last].rstrip().endswith(b",") and _is_array(buffer[:last]):
        return last
    spans = list(_spans(buffer))
    unfinished = next((start for start, _, open_ended in spans if open_ended), None)
    return len(buffer) if unfinished is None else unfinished


def _is_array(elements_of_it: bytes) -> bool:
    try:
        msgspec.json.decode(b"[" + elements_of_it.strip(BETWEEN) + b"]", type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _spans(piece: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where each element begins and ends, and whether it may go on after the piece."""
    text = piece.decode("latin-1")  # a character per byte; what structures JSON is ASCII
    broken: dict[int, bool] = {}  # brackets at which no value begins, and whether one may after the piece
    at = _skip(text, 0)
    while at < len(text):
        open_ended = broken.pop(at, None)
        is_value = False
        if open_ended is None:
            end, is_value, open_ended = _value(text, at)
            if not is_value and _NEXT_ELEMENT.search(text, at + 1, end):
                broken |= dict.fromkeys(_open_brackets(text, at, end), open_ended)
        if not is_value:
            following = _NEXT_ELEMENT.search(text, at + 1)
            end = following.start() if following else len(text)
            open_ended = open_ended or following is None
        yield at, end, open_ended
        at = _skip(text, end)


def _value(text: str, at: int) -> tuple[int, bool, bool]:
    """Where parsing the JSON value at a place ends, whether it is one, and whether it may go on after the text.

    Seen through a window that grows: an error counts all lines before it, which would be those of the whole text.
    """
    size = _WINDOW
    while True:
        window = text[at : at + size]
        is_last = at + len(window) == len(text)
        near_its_end = len(window) - len("-Infinity")
        try:
            _, end = _ANY_JSON.raw_decode(window)
            if is_last or end < near_its_end:
                return at + end, True, is_last and end == len(window)
        except json.JSONDecodeError as exc:
            open_ended = exc.msg.startswith("Unterminated") or exc.pos > near_its_end
            if is_last or not open_ended:
                return at + exc.pos, False, open_ended
        except RecursionError:
            return len(text), False, False
        size *= 4


def _open_brackets(text: str, start: int, end: int) -> list[int]:
    """Which brackets after `start` are still open at `end`, `_MANY_LEVELS` at most.

    The value that begins at any of them fails where the whole failed. Without this knowledge each would be parsed up to
    there again, and hours would go by over a few megabytes of brackets.
    """
    opened: list[int] = []
    for token in _STRUCTURE.finditer(text, start, end):
        if token[0] in "[{":
            opened.append(token.start())
            if len(opened) == _MANY_LEVELS:
                break
        elif opened and token[0] in "]}":
            opened.pop()
    return opened[1:]


def _skip(text: str, at: int) -> int:
    found = _SEPARATORS.match(text, at)
    return found.end() if found else at

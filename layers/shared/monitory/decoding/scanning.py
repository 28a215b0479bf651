"""Where each JSON value of a text begins and ends, in one pass, whatever is broken in it."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

_NEXT_RECORD = re.compile(r"[},\]][ \t\r\n]*+(?=\{)|\n[ \t\r]*+(?=[\[{])")
_NEXT_RECORD_OR_LINE = re.compile(rf"{_NEXT_RECORD.pattern}|\n")
_LINE_OF_A_RECORD = re.compile(r"\n(?=[\[{])|\Z")
_SEPARATORS = re.compile(r"(?:[, \t\r\n\]]|\[(?=[ \t\r\n]*(?:[{\]]|\Z))|\xef\xbb\xbf)*+")
_AFTER_SCALAR = re.compile(r"[ \t\r]*(?:\Z|[\n\[\]{]|,\s*(?:\Z|[\[\]{]))")
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
_ANY_JSON = json.JSONDecoder(parse_int=str)  # long numbers are no errors here
_ANY_CHARACTERS = json.JSONDecoder(strict=False, parse_int=str)
_WINDOW = 512

_MANY_LEVELS = 300
"""Fewer than the parser goes down before it gives up."""


def spans(piece: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where each value begins and ends, and whether it may go on after the piece. Brackets of arrays only separate."""
    text = piece.decode("latin-1")  # a character per byte; what structures JSON is ASCII
    broken: dict[int, bool] = {}  # brackets at which no value begins, and whether one may after the piece
    at = _skip(text, 0)
    limit = -1  # where a value ends at the latest: before a line that begins with a bracket
    while at < len(text):
        if limit <= at and (line := _LINE_OF_A_RECORD.search(text, at)):
            limit = line.start()
        known = broken.pop(at, None)
        parsed = _Parsed(at, False, known) if known is not None else _parsed(text, at, limit)
        if parsed.is_value and parsed.is_frame:
            at = _skip(text, at + 1)
            continue
        end, open_ended = parsed.end, parsed.open_ended
        if not parsed.is_value:
            if known is None and _NEXT_RECORD.search(text, at + 1, end):
                broken |= dict.fromkeys(_open_brackets(text, at, end), open_ended)
            next_one = _NEXT_RECORD if text[at] in "{[" else _NEXT_RECORD_OR_LINE
            following = next_one.search(text, at + 1)
            end = following.start() + (text[following.start()] in "}]") if following else len(text)
            open_ended = open_ended or following is None
        yield at, end, open_ended
        at = _skip(text, end)


class _Parsed(NamedTuple):
    """Where parsing a JSON value ends, whether it is one, and whether it may go on after the text.

    `is_frame`: it is an array that holds objects or arrays, so its elements are what counts.
    """

    end: int
    is_value: bool
    open_ended: bool
    is_frame: bool = False


def _parsed(text: str, at: int, limit: int) -> _Parsed:
    """Parse the JSON value at a place, up to a limit.

    Seen through a window that grows: an error counts all lines before it, which would be those of the whole text.
    """
    size = _WINDOW
    while True:
        window = text[at : min(at + size, limit)]
        is_last = at + len(window) == limit
        near_its_end = len(window) - len("-Infinity")
        try:
            value, end = _ANY_JSON.raw_decode(window)
            if is_last or end < near_its_end:
                return _checked(text, at, at + end, value, at + end == len(text))
        except json.JSONDecodeError as exc:
            if exc.msg.startswith("Invalid control character") and window[exc.pos] not in "\r\n":
                return _parsed_line(text, at, limit)
            open_ended = exc.msg.startswith("Unterminated") or exc.pos > near_its_end
            if is_last or not open_ended:
                return _Parsed(at + exc.pos, False, open_ended and limit == len(text))
        except RecursionError:
            return _Parsed(len(text), False, False)
        size *= 4


def _parsed_line(text: str, at: int, limit: int) -> _Parsed:
    """Parse the value at a place whose strings hold control characters; it ends with its line."""
    newline = text.find("\n", at, limit)
    line = text[at : newline if newline >= 0 else limit]
    is_last = at + len(line) == len(text)
    try:
        value, end = _ANY_CHARACTERS.raw_decode(line)
    except json.JSONDecodeError as exc:
        return _Parsed(at + exc.pos, False, is_last and exc.msg.startswith("Unterminated"))
    except RecursionError:
        return _Parsed(len(text), False, False)
    return _checked(text, at, at + end, value, is_last and end == len(line))


def _checked(text: str, at: int, end: int, value: object, open_ended: bool) -> _Parsed:
    """A value that was parsed; a number or word is none where it only begins a line of something else."""
    if isinstance(value, list):
        return _Parsed(end, True, open_ended, any(isinstance(element, dict | list) for element in value))
    if not isinstance(value, dict) and not _AFTER_SCALAR.match(text, end):
        return _Parsed(at, False, False)
    return _Parsed(end, True, open_ended)


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
    match = _SEPARATORS.match(text, at)
    return match.end() if match else at

"""Finds the start and end of each JSON value in a text, in one pass, whatever is broken in it."""

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

_MANY_LEVELS = 500
"""Less than the depth at which the parser gives up."""


def spans(piece: bytes) -> Iterator[tuple[int, int, bool]]:
    """Each value's start, end, and whether it may continue after the piece; brackets of arrays are separators."""
    text = piece.decode("latin-1")  # one character per byte; the structure of JSON is ASCII
    broken: dict[int, bool] = {}  # brackets at which no value starts, and whether one may be cut off
    at = _skip(text, 0)
    limit = -1  # a value ends before the next line that begins with a bracket
    while at < len(text):
        if limit <= at and (line := _LINE_OF_A_RECORD.search(text, at)):
            limit = line.start()
        is_cut_off = broken.pop(at, None)
        parsed = _Parsed(at, False, is_cut_off) if is_cut_off is not None else _parsed(text, at, limit)
        if parsed.is_value and parsed.is_frame:
            at = _skip(text, at + 1)
            continue
        end, open_ended = parsed.end, parsed.open_ended
        if not parsed.is_value:
            if is_cut_off is None and _NEXT_RECORD.search(text, at + 1, end):
                most = _MANY_LEVELS if parsed.is_too_deep else len(text)
                broken |= dict.fromkeys(_open_brackets(text, at, end, most), open_ended)
            next_one = _NEXT_RECORD if text[at] in "{[" else _NEXT_RECORD_OR_LINE
            following = next_one.search(text, at + 1)
            end = following.start() + (text[following.start()] in "}]") if following else len(text)
            open_ended = open_ended or following is None
        yield at, end, open_ended
        at = _skip(text, end)


class _Parsed(NamedTuple):
    """The end of a parsed JSON value, whether it is one, and whether it may continue after the text.

    `is_frame`: it is an array of objects or arrays, whose elements are the records. `is_too_deep`: the parser gave up,
    so what begins deeper in it may be a value.
    """

    end: int
    is_value: bool
    open_ended: bool
    is_frame: bool = False
    is_too_deep: bool = False


def _parsed(text: str, at: int, limit: int) -> _Parsed:
    """Parse the JSON value at `at`, up to a limit.

    It sees a growing window: the decoder counts all lines before an error, which in the whole text takes long.
    """
    size = _WINDOW
    while True:
        window = text[at : min(at + size, limit)]
        is_last = at + len(window) == limit
        near_its_end = len(window) - len("-Infinity")
        try:
            value, end = _ANY_JSON.raw_decode(window)
            if is_last or end < near_its_end:
                return _result(text, at, at + end, value, at + end == len(text))
        except json.JSONDecodeError as exc:
            if exc.msg.startswith("Invalid control character") and window[exc.pos] not in "\r\n":
                return _parsed_line(text, at, limit)
            open_ended = exc.msg.startswith("Unterminated") or exc.pos > near_its_end
            if is_last or not open_ended:
                return _Parsed(at + exc.pos, False, open_ended and limit == len(text))
        except RecursionError:
            return _Parsed(len(text), False, False, is_too_deep=True)
        size *= 4


def _parsed_line(text: str, at: int, limit: int) -> _Parsed:
    """Parse the value at `at`, whose strings hold control characters; it ends with its line."""
    newline = text.find("\n", at, limit)
    line = text[at : newline if newline >= 0 else limit]
    is_last = at + len(line) == len(text)
    try:
        value, end = _ANY_CHARACTERS.raw_decode(line)
    except json.JSONDecodeError as exc:
        return _Parsed(at + exc.pos, False, is_last and exc.msg.startswith("Unterminated"))
    except RecursionError:
        return _Parsed(len(text), False, False, is_too_deep=True)
    return _result(text, at, at + end, value, is_last and end == len(line))


def _result(text: str, at: int, end: int, value: object, open_ended: bool) -> _Parsed:
    """The result for a parsed value; a number or word that other text follows is none."""
    if isinstance(value, list):
        return _Parsed(end, True, open_ended, any(isinstance(element, dict | list) for element in value))
    if not isinstance(value, dict) and not _AFTER_SCALAR.match(text, end):
        return _Parsed(at, False, False)
    return _Parsed(end, True, open_ended)


def _open_brackets(text: str, start: int, end: int, most: int) -> list[int]:
    """The brackets after `start` that are still open at `end`, the first `most` of them.

    A value that starts at any of them fails where the whole failed. Parsing each again would take hours for a few
    megabytes of brackets.
    """
    opened: list[int] = []
    for token in _STRUCTURE.finditer(text, start, end):
        if token[0] in "[{":
            opened.append(token.start())
            if len(opened) == most:
                break
        elif opened and token[0] in "]}":
            opened.pop()
    return opened[1:]


def _skip(text: str, at: int) -> int:
    match = _SEPARATORS.match(text, at)
    return match.end() if match else at

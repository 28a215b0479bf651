"""A listing that one odd key does not end.

The client parses each key into a path and gives up a whole page on which one cannot be parsed (`a//b`, `a/../b`, a
control character). Anybody who writes into a lake can write such a key, and every night's run would end at it until it
has left the window. The client offers no listing of plain keys, so the key is taken from the text of its error, here
and nowhere else, and the listing goes on behind it.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import InvalidPathError
from obstore.store import S3Store

from monitory.storage.port import Entry

if TYPE_CHECKING:
    from obstore import ObjectMeta

_FAULT = re.compile(r"(?<=/)(?:\.{1,2}(?=/|\Z)|/)|[\x00-\x1f\x7f]")
"""What the client can't parse in a key: '.', '..' or nothing between slashes, and control characters."""

_MAX_FAULTS = 100
"""So many keys that can't be parsed are passed by in one folder."""

_NEVER = datetime.min.replace(tzinfo=UTC)


def walk(store: S3Store, folder: str, hidden: list[str], after: str = "") -> Iterator[Entry]:
    """What lies under a folder after a key.

    The client gives up a page with a key on it that it can't parse. Then the folders in the folder are listed one
    by one, so that only the one that directly holds such a key isn't seen whole.
    """
    try:
        for page in obstore.list(store, folder, offset=after or None, chunk_size=1000):
            for meta in page:
                yield _entry(meta)
                after = meta["path"]
        return
    except InvalidPathError as exc:
        error = exc
    try:
        level = obstore.list_with_delimiter(store, folder)
    except InvalidPathError:
        yield from _past(store, folder, after, error, hidden)
        return
    found = {meta["path"]: meta for meta in level["objects"]}
    for name in sorted([*found, *(f"{path}/" for path in level["common_prefixes"])]):
        if name in found:
            if name > after:
                yield _entry(found[name])
        elif name > after or after.startswith(name):
            yield from walk(store, name[:-1], hidden, after if after.startswith(name) else "")


def _past(store: S3Store, folder: str, after: str, error: InvalidPathError, hidden: list[str]) -> Iterator[Entry]:
    """What lies behind each key that can't be parsed, in a folder that directly holds one."""
    for _ in range(_MAX_FAULTS):
        key = _key_in(error)
        behind = _behind(key)
        if not key.startswith(f"{folder}/") or behind <= after:
            raise error
        fault = "it has an empty name, '.' or '..' between slashes, or a control character"
        if key[len(folder) + 1 :].partition("/")[0] not in {"", ".", ".."}:
            hidden.append(folder)
            fault += ", and hides what comes before it"
        yield Entry(key, "", 0, _NEVER, fault)
        after = behind
        try:
            for page in obstore.list(store, folder, offset=after, chunk_size=1000):
                for meta in page:
                    yield _entry(meta)
                    after = meta["path"]
            return
        except InvalidPathError as exc:
            error = exc
    hidden.append(folder)


def _entry(meta: "ObjectMeta") -> Entry:
    return Entry(meta["path"], meta["e_tag"] or "", meta["size"], meta["last_modified"])


def _key_in(error: InvalidPathError) -> str:
    """The key that the client's text names."""
    text = str(error).partition("\n\nDebug source:")[0]
    found = re.search(r'Path "(.*)"(?: contained empty path segment|: Encountered illegal)', text, re.DOTALL)
    return found[1] if found else ""


def _behind(key: str) -> str:
    """A key that can be parsed, behind a key that can't and all that begin like it.

    >>> _behind("a/b//c"), _behind("a/../c"), _behind("a/b\\nc")
    ('a/b/0', 'a/0', 'a/b ')
    """
    fault = _FAULT.search(key)
    if not fault:
        return ""
    if fault[0][0] in "./":
        return key[: fault.start()] + "0"  # the first name that begins with a digit or a letter
    return key[: fault.start()] + (" " if fault[0] < " " else "\x80")

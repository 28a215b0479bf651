"""Listing a folder in spite of malformed keys.

The client parses each key into a path and gives up a whole page if one cannot be parsed (`a//b`, `a/../b`, a control
character). Any writer of a lake can create such a key, and every night's run would fail until it leaves the window. The
client cannot list plain keys, so the key is taken from the text of its error, here and nowhere else, and the listing
continues behind it.
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
"""The parts of a key that the client cannot parse: '.', '..' or nothing between slashes, and control characters."""

_MAX_FAULTS = 100
"""Malformed keys that are skipped in one folder."""

_NEVER = datetime.min.replace(tzinfo=UTC)


def walk(store: S3Store, folder: str, hidden: list[str], after: str = "") -> Iterator[Entry]:
    """The entries under a folder after a key; `hidden` receives the folders with gaps.

    Where the client gives up a page, the subfolders are listed one by one, so that only the folder directly above
    the malformed key may have a gap.
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
        yield from _skip_malformed(store, folder, after, error, hidden)
        return
    objects = {meta["path"]: meta for meta in level["objects"]}
    for name in sorted([*objects, *(f"{path}/" for path in level["common_prefixes"])]):
        if name in objects:
            if name > after:
                yield _entry(objects[name])
        elif name > after or after.startswith(name):
            yield from walk(store, name[:-1], hidden, after if after.startswith(name) else "")


def _skip_malformed(
    store: S3Store, folder: str, after: str, error: InvalidPathError, hidden: list[str]
) -> Iterator[Entry]:
    """The entries behind each malformed key, in the folder directly above it."""
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
    """The key in the client's error text; empty where there is none."""
    text = str(error).partition("\n\nDebug source:")[0]
    match = re.search(r'Path "(.*)"(?: contained empty path segment|: Encountered illegal)', text, re.DOTALL)
    return match[1] if match else ""


def _behind(key: str) -> str:
    """A well-formed key behind a malformed one and all with the same beginning.

    >>> _behind("a/b//c"), _behind("a/../c"), _behind("a/b\\nc")
    ('a/b/0', 'a/0', 'a/b ')
    """
    fault = _FAULT.search(key)
    if not fault:
        return ""
    if fault[0][0] in "./":
        return key[: fault.start()] + "0"  # the first name that begins with a digit or a letter
    return key[: fault.start()] + (" " if fault[0] < " " else "\x80")

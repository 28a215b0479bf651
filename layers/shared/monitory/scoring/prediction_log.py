"""The prediction log: what was predicted of each machine and hour, once and for ever.

    predictions/date=<YYYY-MM-DD>/hour=<HH>/<hour>-<lake>.ndjson.gz

One object an hour of readings of a lake, which its fingerprint names; one line a machine: the answer and `scored_at`.
A line is never replaced: a machine that is in the object already is left out, so that runs which meet or repeat each
other neither lose nor double any.
"""

import gzip
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import date

import msgspec

from monitory import clock
from monitory.errors import UNDECODABLE, ObjectNotFound, PreconditionFailed, StorageError, StorageUnavailable
from monitory.machine import Machine
from monitory.storage.port import Storage

FOLDER = "predictions"
_TRIES = 5


class LogLine(msgspec.Struct, frozen=True):
    """The machine of a line; readers add the fields of the answer that they need."""

    zone_id: str = msgspec.field(name="zoneId")
    equip_id: str = msgspec.field(name="equipId")

    @property
    def machine(self) -> Machine:
        """The machine that it is about."""
        return Machine(self.zone_id, self.equip_id)


def key(lake: str, hour: int) -> str:
    """Where the lines of an hour (see `clock`) of a lake lie."""
    start = clock.hour_start(hour)
    return f"{FOLDER}/date={start:%Y-%m-%d}/hour={start:%H}/{hour}-{lake}.ndjson.gz"


def hours_of(storage: Storage, lake: str, day: date) -> list[int]:
    """The hours of a date that have lines of a lake, given by its fingerprint, ascending; by one listing.

    Raises:
        StorageUnavailable: the store failed.
    """
    names = (entry.key.rpartition("/")[2].partition(".")[0] for entry in storage.list(f"{FOLDER}/date={day}"))
    hours = (name.removesuffix(f"-{lake}") for name in names)
    return sorted(int(hour) for hour in hours if hour.isdecimal())


def read(storage: Storage, lake: str, hour: int) -> list[bytes]:
    """The lines of an hour of a lake, given by its fingerprint; none where there is no object.

    Raises:
        StorageUnavailable: the store failed.
        StorageError: the object is damaged.
    """
    path = key(lake, hour)
    try:
        return _lines(storage, path, storage.get(path).body)
    except ObjectNotFound:
        return []


def add(storage: Storage, lake: str, hour: int, lines: Mapping[Machine, bytes]) -> int:
    """Add the lines of machines that a lake's log does not have for an hour; returns how many these are.

    Raises:
        StorageUnavailable: the store failed, or other writers were faster every time.
        StorageError: the object is damaged; writing over it would lose lines.
    """
    path = key(lake, hour)
    for _ in range(_TRIES):
        try:
            blob = storage.get(path)
            present, etag = _lines(storage, path, blob.body), blob.etag
        except ObjectNotFound:
            present, etag = [], None
        logged = {_owner(storage, path, line) for line in present}
        fresh = [lines[machine] for machine in sorted(lines) if machine not in logged]
        if not fresh:
            return 0
        body = gzip.compress(b"".join(line + b"\n" for line in (*present, *fresh)), compresslevel=6, mtime=0)
        with suppress(PreconditionFailed):
            storage.put(path, body, content_type="application/gzip", replaces=etag, create=etag is None)
            return len(fresh)
    raise StorageUnavailable(f"s3://{storage.name}/{path} changes whenever it is about to be written")


def _lines(storage: Storage, path: str, body: bytes) -> list[bytes]:
    try:
        return gzip.decompress(body).splitlines()
    except (OSError, EOFError, zlib.error) as exc:
        raise _damaged(storage, path, exc) from exc


def _owner(storage: Storage, path: str, line: bytes) -> Machine:
    try:
        return msgspec.json.decode(line, type=LogLine).machine
    except UNDECODABLE as exc:
        raise _damaged(storage, path, exc) from exc


def _damaged(storage: Storage, path: str, exc: Exception) -> StorageError:
    return StorageError(
        f"s3://{storage.name}/{path} is damaged ({exc}): bring back an earlier version of it, or delete it"
    )

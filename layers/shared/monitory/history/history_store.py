"""Machines' recent hour rows in the model bucket: one object a machine, whoever computes them.

    cache/recent/<feature schema>-<sensor set>-<lake>/<zoneId>/<equipId>.msgpack

One object a machine and not one a zone: whoever predicts reads 60 KB instead of a zone's megabytes, and two writers
meet only where they work on the same machine. Version 1.0 did not name the lake: what it stored is read where the lake
is as that version knew it. Keys and ETags then tell whether it is of this lake.
"""

from typing import NamedTuple

import msgspec

from monitory.errors import UNDECODABLE, ObjectNotFound, StorageError
from monitory.features import hour_row, vector
from monitory.history.stored_history import MAX_CACHE_BYTES, NEVER, CachedHistory, decode
from monitory.lake import Lake
from monitory.log import Logger
from monitory.machine import Machine
from monitory.storage.port import Storage

FOLDER = "cache/recent"


class StoredHistory(NamedTuple):
    """A stored history and the ETag of the object that holds it; None where no object does."""

    etag: str | None = None
    history: CachedHistory = CachedHistory()


class HistoryStore:
    """Reads and writes the recent hour rows of machines."""

    def __init__(self, storage: Storage, lake: Lake, log: Logger) -> None:
        """The rows of a lake, in a bucket."""
        self._storage = storage
        self._log = log
        self._former_folder = f"{FOLDER}/{vector.SCHEMA}-{lake.sensors.fingerprint()}"
        self._folder = f"{self._former_folder}-{lake.fingerprint()}"
        self._has_former = lake.layout.is_default
        self._width = len(hour_row.Columns(lake.sensors))

    def read(self, machine: Machine) -> StoredHistory:
        """What is stored of a machine; empty where nothing usable is.

        Raises:
            StorageUnavailable: the store failed.
        """
        try:
            return self.read_if_changed(machine, None) or StoredHistory()
        except ObjectNotFound:
            return StoredHistory(None, self.former(machine))

    def former(self, machine: Machine) -> CachedHistory:
        """What version 1.0 stored of a machine, its days as if they had never been listed; empty without."""
        if not self._has_former:
            return CachedHistory()
        try:
            history = decode(self._storage.get(self._key(machine, self._former_folder)).body, self._width)
        except (StorageError, *UNDECODABLE, ValueError):
            return CachedHistory()
        return CachedHistory(tuple(msgspec.structs.replace(day, listed=NEVER) for day in history.days))

    def read_if_changed(self, machine: Machine, etag: str | None) -> StoredHistory | None:
        """What is stored of a machine, empty where it is damaged; None while the object's ETag is still `etag`.

        Raises:
            ObjectNotFound: nothing is stored.
            StorageUnavailable: the store failed.
        """
        blob = self._storage.get_if_changed(self._key(machine), etag)
        if blob is None:
            return None
        try:
            return StoredHistory(blob.etag, decode(blob.body, self._width))
        except (*UNDECODABLE, ValueError) as exc:
            self._log.warning("the cached history of %s is damaged and will be replaced: %s", machine, exc)
            return StoredHistory(blob.etag)

    def write(self, machine: Machine, etag: str | None, history: CachedHistory) -> StoredHistory:
        """Replace what is stored, on condition that the object still has an ETag; None: that there is none.

        A history that is too large to be read again is not stored.

        Raises:
            PreconditionFailed: another writer was first.
            StorageUnavailable: the store failed.
        """
        body = msgspec.msgpack.encode(history)
        if len(body) > MAX_CACHE_BYTES:
            self._log.warning("the history of %s is not cached: it has %s bytes", machine, f"{len(body):,}")
            return StoredHistory(etag, history)
        written = self._storage.put(
            self._key(machine), body, content_type="application/vnd.msgpack", replaces=etag, create=etag is None
        )
        return StoredHistory(written, history)

    def _key(self, machine: Machine, folder: str = "") -> str:
        return f"{folder or self._folder}/{machine.zone_id}/{machine.equip_id}.msgpack"

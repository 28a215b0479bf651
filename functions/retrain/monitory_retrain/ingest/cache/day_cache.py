"""The cache of finished days in the model bucket.

    cache/hour-rows/<feature schema>-<sensor set>-<lake>/<YYYY-MM-DD>.parquet

holds a day's hour rows and the (key, ETag) of their objects. Version 1.0 did not name the lake: what it stored is read
where the lake is as that version knew it. Keys and ETags then tell whether it is of this lake.

    cache/backfill/<feature schema>-<sensor set>-<lake>/<YYYY-MM-DD>/<batch>.parquet

is a *piece*: the same of some machines of a day. Batches of a backfill write theirs side by side. Pieces count with
their day until the day is stored after them.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import NamedTuple

from monitory.errors import ObjectNotFound, StorageUnavailable
from monitory.features import hour_row, vector
from monitory.lake import Lake
from monitory.log import Logger
from monitory.storage.port import Entry, Storage
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest.cache import parquet_cache
from monitory_retrain.ingest.cache.cached_day import CachedDay, piece_together

FOLDER = "cache/hour-rows"
PIECES = "cache/backfill"


class StoredDay(NamedTuple):
    """The object in which a day's rows are stored."""

    key: str
    etag: str


class _Stored(NamedTuple):
    """What an object holds, and when it was written."""

    content: CachedDay
    modified: datetime


class DayCache:
    """Reads and writes the hour rows of whole days."""

    def __init__(self, storage: Storage, lake: Lake, log: Logger) -> None:
        """The cache of a lake in a bucket."""
        self.columns: Sequence[str] = hour_row.Columns(lake.sensors).names
        self._storage = storage
        self._log = log
        self._former_folder = f"{FOLDER}/{vector.SCHEMA}-{lake.sensors.fingerprint()}"
        self._folder = f"{self._former_folder}-{lake.fingerprint()}"
        self._has_former = lake.layout.is_default
        self._pieces_folder = self._folder.replace(FOLDER, PIECES)
        self._empty = CachedDay(hour_table.join([], len(self.columns)))

    def read(self, day: date, since: datetime | None = None, pieces: Sequence[Entry] = ()) -> CachedDay:
        """A day; empty where nothing usable is stored, or nothing since a time, aware.

        Args:
            day: which.
            since: what was stored before does not count.
            pieces: the day's, as `pieces` lists them.
        """
        states = []
        stored = self._read(self._key(day), since)
        if stored is None and self._has_former:
            stored = self._read(f"{self._former_folder}/{day}.parquet", since)
        for piece in sorted(pieces, key=lambda entry: (entry.modified, entry.key)):
            if stored is None or piece.modified >= stored.modified:  # stores have whole seconds
                states += [state.content for state in [self._read(piece.key, since)] if state]
        if stored is None and not states:
            return self._empty
        if stored is None or states:
            return piece_together([*([stored.content] if stored else []), *states], len(self.columns))
        return stored.content

    def pieces(self) -> dict[date, list[Entry]]:
        """The pieces by their dates.

        Raises:
            StorageUnavailable: the listing failed.
        """
        found: dict[date, list[Entry]] = {}
        for entry in self._storage.list(self._pieces_folder):
            with suppress(ValueError):  # somebody else's object
                day = date.fromisoformat(entry.key.removeprefix(f"{self._pieces_folder}/").split("/")[0])
                found.setdefault(day, []).append(entry)
        return found

    def read_piece(self, day: date, name: str, since: datetime | None = None) -> CachedDay:
        """A piece by its name; empty as `read`."""
        stored = self._read(self._piece_key(day, name), since)
        return stored.content if stored else self._empty

    def write_piece(self, day: date, name: str, content: CachedDay) -> None:
        """Store a piece.

        Raises:
            StorageUnavailable: the store failed, or the piece is too large to be read again.
        """
        if self._write(self._piece_key(day, name), content) is None:
            raise StorageUnavailable(f"{self._piece_key(day, name)} is too large: plan smaller batches")

    def _read(self, key: str, since: datetime | None) -> _Stored | None:
        try:
            blob = self._storage.get(key)
            if since and blob.modified < since.replace(microsecond=0):  # stores have whole seconds
                return None
            return _Stored(CachedDay(*parquet_cache.from_parquet(blob.body, self.columns)), blob.modified)
        except ObjectNotFound:
            return None
        except ValueError as exc:
            self._log.warning("%s is rebuilt: %s", key, exc)
            return None

    def days(self) -> list[date]:
        """The dates of which rows are stored, ascending.

        Raises:
            StorageUnavailable: the listing failed.
        """
        dates = set()
        for folder in (self._folder, self._former_folder) if self._has_former else (self._folder,):
            for entry in self._storage.list(folder):
                name = entry.key.removeprefix(f"{folder}/").removesuffix(".parquet")
                with suppress(ValueError):  # somebody else's object
                    dates.add(date.fromisoformat(name))
        return sorted(dates)

    def write(self, day: date, content: CachedDay) -> StoredDay | None:
        """Store a day; None where it is too large to be read again.

        The write is unconditional: rows are a pure function of their objects, and racing writers differ only in the
        machines that they have read.
        """
        return self._write(self._key(day), content)

    def _write(self, key: str, content: CachedDay) -> StoredDay | None:
        try:
            body = parquet_cache.to_parquet(content.table, self.columns, content.objects)
        except ValueError as exc:
            self._log.warning("%s is not stored: %s", key, exc)
            return None
        return StoredDay(key, self._storage.put(key, body, content_type="application/vnd.apache.parquet"))

    def reread(self, stored: StoredDay) -> HourTable | None:
        """The rows of a stored day; None where another job has replaced them.

        Raises:
            StorageUnavailable: the object is damaged.
        """
        try:
            blob = self._storage.get(stored.key)
            return parquet_cache.from_parquet(blob.body, self.columns)[0] if blob.etag == stored.etag else None
        except ObjectNotFound:
            return None
        except ValueError as exc:
            raise StorageUnavailable(f"s3://{self._storage.name}/{stored.key} is damaged: {exc}") from exc

    def _key(self, day: date) -> str:
        return f"{self._folder}/{day}.parquet"

    def _piece_key(self, day: date, name: str) -> str:
        return f"{self._pieces_folder}/{day}/{name}.parquet"

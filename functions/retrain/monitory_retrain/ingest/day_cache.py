"""The cache of finished days in the model bucket.

    cache/hour-rows/<feature schema>-<sensor set>-<lake>/<YYYY-MM-DD>.parquet

holds a day's hour rows and the (key, ETag) of their objects. Version 1.0 did not name the lake: what it stored is read
where the lake is as that version knew it. Keys and ETags then tell whether it is of this lake.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from monitory.errors import ObjectNotFound, StorageUnavailable
from monitory.features import hour_row, vector
from monitory.lake import Lake, ObjectSummary
from monitory.log import Logger
from monitory.machine import Machine
from monitory.storage.port import Storage
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest import parquet_cache

FOLDER = "cache/hour-rows"


@dataclass(frozen=True, slots=True)
class CachedDay:
    """A day's hour rows, and the objects that they come from, by machine."""

    table: HourTable
    objects: Mapping[Machine, tuple[ObjectSummary, ...]] = field(default_factory=dict)


class StoredDay(NamedTuple):
    """The object in which a day's rows are stored."""

    key: str
    etag: str


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

    def read(self, day: date, since: datetime | None = None) -> CachedDay:
        """A day; empty where nothing usable is stored, or nothing since a time, aware."""
        empty = CachedDay(hour_table.join([], len(self.columns)))
        content = self._read(self._key(day), since)
        if content is None and self._has_former:
            content = self._read(f"{self._former_folder}/{day}.parquet", since)
        return content or empty

    def _read(self, key: str, since: datetime | None) -> CachedDay | None:
        try:
            blob = self._storage.get(key)
            if since and blob.modified < since.replace(microsecond=0):  # stores have whole seconds
                return None
            return CachedDay(*parquet_cache.from_parquet(blob.body, self.columns))
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
        key = self._key(day)
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

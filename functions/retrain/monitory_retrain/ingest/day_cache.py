"""The cache of finished days in the model bucket.

    cache/hour-rows/<feature schema>-<sensor set>/<YYYY-MM-DD>.parquet

holds a day's hour rows and the (key, ETag) of their objects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from monitory.errors import ObjectNotFound, StorageUnavailable
from monitory.features import hour_row, vector
from monitory.lake import ObjectSummary
from monitory.log import Logger
from monitory.machine import Machine
from monitory.sensors import SensorSet
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

    def __init__(self, storage: Storage, sensors: SensorSet, log: Logger) -> None:
        """The cache of a sensor set in a bucket."""
        self.columns: Sequence[str] = hour_row.Columns(sensors).names
        self._storage = storage
        self._log = log
        self._folder = f"{FOLDER}/{vector.SCHEMA}-{sensors.fingerprint()}"

    def read(self, day: date, since: datetime | None = None) -> CachedDay:
        """A day; empty where nothing usable is stored, or nothing since a time, aware."""
        key = self._key(day)
        empty = CachedDay(hour_table.join([], len(self.columns)))
        try:
            blob = self._storage.get(key)
            if since and blob.modified < since.replace(microsecond=0):  # stores have whole seconds
                return empty
            return CachedDay(*parquet_cache.from_parquet(blob.body, self.columns))
        except ObjectNotFound:
            return empty
        except ValueError as exc:
            self._log.warning("%s is rebuilt: %s", key, exc)
            return empty

    def write(self, day: date, content: CachedDay) -> StoredDay:
        """Store a day.

        The write is unconditional: rows are a pure function of their objects, and racing writers differ only in the
        machines that they have read.
        """
        key = self._key(day)
        body = parquet_cache.to_parquet(content.table, self.columns, content.objects)
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

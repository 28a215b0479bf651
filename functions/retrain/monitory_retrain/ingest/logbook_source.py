"""Reads what people wrote down: the log file in the lake, and the records in the model bucket."""

from monitory import clock
from monitory.errors import UnreadableObject
from monitory.logbook import records
from monitory.logbook.logbook import Logbook, read_logbook
from monitory.logbook.records import Records
from monitory.storage.port import Storage


def logbook(lake: Storage, models: Storage, key: str | None) -> Logbook | None:
    """The log of failures and maintenance, and the records of what has begun; None where there are neither.

    Args:
        lake: has the log file.
        models: has the records, whose index is brought up to date.
        key: of the log file; None without one.

    Raises:
        ObjectNotFound, UnreadableObject: a log that is missing or useless must not pass for a factory without
            failures.
        StorageUnavailable: the records cannot be read.
    """
    return joined(log_file(lake, key), records.update_index(models))


def log_file(lake: Storage, key: str | None) -> Logbook | None:
    """The log file; None without a key.

    Raises:
        ObjectNotFound, UnreadableObject, StorageUnavailable: it is missing or useless, or the store failed.
    """
    if not key:
        return None
    try:
        return read_logbook(lake.get(key).body)
    except UnreadableObject as exc:
        raise UnreadableObject(f"s3://{lake.name}/{key}: {exc}") from exc


def joined(file: Logbook | None, recorded: Records) -> Logbook | None:
    """A log file and the records of what has begun; None where there are neither."""
    present = clock.naive(clock.now())
    begun = [entry for entry in recorded.entries if entry.start <= present]
    if file is None:
        return Logbook(records=begun) if begun else None
    return file.with_records(begun)

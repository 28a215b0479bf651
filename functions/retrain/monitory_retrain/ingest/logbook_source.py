"""Reads what people wrote down: the log file in the lake, and the records in the model bucket."""

from monitory import clock
from monitory.errors import UnreadableObject
from monitory.logbook import records
from monitory.logbook.logbook import Logbook, read_logbook
from monitory.storage.port import Storage


def logbook(lake: Storage, models: Storage, key: str | None) -> Logbook | None:
    """The log of failures and maintenance, and the records of what has begun; None where there are neither.

    Args:
        lake: has the log file.
        models: has the records.
        key: of the log file; None without one.

    Raises:
        ObjectNotFound, UnreadableObject: a log that is missing or useless must not pass for a factory without
            failures.
        StorageUnavailable: the records cannot be read.
    """
    present = clock.naive(clock.now())
    begun = [entry for entry in records.update_index(models).entries if entry.start <= present]
    if not key:
        return Logbook(records=begun) if begun else None
    try:
        return read_logbook(lake.get(key).body).with_records(begun)
    except UnreadableObject as exc:
        raise UnreadableObject(f"s3://{lake.name}/{key}: {exc}") from exc

"""Hour rows that the score function computed of the same objects, and a sample of them computed again.

Rows are used as far as their objects' keys and ETags are those of the listing. Of the objects behind them one in
`verify_one_in` is read all the same; where its rows differ, none of the machine-day's rows are used.
"""

import zlib
from concurrent.futures import Executor
from typing import NamedTuple

import msgspec

from monitory.errors import StorageError
from monitory.history.history_store import HistoryStore
from monitory.lake import Lake, MachineDay, ObjectSummary
from monitory.lake_listing import LakeObject
from monitory_retrain.ingest.task import Task


class Refreshed(NamedTuple):
    """A machine-day that is up to date.

    Attributes:
        content: its rows.
        read: the objects that were read for it.
        verified: number of objects among them whose rows were there already.
        differing: keys of those whose rows are others than they were.
    """

    content: MachineDay
    read: tuple[LakeObject, ...]
    verified: int = 0
    differing: tuple[str, ...] = ()


def refresh(
    lake: Lake, task: Task, store: HistoryStore | None, verify_one_in: int, executor: Executor | None
) -> Refreshed:
    """Bring a machine-day up to date, with as little reading as its cached rows and the score function's allow.

    Args:
        lake: where its objects are.
        task: the machine-day.
        store: where the score function keeps rows; None uses none.
        verify_one_in: of the objects behind its rows, how many there are for one that is read again; 0 reads none.
        executor: reads objects ahead.

    Raises:
        StorageUnavailable: an object cannot be read.
    """
    scored = _scored(store, task) if store and task.may_use_scored else None
    if scored is None or _missing(scored, task) >= task.size:
        content = lake.refresh(task.cached, task.listing, executor)
        return Refreshed(content, _unread(task.cached, task))
    sample = _sample(scored, task, verify_one_in)
    present = MachineDay(_without(scored.objects, sample), scored.hours, scored.pooled)
    content = lake.refresh(present, task.listing, executor)
    differing = tuple(sorted(key for key in sample if _rows(scored, key) != _rows(content, key)))
    if not differing:
        return Refreshed(content, _unread(present, task), len(sample))
    return Refreshed(lake.refresh(MachineDay(), task.listing, executor), _unread(None, task), len(sample), differing)


def _scored(store: HistoryStore, task: Task) -> MachineDay | None:
    """The score function's rows of a machine-day; None where there are none, or they cannot be read.

    What that function could not read is left out: it knows fewer formats.
    """
    try:
        day = store.read(task.machine).history.by_date().get(task.day)
    except StorageError:
        return None  # the objects themselves are read instead
    if day is None:
        return None
    readable = tuple(item for item in day.content.objects if not item.unreadable)
    return msgspec.structs.replace(day.content, objects=readable)


def _missing(content: MachineDay, task: Task) -> int:
    """The number of bytes in objects that a machine-day lacks."""
    return sum(item.size for item in _unread(content, task))


def _unread(content: MachineDay | None, task: Task) -> tuple[LakeObject, ...]:
    present = {(item.key, item.etag) for item in content.objects} if content else set()
    return tuple(item for item in task.listing if not item.fault and (item.key, item.etag) not in present)


def _sample(scored: MachineDay, task: Task, one_in: int) -> set[str]:
    """Keys of the objects to read again: by their keys' checksums, so that no two nights differ."""
    if not one_in:
        return set()
    listed = {(item.key, item.etag) for item in task.listing}
    before = {(item.key, item.etag) for item in task.cached.objects}
    new = (item.key for item in scored.objects if (item.key, item.etag) in listed - before)
    return {key for key in new if zlib.crc32(key.encode()) % one_in == 0}


def _without(objects: tuple[ObjectSummary, ...], keys: set[str]) -> tuple[ObjectSummary, ...]:
    return tuple(item for item in objects if item.key not in keys)


def _rows(content: MachineDay, key: str) -> bytes:
    """The bytes of the rows that an object has a part in; empty where it has none."""
    hours = {hour for item in content.objects if item.key == key for hour in item.hours}
    return msgspec.msgpack.encode([row for row in content.hours if row.hour in hours])

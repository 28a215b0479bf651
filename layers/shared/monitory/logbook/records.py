"""Records: entries of the logbook that people write one by one, through the API.

    records/<zoneId>/<equipId>/<id>.json    one record, written once
    state/records.json.gz                   all of them, for readers that must not list thousands of objects

A record is never changed or deleted. Its id is the writer's idempotency key: the same request twice is one record. The
index can be computed again from the records; who brings it up to date (scoring each hour, retraining each night) reads
only those that it lacks.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

import msgspec

from monitory.decoding.dialect import Refusal
from monitory.errors import (
    UNDECODABLE,
    Conflict,
    InvalidIdentifier,
    PreconditionFailed,
    StorageError,
    StorageUnavailable,
)
from monitory.logbook import entry
from monitory.logbook.entry import LogEntry
from monitory.machine import Machine, machine
from monitory.storage.port import Blob, Storage
from monitory.storage.state_object import StateObject, Stored

FOLDER = "records"


class Record(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A record. Stored as JSON with its fields in camel case; those of the logbook mean the same as there.

    Attributes:
        id: the writer's idempotency key; an identifier, as machines have.
        at: when it was written, aware.
        by: who wrote it: the id of an API key.
    """

    id: str
    at: datetime
    by: str
    zone_id: str
    equip_id: str
    kind: str
    start: str
    end: str | None = None
    failure_mode: str = ""
    note: str = ""

    @property
    def machine(self) -> Machine:
        """The machine that it is about."""
        return Machine(self.zone_id, self.equip_id)

    @property
    def key(self) -> str:
        """Where it lies."""
        return f"{FOLDER}/{self.zone_id}/{self.equip_id}/{self.id}.json"

    @property
    def entry(self) -> LogEntry:
        """The same as an entry of the logbook.

        Raises:
            Refusal: a field has a value that cannot be used; the message names it.
        """
        return entry.entry(msgspec.to_builtins(self))._replace(at=self.at, by=self.by)

    def says_the_same(self, other: "Record") -> bool:
        """Whether two records differ in nothing but when and by whom they were written."""
        return msgspec.structs.replace(self, at=other.at, by=other.by) == other


class Records(NamedTuple):
    """All records, by key; `etag` is the index's, None without one."""

    by_key: Mapping[str, Record]
    etag: str | None = None

    @property
    def entries(self) -> list[LogEntry]:
        """They as entries of the logbook, in order of writing."""
        entries = []
        for record in sorted(self.by_key.values(), key=lambda one: (one.at, one.key)):
            with suppress(Refusal):  # of a later version, which knows more kinds
                entries.append(record.entry)
        return entries


NO_RECORDS = Records({})

INDEX = StateObject("state/records.json.gz", list[Record])


def add(storage: Storage, record: Record) -> Record:
    """Write a record once; returns it, or the one that the same request has written before.

    Raises:
        Conflict: another request has used the same id for something else.
        StorageUnavailable: the store failed.
        StorageError: the record that is there is damaged.
    """
    try:
        storage.put(record.key, msgspec.json.encode(record), content_type="application/json", create=True)
    except PreconditionFailed:
        earlier = _decoded(storage.name, record.key, storage.get(record.key))
        if not earlier.says_the_same(record):
            raise Conflict(
                f"the idempotency key {record.id} belongs to another record ({earlier.kind}, start {earlier.start}): "
                "use a new key for a new record"
            ) from None
        return earlier
    return record


def read_index(storage: Storage, stored: Records = NO_RECORDS) -> Records:
    """The records of the index; `stored` itself where its ETag is still the index's.

    Raises:
        StorageUnavailable: the store failed.
        StorageError: the index is damaged.
    """
    present: Stored[list[Record]] = Stored([], stored.etag)
    index = INDEX.read_if_changed(storage, present)
    return stored if index is present else _records(index)


def update_index(storage: Storage) -> Records:
    """All records; those that the index lacks are read, and added to it.

    A damaged index is written again. Damaged records are left out.

    Raises:
        StorageUnavailable: the store failed, or the index changes whenever it is about to be written.
    """
    keys = [item.key for item in storage.list(FOLDER) if not item.fault]

    def completed(indexed: list[Record]) -> list[Record]:
        by_key = _by_key(indexed)
        by_key |= _by_key(_read(storage, keys, by_key))
        return [by_key[key] for key in sorted(by_key)]

    return _records(INDEX.update(storage, completed))


def read_all(storage: Storage) -> Records:
    """All records, without writing the index; a damaged one is done without.

    Raises:
        StorageUnavailable: the store failed.
    """
    try:
        index = read_index(storage)
    except StorageUnavailable:
        raise
    except StorageError:
        index = NO_RECORDS
    return Records({**index.by_key, **_by_key(unindexed(storage, index))}, index.etag)


def unindexed(storage: Storage, index: Records, machine: Machine | None = None) -> list[Record]:
    """The records that an index lacks, those of the last hour as a rule: of one machine, or of all.

    Raises:
        StorageUnavailable: the store failed.
    """
    folder = f"{FOLDER}/{machine.zone_id}/{machine.equip_id}" if machine else FOLDER
    keys = [item.key for item in storage.list(folder) if not item.fault]
    return _read(storage, keys, index.by_key)


def _by_key(records: Iterable[Record]) -> dict[str, Record]:
    return {record.key: record for record in records}


def _records(index: Stored[list[Record]]) -> Records:
    return Records(_by_key(index.value), index.etag)


def _read(storage: Storage, keys: Iterable[str], present: Mapping[str, Record]) -> list[Record]:
    records = []
    for key in keys:
        if key in present:
            continue
        try:
            record = _decoded(storage.name, key, storage.get(key))
        except StorageUnavailable:
            raise
        except StorageError:
            continue
        records.append(record)
    return records


def _decoded(bucket: str, key: str, blob: Blob) -> Record:
    """The record of an object.

    Raises:
        StorageError: it is none, or that of another key.
    """
    try:
        record = msgspec.json.decode(blob.body, type=Record)
        machine(record.zone_id, record.equip_id)
    except (*UNDECODABLE, InvalidIdentifier) as exc:
        raise StorageError(f"s3://{bucket}/{key} is damaged: {exc}") from exc
    if record.key != key:
        raise StorageError(f"s3://{bucket}/{key} holds the record of another key, {record.key}")
    return record

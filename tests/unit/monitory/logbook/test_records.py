"""Records: written once, indexed, and part of the logbook."""

from datetime import UTC, datetime

import msgspec
import pytest

from monitory.errors import Conflict, StorageUnavailable
from monitory.logbook import records
from monitory.logbook.entry import Kind
from monitory.logbook.records import INDEX, Record
from tests.support.fakes import WatchedStorage, down
from tests.support.samples import MACHINE

AT = datetime(2026, 11, 20, 3, 20, tzinfo=UTC)
RECORD = Record("first", AT, "key-1", *MACHINE, "maintenance", "2026-11-20T08:00:00", "2026-11-20T11:00:00")


@pytest.fixture
def storage() -> WatchedStorage:
    return WatchedStorage("models")


def test_the_same_request_twice_is_one_record_with_the_first_ones_time(storage: WatchedStorage) -> None:
    assert records.add(storage, RECORD) == RECORD
    later = msgspec.structs.replace(RECORD, at=AT.replace(hour=9))
    assert records.add(storage, later) == RECORD
    assert len(storage.objects) == 1


def test_a_key_that_was_used_for_something_else_is_refused(storage: WatchedStorage) -> None:
    records.add(storage, RECORD)
    with pytest.raises(Conflict, match="use a new key"):
        records.add(storage, msgspec.structs.replace(RECORD, kind="seen"))


def test_the_index_reads_each_record_once(storage: WatchedStorage) -> None:
    records.add(storage, RECORD)
    assert records.update_index(storage).by_key == {RECORD.key: RECORD}
    records.add(storage, msgspec.structs.replace(RECORD, id="second"))
    storage.calls.clear()
    assert len(records.update_index(storage).by_key) == 2
    assert storage.calls == {"list": 1, "get": 2, "put": 1}
    storage.calls.clear()
    assert len(records.update_index(storage).by_key) == 2
    assert storage.calls == {"list": 1, "get": 1}
    assert records.unindexed(storage, records.read_index(storage)) == []


def test_a_damaged_index_is_written_again(storage: WatchedStorage) -> None:
    records.add(storage, RECORD)
    storage.put(INDEX.key, b"damaged")
    assert records.update_index(storage).by_key == {RECORD.key: RECORD}
    assert records.read_index(storage).by_key == {RECORD.key: RECORD}


def test_a_damaged_record_and_one_in_the_wrong_place_are_left_out(storage: WatchedStorage) -> None:
    records.add(storage, RECORD)
    storage.put("records/Z/E/broken.json", b"{")
    storage.put("records/Z/E/first.json", msgspec.json.encode(RECORD))
    assert list(records.update_index(storage).by_key) == [RECORD.key]


def test_a_store_that_fails_is_no_factory_without_records(storage: WatchedStorage) -> None:
    records.add(storage, RECORD)
    storage.before = down
    with pytest.raises(StorageUnavailable):
        records.update_index(storage)


def test_a_record_is_an_entry_with_who_and_when(storage: WatchedStorage) -> None:
    records.add(storage, RECORD)
    (entry,) = records.update_index(storage).entries
    assert (entry.kind, entry.by, entry.at, entry.start.hour) == (Kind.MAINTENANCE, "key-1", AT, 8)

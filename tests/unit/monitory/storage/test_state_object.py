"""An object of state: read, replaced on condition, refused or replaced where it is damaged."""

import gzip

import pytest

from monitory.errors import PreconditionFailed, StorageError, StorageUnavailable
from monitory.storage.state_object import StateObject, Stored
from tests.support.fakes import WatchedStorage

KEY = "state/numbers.json.gz"
NUMBERS = StateObject(KEY, list[int])
PRECIOUS = StateObject(KEY, list[int], "bring back an earlier version of it")


@pytest.fixture
def storage() -> WatchedStorage:
    return WatchedStorage()


def append(number: int, storage: WatchedStorage, state: StateObject[list[int]] = NUMBERS) -> Stored[list[int]]:
    return state.update(storage, lambda numbers: [*numbers, number])


def test_what_is_not_there_is_empty_and_is_created_on_condition(storage: WatchedStorage) -> None:
    assert NUMBERS.read(storage) == NUMBERS.nothing == Stored([], None)
    written = NUMBERS.write(storage, [1], None)
    assert NUMBERS.read(storage) == written
    with pytest.raises(PreconditionFailed):
        NUMBERS.write(storage, [2], None)
    with pytest.raises(PreconditionFailed):
        NUMBERS.write(storage, [2], '"another"')
    assert NUMBERS.read(storage).value == [1]


def test_equal_values_are_equal_bytes_and_are_not_written_again(storage: WatchedStorage) -> None:
    stored = append(1, storage)
    assert NUMBERS.update(storage, sorted) == stored
    assert storage.calls["put"] == 1
    assert NUMBERS.write(storage, [1], stored.etag) == stored


def test_a_reader_that_has_it_gets_the_same_until_it_changes_or_is_gone(storage: WatchedStorage) -> None:
    stored = append(1, storage)
    assert NUMBERS.read_if_changed(storage, stored) is stored
    newer = append(2, storage)
    assert NUMBERS.read_if_changed(storage, stored) == newer
    del storage.objects[KEY]
    assert NUMBERS.read_if_changed(storage, newer) == NUMBERS.nothing


def test_a_writer_that_another_one_overtakes_changes_what_that_one_wrote(storage: WatchedStorage) -> None:
    races = iter([2])

    def other_first(verb: str, key: str) -> None:
        if verb == "put" and (number := next(races, None)):
            append(number, storage)

    storage.before = other_first
    assert append(1, storage).value == NUMBERS.read(storage).value == [2, 1]


def test_what_has_been_read_is_not_read_a_second_time_unless_it_has_changed(storage: WatchedStorage) -> None:
    stored = append(1, storage)
    storage.calls.clear()
    NUMBERS.update(storage, lambda numbers: [*numbers, 2], stored)
    assert storage.calls == {"put": 1}
    assert NUMBERS.update(storage, lambda numbers: [*numbers, 3], stored).value == [1, 2, 3]


def test_an_object_that_always_changes_is_given_up(storage: WatchedStorage) -> None:
    def refuse(verb: str, key: str) -> None:
        if verb == "put":
            raise PreconditionFailed("another was first")

    storage.before = refuse
    with pytest.raises(StorageUnavailable, match=rf"{KEY} changes whenever"):
        append(1, storage)


@pytest.mark.parametrize(
    "body",
    [b"damaged", b"", gzip.compress(b'["a"]'), gzip.compress(b"[1]")[:-4], gzip.compress(b"\xff"), b"\x1f\x8b\x08"],
    ids=["no gzip", "empty", "another type", "cut", "no text", "a header"],
)
def test_a_damaged_object_is_replaced_where_nobody_has_to_bring_it_back(storage: WatchedStorage, body: bytes) -> None:
    storage.put(KEY, body)
    for state in NUMBERS, PRECIOUS:
        with pytest.raises(StorageError, match=rf"{KEY} is damaged"):
            state.read_if_changed(storage, state.nothing)
    with pytest.raises(StorageError, match="bring back an earlier version"):
        append(1, storage, PRECIOUS)
    assert storage.objects[KEY].body == body
    assert append(1, storage).value == [1]


def test_a_store_that_fails_is_not_taken_for_an_empty_one(storage: WatchedStorage) -> None:
    append(1, storage)

    def fail(verb: str, key: str) -> None:
        raise StorageUnavailable("down")

    storage.before = fail
    with pytest.raises(StorageUnavailable):
        append(2, storage)

"""Machines' last failures: what retraining left, and what the recent rows show."""

import math

import pytest

from monitory.errors import ObjectNotFound, PreconditionFailed, StorageError, StorageUnavailable
from monitory.features import failure_state, hour_row
from monitory.features.failure_state import Excursion, FailureState
from monitory.features.hour_row import HourRow
from monitory.sensors import load
from monitory.storage.port import Blob
from tests.support.fakes import MemoryStorage, WatchedStorage, down
from tests.support.samples import MACHINE

SENSORS = load()


def row(hour: int, **outside: float) -> HourRow:
    """An hour with shares of readings outside the limits, 0 where none is given."""
    names = hour_row.Columns(SENSORS).names
    shares = {f"{name}_outside": share for name, share in outside.items()}
    return HourRow(hour, tuple(shares.get(name, 0.0) for name in names))


@pytest.mark.parametrize(
    ("rule", "outside", "fails"),
    [
        (Excursion(0.5, 1), {}, False),
        (Excursion(0.5, 1), {"temperature": 0.49}, False),
        (Excursion(0.5, 1), {"temperature": 0.5}, True),
        (Excursion(0.5, 1), {"reactive_power": 1.0}, True),
        (Excursion(0.5, 2), {"temperature": 1.0}, False),
        (Excursion(0.5, 2), {"temperature": 0.6, "humidity": 0.7}, True),
        (Excursion(0.5, 1), {"temperature": math.nan}, False),
        (Excursion(1.0, 6), dict.fromkeys(SENSORS.names, 1.0), True),
    ],
)
def test_an_hour_fails_when_enough_sensors_are_outside_long_enough(
    rule: Excursion, outside: dict[str, float], fails: bool
) -> None:
    assert rule.holds(row(1, **outside), SENSORS) is fails


RULE = Excursion(0.5, 1)


@pytest.mark.parametrize(
    ("state", "failing", "last"),
    [
        (FailureState(), [], None),
        (FailureState(RULE), [], None),
        (FailureState(RULE), [95, 98], 98),
        (FailureState(RULE), [100], None),  # the newest hour is the one that is asked about
        (FailureState(RULE, {"ZONE-001/EQUIP-001": 50}), [], 50),
        (FailureState(RULE, {"ZONE-001/EQUIP-001": 50}), [95], 95),
        (FailureState(RULE, {"ZONE-001/EQUIP-001": 100}), [], None),
        (FailureState(RULE, {"ZONE-001/EQUIP-002": 50}), [], None),
        (FailureState(None, {"ZONE-001/EQUIP-001": 50}), [95], 50),  # a failure log says what failures are
    ],
)
def test_the_last_failure_before_the_newest_hour(state: FailureState, failing: list[int], last: int | None) -> None:
    recent = [row(hour, temperature=1.0 if hour in failing else 0.0) for hour in range(90, 101)]
    assert state.last_failure(MACHINE, recent, SENSORS) == last


def test_the_state_round_trips() -> None:
    storage = MemoryStorage()
    assert failure_state.read(storage) == (FailureState(), None)
    state = FailureState(RULE, {"ZONE-001/EQUIP-001": 495_000})
    failure_state.write(storage, state)
    assert failure_state.read(storage).state == state
    with pytest.raises(PreconditionFailed):
        failure_state.write(storage, FailureState())
    with pytest.raises(PreconditionFailed):
        failure_state.write(storage, FailureState(), replaces='"another"')
    failure_state.write(storage, FailureState(), failure_state.read(storage).etag)
    assert failure_state.read(storage).state == FailureState()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"last": {"a": "b"}}', b'{"last": "\xff"}', b'{"x":' + b"[" * 9999, b'{"last": {"a/b": 1'],
)
def test_a_damaged_state_is_named_and_not_taken_for_an_empty_one(body: bytes) -> None:
    storage = MemoryStorage()
    storage.put(failure_state.KEY, body)
    with pytest.raises(StorageError, match=r"state/failures\.json is damaged"):
        failure_state.read(storage)
    with pytest.raises(StorageError, match=r"state/failures\.json is damaged"):
        failure_state.merge(storage, FailureState(None, {"a/b": 1}))
    assert storage.get(failure_state.KEY).body == body


def test_one_wrong_bit_is_seen() -> None:
    storage = MemoryStorage()
    failure_state.write(storage, FailureState(None, {"a/b": 495_000}))
    blob = storage.get(failure_state.KEY)
    storage.put(failure_state.KEY, blob.body.replace(b"495000", b"495001"), metadata=blob.metadata)
    with pytest.raises(StorageError, match="SHA-256 differs"):
        failure_state.read(storage)


def test_of_each_machine_the_later_failure_is_kept() -> None:
    storage = MemoryStorage()
    failure_state.merge(storage, FailureState(None, {"z/a": 5, "z/b": 5}))
    failure_state.merge(storage, FailureState(RULE, {"z/b": 7, "z/c": 1}))
    failure_state.merge(storage, FailureState(RULE, {"z/b": 6}))
    assert failure_state.read(storage).state == FailureState(RULE, {"z/a": 5, "z/b": 7, "z/c": 1})


def test_what_another_run_wrote_in_between_is_kept() -> None:
    storage = WatchedStorage()
    failure_state.write(storage, FailureState(None, {"z/a": 1}))

    def another(verb: str, key: str) -> None:
        if verb == "put":
            storage.before = lambda verb, key: None
            failure_state.merge(storage, FailureState(None, {"z/a": 9, "z/b": 9}))

    storage.before = another
    failure_state.merge(storage, FailureState(None, {"z/a": 5, "z/c": 5}))
    assert failure_state.read(storage).state.last == {"z/a": 9, "z/b": 9, "z/c": 5}


def test_a_state_that_is_hidden_is_not_overwritten() -> None:
    class Hidden(MemoryStorage):
        def get(self, key: str) -> Blob:
            raise ObjectNotFound(key)

    storage = Hidden()
    failure_state.write(storage, FailureState(None, {"z/a": 1}))
    before = storage.objects[failure_state.KEY]
    with pytest.raises(StorageUnavailable, match=r"state/failures\.json"):
        failure_state.merge(storage, FailureState(None, {"z/b": 1}))
    assert storage.objects[failure_state.KEY] is before


def test_a_failing_store_is_said_so() -> None:
    with pytest.raises(StorageUnavailable):
        failure_state.read(WatchedStorage(before=down))

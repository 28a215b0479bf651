"""Machines' last failures: what retraining left, and what the recent rows show."""

import pytest

from monitory import clock
from monitory.errors import ObjectNotFound, PreconditionFailed, StorageError, StorageUnavailable
from monitory.features import failure_state, hour_row
from monitory.features.excursion import Excursion
from monitory.features.failure_state import Condition, FailureState
from monitory.features.hour_row import HourRow
from monitory.features.machine_state import Stop
from monitory.logbook.entry import Kind, LogEntry
from monitory.logbook.logbook import Logbook
from monitory.sensors import load
from monitory.storage.port import Blob
from tests.support.fakes import MemoryStorage, WatchedStorage, down
from tests.support.samples import MACHINE

SENSORS = load()


def row(hour: int, count: float = 720.0, **outside: float) -> HourRow:
    """An hour with shares of readings outside the limits, 0 where none is given."""
    columns = hour_row.Columns(SENSORS)
    values = [0.0] * len(columns)
    for sensor in SENSORS.sensors:
        statistics = {"mean": sensor.usual, "min": sensor.low, "max": sensor.high + 9, "count": count}
        for statistic, value in (statistics | {"outside": outside.get(sensor.name, 0.0)}).items():
            values[columns.index(sensor.name, statistic)] = value
    return HourRow(hour, tuple(values))


RULE = Excursion(0.5, 1)
LOGBOOK = Logbook([LogEntry("EQUIP-001", "ZONE-001", Kind.FAILURE, clock.hour_start(97).replace(tzinfo=None))])


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
    condition = state.condition(MACHINE, recent, SENSORS)
    assert condition.last_failure == last
    assert (condition.failure is not None) is (failing == [100])


def test_a_log_that_lists_failures_decides_alone() -> None:
    recent = [row(hour, temperature=float(hour == 99)) for hour in range(90, 101)]
    assert FailureState(RULE).condition(MACHINE, recent, SENSORS, LOGBOOK) == Condition(97)
    assert FailureState(RULE).condition(MACHINE, recent[:8], SENSORS, LOGBOOK).failure == Stop(97, 97)


def test_while_the_log_cannot_be_read_readings_prove_nothing() -> None:
    recent = [row(hour, temperature=float(hour == 99)) for hour in range(90, 101)]
    state = FailureState(RULE, log_key="failures.ndjson")
    assert state.condition(MACHINE, recent, SENSORS) == Condition()
    assert state.condition(MACHINE, recent, SENSORS, Logbook()).last_failure == 99


def test_an_equip_id_of_several_zones_needs_its_zone_in_the_log() -> None:
    without_zone = Logbook([LogEntry("EQUIP-001", None, Kind.FAILURE, clock.hour_start(97).replace(tzinfo=None))])
    recent = [row(hour) for hour in range(90, 101)]
    assert FailureState(RULE).condition(MACHINE, recent, SENSORS, without_zone).last_failure == 97
    shared = FailureState(RULE, {}, ("EQUIP-001",))
    assert shared.condition(MACHINE, recent, SENSORS, without_zone).last_failure is None
    assert shared.condition(MACHINE, recent, SENSORS, LOGBOOK).last_failure == 97


def test_a_false_alarm_undoes_the_failure_that_retraining_stored() -> None:
    start, end = (clock.hour_start(hour).replace(tzinfo=None) for hour in (94, 97))
    alarm = Logbook([LogEntry("EQUIP-001", None, Kind.FALSE_ALARM, start, end)])
    state = FailureState(RULE, {"ZONE-001/EQUIP-001": 95})
    recent = [row(hour, temperature=float(hour in (94, 95))) for hour in range(90, 101)]
    assert state.condition(MACHINE, recent, SENSORS).last_failure == 95
    assert state.condition(MACHINE, recent, SENSORS, alarm).last_failure is None


def test_a_state_that_a_former_version_wrote_is_read() -> None:
    storage = MemoryStorage()
    storage.put(failure_state.KEY, b'{"excursion":{"share":0.5,"sensors":1},"last":{"Z/E":495000}}')
    assert failure_state.read(storage).state == FailureState(RULE, {"Z/E": 495_000})


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

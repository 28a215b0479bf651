"""Machines' last failures: what retraining left, and what the recent rows show."""

import math

import pytest

from monitory import failures, rows
from monitory.errors import StorageUnavailable
from monitory.failures import Excursion, FailureState
from monitory.rows import HourRow
from monitory.sensors import load
from tests.fakes import MemoryStorage, WatchedStorage, down
from tests.samples import MACHINE

SENSORS = load()


def row(hour: int, **outside: float) -> HourRow:
    """An hour with shares of readings outside the limits, 0 where none is given."""
    names = rows.columns(SENSORS)
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
    assert failures.read(storage) == FailureState()
    state = FailureState(RULE, {"ZONE-001/EQUIP-001": 495_000})
    failures.write(storage, state)
    assert failures.read(storage) == state


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"last": {"a": "b"}}', b'{"last": "\xff"}', b'{"x":' + b"[" * 9999]
)
def test_a_damaged_state_counts_as_empty(body: bytes) -> None:
    assert failures.decode(body) == FailureState()


def test_a_failing_store_is_said_so() -> None:
    with pytest.raises(StorageUnavailable):
        failures.read(WatchedStorage(before=down))

"""Cases beside scoring: what is sent, once, whatever happens to a run."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from monitory import clock
from monitory.alerts import store
from monitory.alerts.case import Status, Transition
from monitory.alerts.rule import Rule
from monitory.errors import DeliveryFailed, StorageError, StorageUnavailable
from monitory.logbook import records
from monitory.logbook.records import Record
from monitory.scoring.failure_cache import Failures
from monitory.scoring.fleet import FleetState, HourAnswer, MachineState
from monitory_score.alerting import Alerting
from monitory_score.bootstrap import handle
from tests.support.fakes import WatchedStorage, down
from tests.support.predicting import NOW, V1, World
from tests.support.samples import MACHINE
from tests.support.scoring import LAKE, Inbox, new_run

HOUR = timedelta(hours=1)
NEWEST = clock.hour_of(NOW) - 1
EAGER = Rule(limits_days=(30.0, 0.001))
"""Every prediction of the test's model is low."""


def watts(number: int) -> float:
    """Readings of a machine that draws power, so that it does not count as off."""
    return 50_000.0 + number % 7


def fleet(*days: float) -> FleetState:
    """A machine whose newest hours were predicted so."""
    recent = tuple(HourAnswer(NEWEST - ahead, value, "ok") for ahead, value in enumerate(reversed(days)))
    state = MachineState(hour=NEWEST, recent=recent[::-1])
    return FleetState(machines={str(MACHINE): msgspec.Raw(msgspec.json.encode(state))})


@pytest.fixture
def storage() -> WatchedStorage:
    return WatchedStorage("models")


def alerting(world_storage: WatchedStorage, *channels: Inbox) -> Alerting:
    return Alerting(world_storage, LAKE, Rule(), channels, World().log)


def test_a_transition_goes_through_every_channel_once(storage: WatchedStorage) -> None:
    events, mail = Inbox("events"), Inbox("mail")
    summary = alerting(storage, events, mail).run(fleet(4, 4, 4), Failures(), NOW)
    assert (summary.open_cases, summary.sent, summary.unsent) == (1, 1, 0)
    alerting(storage, events, mail).run(fleet(4, 4, 4), Failures(), NOW + HOUR)
    assert len(events.received) == len(mail.received) == 1
    assert store.state_object(LAKE).read(storage).value.outbox == ()


def test_a_channel_that_fails_gets_its_transitions_later_and_the_others_get_none_again(storage: WatchedStorage) -> None:
    events, mail = Inbox("events"), Inbox("mail")
    mail.fails = True
    assert alerting(storage, events, mail).run(fleet(4, 4, 4), Failures(), NOW).unsent == 1
    mail.fails = False
    assert alerting(storage, events, mail).run(fleet(4, 4, 4), Failures(), NOW + HOUR).unsent == 0
    assert len(events.received) == len(mail.received) == 1


def test_what_waits_for_a_channel_that_was_switched_off_waits_no_longer(storage: WatchedStorage) -> None:
    mail = Inbox("mail")
    mail.fails = True
    alerting(storage, mail).run(fleet(4, 4, 4), Failures(), NOW)
    assert alerting(storage).run(fleet(4, 4, 4), Failures(), NOW + HOUR).unsent == 0


def test_of_two_runs_at_once_one_sends(storage: WatchedStorage) -> None:
    inbox, other = Inbox(), Inbox()

    class Meeting(Inbox):
        def send(self, transitions: Sequence[Transition]) -> set[str]:
            alerting(storage, other).run(fleet(4, 4, 4), Failures(), NOW + timedelta(seconds=5))
            inbox.send(transitions)
            return super().send(transitions)

    alerting(storage, Meeting()).run(fleet(4, 4, 4), Failures(), NOW)
    assert (len(inbox.received), other.received) == (1, [])
    assert store.state_object(LAKE).read(storage).value.outbox == ()


def test_a_run_that_dies_before_sending_leaves_it_to_the_next(storage: WatchedStorage) -> None:
    class Death(BaseException):
        pass

    class Deadly(Inbox):
        def send(self, transitions: Sequence[Transition]) -> set[str]:
            raise Death

    with pytest.raises(Death):
        alerting(storage, Deadly()).run(fleet(4, 4, 4), Failures(), NOW)
    inbox = Inbox()
    assert alerting(storage, inbox).run(fleet(4, 4, 4), Failures(), NOW + store.LEASE / 2).unsent == 1
    assert alerting(storage, inbox).run(fleet(4, 4, 4), Failures(), NOW + store.LEASE).unsent == 0
    assert len(inbox.received) == 1


def test_what_cannot_be_crossed_out_is_sent_again_under_the_same_id(storage: WatchedStorage) -> None:
    class Cutting(Inbox):
        def send(self, transitions: Sequence[Transition]) -> set[str]:
            storage.before = down
            return super().send(transitions)

    inbox = Cutting()
    with pytest.raises(StorageUnavailable):
        alerting(storage, inbox).run(fleet(4, 4, 4), Failures(), NOW)
    storage.before = lambda verb, key: None
    second = Inbox()
    alerting(storage, second).run(fleet(4, 4, 4), Failures(), NOW + HOUR)
    assert second.received == inbox.received


def test_a_run_that_could_not_send_does_all_else_and_fails_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    world, inbox = World(), Inbox()
    inbox.fails = True
    world.promote(V1)
    for age in (4, 3, 2):
        world.write(NOW - age * HOUR, value=watts)
        new_run(world).score(NOW - (age - 1) * HOUR, lambda: True)
    world.write(NOW - HOUR, value=watts)
    run = new_run(world, channels=[inbox], rule=EAGER)
    with pytest.raises(DeliveryFailed, match="1 transitions"):
        handle(run, lambda: 900.0)
    assert len(store.state_object(LAKE).read(world.model_storage).value.outbox) == 1


def test_a_damaged_state_is_not_replaced(storage: WatchedStorage) -> None:
    storage.put(store.state_object(LAKE).key, b"damaged")
    with pytest.raises(StorageError, match="earlier version"):
        alerting(storage).run(fleet(4, 4, 4), Failures(), NOW)
    assert storage.get(store.state_object(LAKE).key).body == b"damaged"


def test_a_run_of_scoring_opens_a_case_and_a_record_acknowledges_it() -> None:
    world, inbox = World(), Inbox()
    world.promote(V1)
    for age in (4, 3, 2, 1):
        world.write(NOW - age * HOUR, value=watts)
        new_run(world, channels=[inbox], rule=EAGER).score(NOW - (age - 1) * HOUR, lambda: True)
    (case,) = store.state_object(LAKE).read(world.model_storage).value.cases
    assert (case.machine, case.level, case.status) == (MACHINE, 1, Status.OPEN)
    assert case.facts
    record = Record("key-1", NOW, "operator", *MACHINE, "seen", "2026-11-20T12:20:00")
    records.add(world.model_storage, record)
    summary = new_run(world, channels=[inbox], rule=EAGER).score(NOW + timedelta(minutes=5), lambda: True)
    assert (summary.scored, summary.open_cases, summary.sent) == (0, 1, 1)
    (case,) = store.state_object(LAKE).read(world.model_storage).value.cases
    assert (case.status, case.acknowledged_by) == (Status.ACKNOWLEDGED, "operator")
    assert inbox.received == [f"{case.id}/1", f"{case.id}/2"]

"""Cases while scoring is killed at each of its writes, meets another run, or has a store that fails: what is sent."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest

from monitory.alerts import store
from monitory.alerts.rule import Rule
from monitory.errors import MonitoryError
from tests.faults.conftest import Ledger
from tests.faults.test_scoring import HOUR, MACHINES, MOST_WRITES, Killed, MortalStorage
from tests.support.fakes import AtCall, beside, down
from tests.support.predicting import NOW, V1, World
from tests.support.scoring import LAKE, Inbox, new_run

EAGER = Rule(limits_days=(30.0, 0.001))
"""Every prediction of the test's model is low."""

LATER = NOW + 2 * store.LEASE


def watts(number: int) -> float:
    return 50_000.0 + number % 7


def prepared(inbox: Inbox) -> World:
    """A factory whose next hour opens a case of every machine."""
    world = World()
    world.promote(V1)
    for age in (4, 3, 2, 1):
        for machine in MACHINES:
            world.write(NOW - age * HOUR, machine=machine, value=watts)
        if age > 2:
            new_run(world, channels=[inbox], rule=EAGER).score(NOW - (age - 1) * HOUR, lambda: True)
    assert inbox.received == []
    return world


def expected(inbox: Inbox) -> list[str]:
    """The transitions that an undisturbed run sends."""
    world = prepared(inbox)
    new_run(world, channels=[inbox], rule=EAGER).score(NOW, lambda: True)
    assert len(inbox.received) == len(MACHINES)
    return sorted(inbox.received)


def finish(world: World, inbox: Inbox) -> None:
    """The next run, after which nothing waits."""
    new_run(world, channels=[inbox], rule=EAGER).score(LATER, lambda: True)
    assert store.state_object(LAKE).read(world.model_storage).value.outbox == ()


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_write_nothing_is_lost_and_only_what_was_not_crossed_out_comes_again(
    after: bool, ledger: Ledger
) -> None:
    whole = expected(Inbox())
    lost, repeated = [], []
    for write in range(1, MOST_WRITES):
        inbox = Inbox()
        world = prepared(inbox)
        mortal = MortalStorage(world.model_storage, write, after)
        with suppress(Killed):
            new_run(world, mortal, channels=[inbox], rule=EAGER).score(NOW, lambda: True)
        if not mortal.is_dead:
            break
        finish(world, inbox)
        counts = Counter(inbox.received)
        if sorted(counts) != whole:
            lost.append(write)
        if max(counts.values()) > 1:
            repeated.append(write)
        ledger.note("alerts: a run killed", "at a write", "the next run sends the rest", lost=sorted(counts) != whole)
    assert lost == []
    # sent, and killed before that was written down: the same ids again, which is what "at least once" means
    assert repeated == ([] if after else [write - 1])


def test_two_runs_at_once_wherever_they_meet_send_each_transition_once(ledger: Ledger) -> None:
    whole = expected(Inbox())
    wrong = []
    for write in range(1, MOST_WRITES):
        inbox = Inbox()
        world = prepared(inbox)
        other = new_run(world, beside(world.model_storage), channels=[inbox], rule=EAGER)
        meeting = AtCall("put", write, lambda *_, run=other: run.score(NOW + timedelta(seconds=3), lambda: True))
        world.model_storage.before = meeting
        new_run(world, channels=[inbox], rule=EAGER).score(NOW, lambda: True)
        if meeting.calls < write:
            break
        world.model_storage.before = lambda verb, key: None
        finish(world, inbox)
        ledger.note("alerts: two runs at once", "at a write", "each once", lost=sorted(inbox.received) != whole)
        if sorted(inbox.received) != whole:
            wrong.append(write)
    assert wrong == []


@pytest.mark.parametrize("verb", ["get", "put", "list"])
def test_a_store_that_fails_at_any_request_loses_no_transition(verb: str, ledger: Ledger) -> None:
    whole = expected(Inbox())
    lost = []
    for request in range(1, MOST_WRITES):
        inbox = Inbox()
        world = prepared(inbox)
        failing = AtCall(verb, request, down)
        world.model_storage.before = failing
        with suppress(MonitoryError):
            new_run(world, channels=[inbox], rule=EAGER).score(NOW, lambda: True)
        if failing.calls < request:
            break
        world.model_storage.before = lambda used, key: None
        finish(world, inbox)
        ledger.note("alerts", f"a {verb} of the models fails", "sent", lost=sorted({*inbox.received}) != whole)
        if sorted({*inbox.received}) != whole:
            lost.append(request)
    assert lost == []

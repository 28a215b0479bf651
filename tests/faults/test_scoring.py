"""Scoring that is killed before or after each of its writes, meets another run, or has a store that fails."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NoReturn

import pytest

from monitory import clock
from monitory.errors import MonitoryError
from monitory.machine import Machine
from monitory.scoring import trends
from monitory.storage.port import Blob
from tests.faults.conftest import Ledger
from tests.support.fakes import AtCall, WatchedStorage, beside, down
from tests.support.predicting import NOW, V1, World
from tests.support.scoring import LAKE, Line, log_lines, logged, new_run, score, state_of

HOUR = timedelta(hours=1)
MACHINES = [Machine("ZONE-001", f"EQUIP-{number:03}") for number in range(1, 6)]
NEWEST = clock.hour_of(NOW) - 1
AFTER_NOON = NOW + HOUR
"""The hour that is new then is the first of the day's third six hours."""

MOST_WRITES = 60


class Killed(BaseException):
    """What ends a run wherever it is; no handler of the product catches it."""


class MortalStorage(WatchedStorage):
    """A bucket whose writer dies before or after a write; then nothing of it reaches the bucket."""

    def __init__(self, bucket: WatchedStorage, dies_at: int, after: bool) -> None:
        super().__init__(bucket.name)
        self.objects = bucket.objects
        self._dies_at = dies_at
        self._after = after
        self._writes = 0
        self.is_dead = False

    def get_if_changed(self, key: str, etag: str | None) -> Blob | None:
        self._live()
        return super().get_if_changed(key, etag)

    def _put(self, *arguments: Any) -> str:
        self._live()
        self._writes += 1
        dies = self._writes == self._dies_at
        if dies and not self._after:
            self._die()
        etag = super()._put(*arguments)
        if dies:
            self._die()
        return etag

    def _live(self) -> None:
        if self.is_dead:
            raise Killed

    def _die(self) -> NoReturn:
        self.is_dead = True
        raise Killed


def prepared(now: datetime = NOW) -> World:
    """A factory that has been scored once, an hour before now, with a new hour of every machine."""
    world = World()
    for machine in MACHINES:
        for age in range(2, 6):
            world.write(now - age * HOUR, machine=machine)
    world.promote(V1)
    score(world, now - HOUR)
    for machine in MACHINES:
        world.write(now - HOUR, machine=machine)
    return world


def prepared_for_trends() -> World:
    """The same with an hour that adds points to the trends."""
    return prepared(AFTER_NOON)


def never_scored() -> World:
    """A factory with an hour of every machine."""
    world = World()
    for machine in MACHINES:
        world.write(NOW - HOUR, machine=machine)
    world.promote(V1)
    return world


def points(world: World) -> dict[str, list[int]]:
    """The hours of the points of every machine's trend."""
    stored = trends.state_object(LAKE).read(world.model_storage).value
    return {str(machine): [point.hour for point in stored.points(str(machine))] for machine in MACHINES}


def final(world: World) -> tuple[list[tuple[str, int]], list[Line]]:
    """What a bucket holds in the end: the log, and the fleet's answers without times of scoring."""
    lines = logged(world.model_storage)
    answers = [line for line in log_lines(world.model_storage) if line.pop("scored_at")]
    for line in answers:
        del line["data_age_minutes"]
    return lines, sorted(answers, key=lambda line: (line["equipId"], line["as_of"]))


def killed_at_each_write(make: Callable[[], World], after: bool, now: datetime = NOW) -> Iterator[World]:
    """Worlds of which a run has died before or after its first write, its second, and so on, up to its last."""
    for write in range(1, MOST_WRITES):
        world = make()
        mortal = MortalStorage(world.model_storage, write, after)
        with suppress(Killed):
            new_run(world, mortal).score(now, lambda: True)
        if not mortal.is_dead:
            return
        yield world


@pytest.mark.parametrize("after", [False, True])
def test_a_run_killed_at_any_write_is_finished_by_the_next(after: bool, ledger: Ledger) -> None:
    untouched = prepared()
    score(untouched)
    expected = final(untouched)
    wrong, write = [], 0
    for write, world in enumerate(killed_at_each_write(prepared, after), start=1):
        score(world, NOW + timedelta(minutes=5))
        lost = final(world) != expected
        ledger.note("score killed", "after a write" if after else "before a write", "the next run mends", lost=lost)
        if lost:
            wrong.append(write)
    assert wrong == []
    assert write == len(MACHINES) + 3, "rows of each machine, the hour's log, fleet, cases, and no more"


@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_adds_to_the_trends_is_finished_by_the_next_wherever_it_is_killed(
    after: bool, ledger: Ledger
) -> None:
    untouched = prepared_for_trends()
    score(untouched, AFTER_NOON)
    expected = final(untouched), points(untouched)
    assert {len(hours) for hours in expected[1].values()} == {2}
    wrong, write = [], 0
    for write, world in enumerate(killed_at_each_write(prepared_for_trends, after, AFTER_NOON), start=1):
        score(world, AFTER_NOON + timedelta(minutes=5))
        lost = (final(world), points(world)) != expected
        ledger.note("score killed", "with trends to write", "the next run mends", lost=lost)
        if lost:
            wrong.append(write)
    assert wrong == []
    assert write == len(MACHINES) + 4, "rows of each machine, the hour's log, trends, fleet, cases, and no more"


def test_two_runs_at_once_add_the_same_points_once(ledger: Ledger) -> None:
    world = prepared_for_trends()
    other = new_run(world, beside(world.model_storage))
    late = AFTER_NOON + timedelta(seconds=3)
    meeting = AtCall("put", 1, lambda *_: other.score(late, lambda: True), trends.state_object(LAKE).key)
    world.model_storage.before = meeting
    new_run(world).score(AFTER_NOON, lambda: True)
    lost = {len(hours) for hours in points(world).values()} != {2}
    ledger.note("two runs of scoring at once", "before the trends are written", "nothing", lost=lost)
    assert meeting.calls == 1, "its condition fails, and what the other one wrote has the same points"
    assert not lost


@pytest.mark.parametrize("after", [False, True])
def test_a_first_run_killed_at_any_write_loses_no_line(after: bool, ledger: Ledger) -> None:
    wrong, write = [], 0
    for write, world in enumerate(killed_at_each_write(never_scored, after), start=1):
        for machine in MACHINES:
            world.write(NOW, machine=machine)
        score(world, NOW + HOUR)
        lines = logged(world.model_storage)
        expected = sorted((machine.equip_id, NEWEST + ahead) for machine in MACHINES for ahead in (0, 1))
        ledger.note("score killed", "in its first run", "the next run mends", lost=lines != expected)
        if lines != expected:
            wrong.append((write, lines))
    assert wrong == []
    assert write >= len(MACHINES)


def test_two_runs_at_once_wherever_they_meet_lose_and_double_nothing(ledger: Ledger) -> None:
    untouched = prepared()
    score(untouched)
    expected = final(untouched)
    wrong = []
    for write in range(1, MOST_WRITES):
        world = prepared()
        other = new_run(world, beside(world.model_storage))
        meeting = AtCall("put", write, lambda *_, run=other: run.score(NOW + timedelta(seconds=3), lambda: True))
        world.model_storage.before = meeting
        new_run(world).score(NOW, lambda: True)
        if meeting.calls < write:
            break
        world.model_storage.before = lambda verb, key: None
        score(world, NOW + timedelta(minutes=5))
        ledger.note("two runs of scoring at once", "before a write", "nothing", lost=final(world) != expected)
        if final(world) != expected:
            wrong.append(write)
    assert wrong == []


def test_threads_that_score_at_once_log_each_hour_once(ledger: Ledger) -> None:
    world = prepared()
    runs = [new_run(world) for _ in range(4)]
    threads = [threading.Thread(target=run.score, args=(NOW, lambda: True)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    score(world, NOW + timedelta(minutes=5))
    lines = logged(world.model_storage)
    lost = lines != sorted((machine.equip_id, NEWEST - ahead) for machine in MACHINES for ahead in (0, 1, 2))
    ledger.note("four runs of scoring at once", "threads", "nothing", tries=4, lost=lost)
    assert not lost


@pytest.mark.parametrize("verb", ["get", "put", "list"])
@pytest.mark.parametrize("bucket", ["lake", "models"])
def test_a_store_that_fails_at_any_request_costs_the_next_run_some_work(verb: str, bucket: str, ledger: Ledger) -> None:
    untouched = prepared()
    score(untouched)
    expected = final(untouched)
    wrong = []
    for request in range(1, MOST_WRITES):
        world = prepared()
        storage = world.lake_storage if bucket == "lake" else world.model_storage
        failing = AtCall(verb, request, down)
        storage.before = failing
        try:
            new_run(world).score(NOW, lambda: True)
            seen = "a run that finished"
        except MonitoryError:
            seen = "a run that failed, to be repeated"
        if failing.calls < request:
            break
        storage.before = lambda used, key: None
        score(world, NOW + timedelta(minutes=5))
        lost = final(world) != expected or any(state_of(world.model_storage, machine).problem for machine in MACHINES)
        ledger.note("score", f"a {verb} of the {bucket} fails", seen, lost=lost)
        if lost:
            wrong.append(request)
    assert wrong == []

"""Answers in time when the store is slow, and machines' last failures."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from monitory import clock
from monitory.errors import NoModel, StorageUnavailable
from monitory.features import failure_state, vector
from monitory.features.failure_state import FailureState
from monitory.scoring import failure_cache
from monitory.scoring.failure_cache import FailureCache, Failures
from tests.support.fakes import WatchedStorage, down
from tests.support.gateways import rest_event
from tests.support.models import card, frame, text, train
from tests.support.predicting import NOW, V1, V2, World, event_loop
from tests.support.registries import KEY, promote
from tests.support.samples import MACHINE


@pytest.fixture
def world() -> World:
    made = World(answer_seconds=0.3)
    made.write_hours(range(1, 6))
    made.promote(V1)
    return made


HangOn = Callable[[str], Callable[[str, str], None]]


@pytest.fixture
def stuck() -> Iterator[HangOn]:
    """Makes a store hang on keys that hold a word, until the test ends."""
    ended = threading.Event()

    def hang_on(word: str) -> Callable[[str, str], None]:
        def hang(verb: str, key: str) -> None:
            if word in key:
                ended.wait(60)

        return hang

    yield hang_on
    ended.set()


@pytest.fixture
def get(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], tuple[int, float]]]:
    """Answers a path as Lambda does: status and seconds."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    with event_loop():
        handler = world.handler()

        def call(path: str) -> tuple[int, float]:
            started = time.monotonic()
            query = {"zoneId": MACHINE.zone_id, "equipId": MACHINE.equip_id}
            return handler(rest_event(path, query), None)["statusCode"], time.monotonic() - started

        yield call


@pytest.mark.parametrize("path", ["predict", "models", f"models/{V1}/report"])
def test_a_store_that_hangs_ends_in_an_error_in_time(
    world: World, stuck: HangOn, get: Callable[[str], tuple[int, float]], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(world.log, "error", lambda text, *values: logged.append(text % values))
    world.lake_storage.before = world.model_storage.before = stuck("")
    status, seconds = get(f"/api/v1/{path}")
    assert status == 503
    assert seconds < 20  # a busy machine; the store hangs for 60
    assert logged == ["StorageUnavailable: no answer within 0.3 s"]


def test_what_is_read_behind_an_answer_that_did_not_wait_serves_the_next(
    world: World, get: Callable[[str], tuple[int, float]]
) -> None:
    released = threading.Event()
    world.lake_storage.before = lambda verb, key: None if released.wait(60) else pytest.fail("never released")
    assert get("/api/v1/predict")[0] == 503
    released.set()
    deadline = time.monotonic() + 60
    while MACHINE not in world.rows._entries.machines() and time.monotonic() < deadline:
        time.sleep(0.01)
    world.reset_calls()
    assert get("/api/v1/predict")[0] == 200
    assert world.lake_storage.calls.keys() == {"list"}


def test_more_requests_that_hang_than_there_are_threads_do_not_hang_the_next(
    world: World, get: Callable[[str], tuple[int, float]]
) -> None:
    released = threading.Event()
    world.lake_storage.before = lambda verb, key: None if released.wait(60) else pytest.fail("never released")
    for _ in range(12):
        assert get("/api/v1/predict")[0] == 503
    released.set()
    deadline = time.monotonic() + 60
    while (status := get("/api/v1/predict")[0]) != 200 and time.monotonic() < deadline:
        pass
    assert status == 200


def test_a_model_that_does_not_come_in_time_leaves_the_last_good_one(world: World, stuck: HangOn) -> None:
    good = world.service.predict(MACHINE, NOW).current.served
    world.model_storage.before = stuck(KEY)
    for current in (world.service.predict(MACHINE, NOW).current, world.service.current_model()):
        assert current.served is good
        assert str(current.problem) == "the served model could not be read within 0.255 s"


def test_a_first_model_that_does_not_come_in_time_is_said_so(world: World, stuck: HangOn) -> None:
    world.model_storage.before = stuck(KEY)
    with pytest.raises(StorageUnavailable, match="could not be read within"):
        world.service.predict(MACHINE, NOW)


def test_failures_that_do_not_come_in_time_are_done_without(world: World, stuck: HangOn) -> None:
    world.model_storage.before = stuck(failure_state.KEY)
    assert world.service.predict(MACHINE, NOW).current.problem is None


def test_another_model_and_other_rows_give_another_answer(world: World) -> None:
    world.promote(V1, made=card(V1))
    first = world.service.predict(MACHINE, NOW).prediction
    assert world.service.predict(MACHINE, NOW + timedelta(minutes=4)).prediction == first
    world.promote(V2, seed=5, made=card(V2))
    other_model = world.service.predict(MACHINE, NOW + timedelta(minutes=5)).prediction
    assert other_model.estimate.days != first.estimate.days
    world.write(NOW - timedelta(hours=1), name="late", value=float)
    other_rows = world.service.predict(MACHINE, NOW + timedelta(minutes=6)).prediction
    assert other_rows.estimate.days != other_model.estimate.days


def test_late_data_is_told_with_its_present_age(world: World) -> None:
    ages = []
    for minutes in (0, 110, 120, 130, 0):
        warnings = world.service.predict(MACHINE, NOW + timedelta(minutes=minutes)).prediction.warnings
        ages.append([said.split(" old")[0] for said in warnings if "newest reading is" in said])
    assert ages[0] == ages[4] == []
    assert all(ages[1:4])
    assert len({tuple(told) for told in ages[1:4]}) == 3


def test_without_a_model_nothing_is_predicted(world: World) -> None:
    del world.model_storage.objects[KEY]
    with pytest.raises(NoModel):
        world.service.predict(MACHINE, NOW)


def test_the_hours_since_the_last_failure_reach_the_model(world: World) -> None:
    data = frame([vector.AGE, "temperature"], missing=0.0)
    by_age = text(train(data, trees=60, num_leaves=31))
    world.store(V2, made=card(V2, features=(vector.AGE, "temperature"), calibration=None), text=by_age)
    promote(world.registry, V2)
    model = world.models.current().served.model
    newest = world.rows.history_at(MACHINE, NOW).newest.hour
    failure_state.write(world.registry.storage, FailureState(None, {str(MACHINE): newest - 48}))
    answer = world.service.predict(MACHINE, NOW).prediction.estimate
    values = {vector.AGE: 48.0, "temperature": world.rows.history_at(MACHINE, NOW).rows[-1].values[0]}
    assert answer.raw_days == model.estimate(values, MACHINE.equip_id).raw_days
    assert answer.contributions[vector.AGE] != 0


def test_the_failure_state_is_read_now_and_then(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    storage = WatchedStorage(before=lambda verb, key: reads.append(key) if verb == "get" else None)
    state = FailureCache(storage, WatchedStorage(), world.log)
    seconds = 1000.0
    monkeypatch.setattr(failure_cache, "time", type("time", (), {"monotonic": staticmethod(lambda: seconds)}))
    assert state.last_good == state.current() == Failures()
    written = FailureState(None, {"Z/E": 1})
    failure_state.write(storage, written)
    assert state.current() == Failures()
    assert reads.count(failure_state.KEY) == 1
    seconds += failure_cache.REFRESH_SECONDS + 1
    assert state.current() == state.last_good == Failures(written)
    seconds += failure_cache.REFRESH_SECONDS + 1

    def fails(verb: str, key: str) -> None:
        reads.append(key)
        down(verb, key)

    storage.before = fails
    assert state.current().state == written
    assert state.current().state == written
    assert reads.count(failure_state.KEY) == 4  # a store that fails is asked again at the next call

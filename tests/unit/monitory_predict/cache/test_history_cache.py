"""The cached history: damaged, lost, slow or written by two, it costs time and never an answer."""

import threading
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from monitory.history import stored_history
from monitory.history.machine_history import History
from monitory.history.stored_history import CachedHistory
from monitory.lake import MachineDay
from tests.support.fakes import down
from tests.support.histories import ask, cache_key, same
from tests.support.predicting import NOW, World
from tests.support.samples import MACHINE

DAMAGE = [
    b"",
    b"{",
    b"\xff\xff",
    b"\x80",
    b"\x91",
    msgspec.msgpack.encode({"days": [{"day": "2026-11-20"}]}),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_is_made_anew(world: World, damage: bytes) -> None:
    first = ask(world)
    key = cache_key(world)
    whole = world.model_storage.objects[key].body
    world.model_storage.put(key, damage)
    world.rows = world.new_rows()
    assert same(ask(world), first)
    assert world.model_storage.objects[key].body == whole


def a_row_too_short(content: MachineDay) -> MachineDay:
    first, *others = content.hours
    return msgspec.structs.replace(content, hours=(msgspec.structs.replace(first, values=first.values[:-1]), *others))


def an_hour_of_another_day(content: MachineDay) -> MachineDay:
    first, *others = content.hours
    return msgspec.structs.replace(content, hours=(msgspec.structs.replace(first, hour=first.hour - 24), *others))


def an_hour_twice(content: MachineDay) -> MachineDay:
    return msgspec.structs.replace(content, hours=(content.hours[0], *content.hours))


@pytest.mark.parametrize("spoilt", [a_row_too_short, an_hour_of_another_day, an_hour_twice])
def test_a_cache_whose_rows_are_none_is_made_anew(world: World, spoilt: Callable[[MachineDay], MachineDay]) -> None:
    before = ask(world)
    key = cache_key(world)
    memory = msgspec.msgpack.decode(world.model_storage.get(key).body, type=CachedHistory)
    *days, last = memory.days
    days.append(msgspec.structs.replace(last, content=spoilt(last.content)))
    world.model_storage.put(key, msgspec.msgpack.encode(CachedHistory(tuple(days))))
    world.rows = world.new_rows()
    assert same(ask(world), before)
    world.rows = world.new_rows()
    world.reset_calls()
    assert same(ask(world), before)
    assert "get" not in world.lake_storage.calls, "what was made anew was kept"


def test_a_cache_that_would_fill_the_memory_is_not_decoded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ask(world)
    size = len(world.model_storage.get(cache_key(world)).body)
    monkeypatch.setattr(stored_history, "MAX_CACHE_BYTES", size - 1)
    world.rows = world.new_rows()
    world.reset_calls()
    assert same(ask(world), before)
    assert world.lake_storage.calls["get"] > 0


def test_a_lost_cache_is_made_anew(world: World) -> None:
    first = ask(world)
    del world.model_storage.objects[cache_key(world)]
    assert same(world.new_rows().history_at(MACHINE, NOW), first)
    assert cache_key(world)


def test_a_lost_cache_is_made_of_what_is_held(world: World) -> None:
    first = ask(world)
    del world.model_storage.objects[cache_key(world)]
    assert same(ask(world), first)
    world.write(NOW)
    world.reset_calls()
    later = NOW + timedelta(hours=1)
    newer = ask(world, later)
    assert len(newer.rows) == len(first.rows) + 1
    assert world.lake_storage.calls == {"list": 1, "get": 1}
    assert same(world.new_rows().history_at(MACHINE, later), newer)


def test_two_containers_that_race_for_the_cache_both_answer_right(world: World) -> None:
    first, second = world.new_rows(), world.new_rows()
    first.history_at(MACHINE, NOW)
    world.write(NOW)
    later = NOW + timedelta(hours=1)
    slow_put, go = threading.Event(), threading.Event()

    def hold_one_write(verb: str, key: str) -> None:
        if verb == "put" and not slow_put.is_set():
            slow_put.set()
            go.wait(5)

    world.model_storage.before = hold_one_write
    answers: list[History] = []
    thread = threading.Thread(target=lambda: answers.append(first.history_at(MACHINE, later)))
    thread.start()
    slow_put.wait(5)
    answers.append(second.history_at(MACHINE, later))
    go.set()
    thread.join()
    assert same(*answers)
    assert same(world.new_rows().history_at(MACHINE, later), answers[0])


@pytest.mark.parametrize("verb", ["get", "put"])
def test_a_cache_that_fails_costs_only_time(world: World, verb: str) -> None:
    first = ask(world)
    world.model_storage.before = lambda used, key: down(used, key) if used == verb else None
    world.write(NOW)
    later = NOW + timedelta(hours=1)
    assert len(ask(world, later).rows) == len(first.rows) + 1
    world.rows = world.new_rows()
    assert len(ask(world, later).rows) == len(first.rows) + 1


def test_a_cache_that_hangs_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(world)
    monkeypatch.setattr("monitory_predict.cache.history.CACHE_SECONDS", 0.05)
    ended = threading.Event()

    def hang(verb: str, key: str) -> None:
        ended.wait(5)

    world.model_storage.before = hang
    assert same(ask(world), first)
    world.rows = world.new_rows()
    assert same(ask(world), first)
    ended.set()


def test_the_stored_form_is_that_of_earlier_versions(world: World) -> None:
    ask(world)
    stored = msgspec.msgpack.decode(world.model_storage.get(cache_key(world)).body)
    assert stored.keys() == {"days"}
    assert {key for day in stored["days"] for key in day} == {"day", "listed", "content"}

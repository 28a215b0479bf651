"""Runs that die at any call, lose an answer, or meet another one in the middle."""

import json
import threading
from collections.abc import Callable, Mapping

import pytest

from monitory.errors import Conflict, NoModel
from monitory.registry.registry import Registry, ServedObject
from tests.support.fakes import MemoryStorage, WatchedStorage
from tests.support.registries import (
    KEY,
    A,
    B,
    C,
    D,
    a_registry,
    check_whole,
    files,
    promote,
    put_foreign,
    roll_back,
    served,
)
from tests.support.runs import Crash, Run, UniqueEtags


class Countdown:
    """Lets so many calls through and then ends the process."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, verb: str, key: str) -> None:
        if self.left == 0:
            raise Crash
        self.left -= 1


def storage_after(*steps: Callable[[Registry], object]) -> WatchedStorage:
    storage = WatchedStorage()
    registry = a_registry(storage)
    for step in steps:
        step(registry)
    return storage


BEFORE: dict[str, list[Callable[[Registry], object]]] = {
    "nothing": [],
    "a model": [lambda r: promote(r, A)],
    "two models": [lambda r: promote(r, A), lambda r: promote(r, B)],
    "a stranger": [put_foreign],
    "a stranger after a model": [lambda r: promote(r, A), put_foreign],
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_a_run_may_die_before_any_of_its_calls_and_the_next_one_mends_it(before: str, action: str) -> None:
    died = 0
    for calls in range(60):
        storage = storage_after(*BEFORE[before])
        registry = Registry(storage, KEY)
        storage.before = Countdown(calls)
        try:
            promote(registry, C) if action == "promote" else roll_back(registry)
        except Crash:
            died += 1
        except NoModel:
            assert action == "rollback"
            break
        else:
            break
        finally:
            storage.before = lambda verb, key: None
        now = served(registry)
        assert now is None or not now.promotion or now.verified
        assert registry.repair() is None or registry.repair() is None
        check_whole(registry)
        made = promote(registry, D)
        assert made.number == len(registry.history())
        check_whole(registry)
    assert died >= 1
    check_whole(registry)


def test_a_run_that_dies_while_it_stores_can_store_again() -> None:
    for calls in range(2):
        storage = WatchedStorage(before=Countdown(calls))
        registry = Registry(storage, KEY)
        with pytest.raises(Crash):
            registry.store(A, files(A))
        storage.before = lambda verb, key: None
        assert list(registry.versions()) == []
        registry.store(A, files(A))
        assert list(registry.versions()) == [A]


class LostAnswer(MemoryStorage):
    """The first conditional write to the served key is done, its answer lost, and it is tried again."""

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str = "",
        metadata: Mapping[str, str] | None = None,
        replaces: str | None = None,
        create: bool = False,
    ) -> str:
        if key == KEY:
            super().put(key, body, content_type=content_type, metadata=metadata, replaces=replaces, create=create)
        return super().put(key, body, content_type=content_type, metadata=metadata, replaces=replaces, create=create)


def test_a_promotion_whose_answer_was_lost_is_no_conflict() -> None:
    registry = a_registry(LostAnswer())
    assert promote(registry, A).number == 1
    assert promote(registry, B).number == 2
    check_whole(registry)


def test_of_many_promotions_on_the_same_view_one_wins() -> None:
    registry = a_registry()
    promote(registry, A)
    view = registry.served()
    outcomes: list[str] = []

    def run(version: str) -> None:
        try:
            registry.promote(version, by="test", reason="race", expected=view)
            outcomes.append("won")
        except Conflict:
            outcomes.append("lost")

    threads = [threading.Thread(target=run, args=(version,)) for version in (B, C, D) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 11 + ["won"]
    assert len(registry.history()) == 2
    check_whole(registry)


def test_a_stranger_in_the_middle_of_two_promotions_costs_no_record() -> None:
    storage = UniqueEtags()
    registry = a_registry(storage)
    promote(registry, A, "first")
    slow = Run(storage, lambda r: promote(r, B, "slow"))
    while registry.served().version != B:
        slow.step()
    put_foreign(registry)
    quick = Run(storage, lambda r: promote(r, C, "quick"))
    while registry.served().version != C:
        quick.step()
    while not slow.done or not quick.done:
        slow.step()
        quick.step()
    assert [one.number for one in registry.history()] == [1, 2, 3]
    assert {one.reason for one in registry.history()} == {"first", "slow", "quick"}
    assert registry.repair() is None
    assert json.loads(storage.get("models/latest/metrics.json").body) == {"of": C}


def test_a_slow_run_that_shows_old_metrics_and_dies_is_mended() -> None:
    storage = UniqueEtags()
    registry = a_registry(storage)
    slow = Run(storage, lambda r: promote(r, A))
    while slow.next_call != ("put", "models/latest/metrics.json"):
        slow.step()
    promote(registry, B)
    slow.step()
    assert json.loads(storage.get("models/latest/metrics.json").body) == {"of": A}
    slow.kill()
    assert registry.repair() is None
    check_whole(registry)


def late_run() -> tuple[Registry, WatchedStorage, ServedObject]:
    """B is served, and what a run has read that still holds A for it; ETags are hashes of the bytes."""
    storage = WatchedStorage()
    registry = a_registry(storage)
    promote(registry, A)
    old = registry.served()
    promote(registry, B)
    return registry, storage, old


def test_a_second_promotion_of_the_same_bytes_is_not_replaced_before_it_is_recorded() -> None:
    registry, storage, old = late_run()

    def dies_before_the_record(verb: str, key: str) -> None:
        if verb == "put" and key.startswith("promotions/"):
            raise Crash

    def returns_to_a(verb: str, key: str) -> None:
        if (verb, key) == ("list", "promotions"):  # the late run has repaired B's promotion by now
            storage.before = dies_before_the_record
            with pytest.raises(Crash):
                promote(Registry(storage, KEY), A, "not recorded yet")
            storage.before = lambda verb, key: None

    storage.before = returns_to_a
    with pytest.raises(Conflict, match="nothing was changed"):
        registry.promote(C, by="test", reason="late", expected=old)
    assert registry.served().blob.etag == old.blob.etag
    assert registry.repair() is not None
    assert [one.version for one in registry.history()] == [A, B, A]
    check_whole(registry)


def test_what_the_caller_did_not_read_is_not_replaced_even_if_its_bytes_come_back() -> None:
    registry, storage, old = late_run()

    def returns_to_a(verb: str, key: str) -> None:
        if (verb, key) == ("put", KEY):  # where the late run would write, though B was served when it looked
            storage.before = lambda verb, key: None
            promote(Registry(storage, KEY), A, "again")

    storage.before = returns_to_a
    with pytest.raises(Conflict, match="nothing was changed"):
        registry.promote(C, by="test", reason="late", expected=old)
    storage.before = lambda verb, key: None
    assert [one.version for one in registry.history()] == [A, B]
    check_whole(registry)

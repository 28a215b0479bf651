"""The failure state in the predict function: the one before stands in for one that can't be read."""

import pytest

from monitory.features import failure_state
from monitory.features.failure_state import FailureState
from monitory.log import Logger
from monitory.scoring import failure_cache as failures
from monitory.scoring.failure_cache import FailureCache, Failures
from tests.support.fakes import WatchedStorage


def test_a_damaged_state_leaves_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "REFRESH_SECONDS", -1.0)
    storage = WatchedStorage()
    cache = FailureCache(storage, WatchedStorage(), Logger(service="test-predict", level="CRITICAL"))
    written = FailureState(None, {"Z/E": 1})
    failure_state.write(storage, written)
    assert cache.current().state == written
    whole = storage.get(failure_state.KEY).body
    storage.put(failure_state.KEY, whole[: len(whole) // 2])
    assert cache.current() == cache.last_good == Failures(written)


def test_scoring_heeds_the_log_at_each_run() -> None:
    models, lake = WatchedStorage(), WatchedStorage()
    failure_state.write(models, FailureState(log_key="failures.ndjson"))
    lake.put("failures.ndjson", _failure("E1"))
    silent = Logger(service="test-score", level="CRITICAL")
    asked = FailureCache(models, lake, silent)
    run = FailureCache(models, lake, silent, for_scoring=True)
    assert _count(asked) == _count(run) == 1
    lake.put("failures.ndjson", _failure("E1") + _failure("E2"))
    assert _count(run) == 2
    assert _count(asked) == 1


def _failure(equip: str) -> bytes:
    return b'{"zoneId": "Z", "equipId": "%s", "time": "2026-11-20T10:00:00"}\n' % equip.encode()


def _count(cache: FailureCache) -> int:
    logbook = cache.current().logbook
    assert logbook
    return logbook.counts["failure"]


def test_a_state_that_is_gone_leaves_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "REFRESH_SECONDS", -1.0)
    storage = WatchedStorage()
    cache = FailureCache(storage, WatchedStorage(), Logger(service="test-predict", level="CRITICAL"))
    assert cache.current() == Failures()
    written = FailureState(None, {"Z/E": 1})
    failure_state.write(storage, written)
    assert cache.current().state == written
    del storage.objects[failure_state.KEY]
    assert cache.current().state == written

"""The failure state in the predict function: the one before stands in for one that can't be read."""

import pytest

from monitory import failures
from monitory.failures import FailureState
from monitory.log import Logger
from monitory_predict import wear
from monitory_predict.wear import Failures
from tests.fakes import WatchedStorage


def test_a_damaged_state_leaves_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wear, "EVERY_SECONDS", -1.0)
    storage = WatchedStorage()
    known = Failures(storage, Logger(service="test-wear", level="CRITICAL"))
    written = FailureState(None, {"Z/E": 1})
    failures.write(storage, written)
    assert known.state() == written
    whole = storage.get(failures.KEY).body
    storage.put(failures.KEY, whole[: len(whole) // 2])
    assert known.state() == known.last_known == written


def test_a_state_that_is_gone_leaves_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wear, "EVERY_SECONDS", -1.0)
    storage = WatchedStorage()
    known = Failures(storage, Logger(service="test-wear", level="CRITICAL"))
    assert known.state() == FailureState()
    written = FailureState(None, {"Z/E": 1})
    failures.write(storage, written)
    assert known.state() == written
    del storage.objects[failures.KEY]
    assert known.state() == written

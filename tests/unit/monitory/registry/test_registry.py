"""Versions are stored once, promoted by one write, and rolled back."""

import hashlib

import pytest

from monitory.errors import BrokenModel, Conflict, NoModel, StorageUnavailable, UnknownVersion
from monitory.registry.registry import MODEL_FILE, ROLLBACK, Registry
from tests.support.fakes import MemoryStorage, WatchedStorage
from tests.support.registries import (
    KEY,
    A,
    B,
    C,
    a_registry,
    check_whole,
    files,
    promote,
    put_foreign,
    roll_back,
    served,
)


def test_a_version_is_stored_once_and_for_ever() -> None:
    registry = a_registry(versions=(A,))
    with pytest.raises(Conflict, match=A):
        registry.store(A, {MODEL_FILE: (b"another", "text/plain")})
    assert registry.read(A, MODEL_FILE) == files(A)[MODEL_FILE][0]


def test_storing_again_what_is_stored_is_no_conflict() -> None:
    registry = a_registry(versions=(A, A))
    assert list(registry.versions()) == [A]


def test_versions_are_listed_oldest_first_and_only_when_they_are_complete() -> None:
    registry = a_registry(versions=(C, A, B))
    registry.storage.put("models/2026/11/25/150000/card.json", b"{}", content_type="application/json")
    registry.storage.put("models/elsewhere/model.txt", b"tree", content_type="text/plain")
    put_foreign(registry)
    assert list(registry.versions()) == [A, B, C]


def test_a_run_that_dies_while_it_stores_leaves_no_version() -> None:
    def dies_at_the_model(verb: str, key: str) -> None:
        if key.endswith(MODEL_FILE):
            raise StorageUnavailable(key)

    registry = Registry(WatchedStorage(before=dies_at_the_model), KEY)
    with pytest.raises(StorageUnavailable):
        registry.store(A, files(A))
    assert list(registry.versions()) == []
    with pytest.raises(StorageUnavailable):
        promote(registry, A)


@pytest.mark.parametrize("version", ["2026/11/29/150000", "latest", "../../x", ""])
def test_a_version_that_is_not_stored_cannot_be_promoted_or_read(version: str) -> None:
    registry = a_registry()
    with pytest.raises(UnknownVersion):
        promote(registry, version)
    with pytest.raises(UnknownVersion):
        registry.read(version, MODEL_FILE)
    assert served(registry) is None


def test_nothing_is_served_before_the_first_promotion() -> None:
    registry = a_registry()
    with pytest.raises(NoModel, match="no model has been promoted"):
        registry.served()
    with pytest.raises(NoModel, match="no earlier model"):
        registry.rollback_target()
    assert registry.repair() is None


def test_a_version_may_be_named_with_dashes_and_is_recorded_with_slashes() -> None:
    assert promote(a_registry(), A.replace("/", "-")).version == A


def test_only_the_text_that_was_checked_and_stored_is_promoted() -> None:
    registry = a_registry()
    with pytest.raises(BrokenModel, match=f"models/{A} is not what was stored"):
        registry.promote(A, by="test", reason="checked another", expected=None, sha256="0" * 64)
    registry.storage.put(f"models/{B}/model.txt", b"tree of somebody else", content_type="text/plain")
    with pytest.raises(BrokenModel, match=f"models/{B} is not what was stored"):
        promote(registry, B)
    assert served(registry) is None
    promote(registry, A, sha256=hashlib.sha256(files(A)["model.txt"][0]).hexdigest())
    now = registry.served()
    assert now.belongs(files(A)["card.json"][0])
    assert not now.belongs(files(B)["card.json"][0])
    assert not now.belongs(None)


def test_who_promotes_on_an_old_view_loses_and_changes_nothing() -> None:
    registry = a_registry()
    promote(registry, A)
    old = registry.served()
    promote(registry, B)
    with pytest.raises(Conflict, match="nothing was changed"):
        registry.promote(C, by="test", reason="late", expected=old)
    with pytest.raises(Conflict):
        registry.promote(C, by="test", reason="thinks that there is none", expected=None)
    assert registry.served().version == B
    check_whole(registry)


def test_a_first_promotion_on_an_old_view_of_a_model_that_is_gone_loses() -> None:
    registry = a_registry()
    promote(registry, A)
    old = registry.served()
    assert isinstance(registry.storage, MemoryStorage)
    del registry.storage.objects[KEY]
    with pytest.raises(Conflict):
        registry.promote(B, by="test", reason="late", expected=old)
    assert promote(registry, B).number == 2


def test_rolling_back_twice_goes_back_two_promotions() -> None:
    registry = a_registry()
    for version in (A, B, C):
        promote(registry, version)
    assert roll_back(registry) == B
    assert roll_back(registry) == A
    with pytest.raises(NoModel, match="no earlier model"):
        registry.rollback_target()
    assert [(one.action, one.version) for one in registry.history()[3:]] == [(ROLLBACK, B), (ROLLBACK, A)]
    check_whole(registry)


def test_after_a_rollback_and_a_promotion_the_rolled_back_version_is_skipped() -> None:
    registry = a_registry()
    promote(registry, A)
    promote(registry, B)
    roll_back(registry)
    promote(registry, C)
    assert roll_back(registry) == A

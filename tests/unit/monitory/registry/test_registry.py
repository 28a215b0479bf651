"""Versions and promotions: stored once, promoted by one write, repaired after a crash at any point."""

import hashlib
import json
from collections.abc import Callable

import pytest

from monitory.errors import BrokenModel, Conflict, NoModel, StorageError, StorageUnavailable, UnknownVersion
from monitory.registry.registry import MODEL_FILE, ROLLBACK, Registry
from monitory.registry.version import Version
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


def test_a_promotion_says_everything_in_the_object_and_in_its_record() -> None:
    registry = a_registry()
    first = promote(registry, A, score=4.5)
    second = promote(registry, B, reason="better", score=3.25, replaced_score=4.5)
    assert registry.history() == [first, second]
    assert (second.number, second.version, second.replaced, second.by) == (2, B, A, "test")
    now = registry.served()
    assert now.promotion == second
    assert now.blob.body == files(B)[MODEL_FILE][0]
    assert now.verified
    check_whole(registry)


def test_a_version_may_be_named_with_dashes_and_is_recorded_with_slashes() -> None:
    assert promote(a_registry(), A.replace("/", "-")).version == A


def test_history_may_be_the_newest_part() -> None:
    registry = a_registry()
    for version in (A, B, C, D):
        promote(registry, version)
    assert [one.version for one in registry.history(newest=2)] == [C, D]
    assert len(registry.history(newest=9)) == 4


def test_what_is_no_record_does_not_disturb_the_history() -> None:
    registry = a_registry()
    for name in ("readme.txt", "000009", "9.json", "old/000001.json", "٣.json"):
        registry.storage.put(f"promotions/{name}", b"not a record", content_type="text/plain")
    promote(registry, A)
    assert [one.number for one in registry.history()] == [1]


def test_a_damaged_record_is_named() -> None:
    registry = a_registry()
    promote(registry, A)
    registry.storage.put("promotions/000001.json", b"{", content_type="application/json")
    for call in (registry.history, registry.repair):
        with pytest.raises(StorageError, match=r"promotions/000001\.json is damaged"):
            call()


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


def test_a_foreign_model_is_kept_as_a_version_before_it_is_replaced() -> None:
    registry = a_registry()
    put_foreign(registry)
    assert served(registry) is not None
    assert registry.served().version is None
    made = promote(registry, A)
    assert made.replaced is not None
    assert registry.read(made.replaced, MODEL_FILE) == b"tree of a stranger"
    assert roll_back(registry) == made.replaced
    assert registry.served().blob.body == b"tree of a stranger"
    check_whole(registry)


def test_a_foreign_model_whose_second_is_taken_gets_the_next_one() -> None:
    registry = a_registry()
    put_foreign(registry)
    taken = Version.at(registry.served().blob.modified)
    registry.store(str(taken), files("another"))
    assert promote(registry, A).replaced == str(taken.later())


def test_versions_of_a_text_are_found_newest_first() -> None:
    registry = a_registry(versions=(A, B))
    text = files(A)[MODEL_FILE]
    registry.store(C, {MODEL_FILE: text})
    assert list(registry.versions_of(text[0])) == [C, A]
    assert list(registry.versions_of(text[0][::-1])) == []


def test_a_foreign_model_that_is_a_copy_of_a_version_is_known_as_that() -> None:
    registry = a_registry()
    promote(registry, A)
    put_foreign(registry, files(B)[MODEL_FILE][0])
    assert promote(registry, C).replaced == B
    assert list(registry.versions()) == [A, B, C, D]
    assert roll_back(registry) == B


def test_a_foreign_model_after_promotions_keeps_the_history_linear() -> None:
    registry = a_registry()
    promote(registry, A)
    promote(registry, B)
    put_foreign(registry)
    assert registry.rollback_target() == B  # the stranger is what is left, B is what was there before
    made = promote(registry, C)
    assert made.number == 3
    assert made.replaced not in (A, B, None)
    assert registry.rollback_target() == made.replaced
    assert roll_back(registry) == made.replaced
    assert roll_back(registry) == B
    check_whole(registry)


def test_a_foreign_model_that_is_gone_before_it_is_replaced_is_a_conflict() -> None:
    registry = a_registry()
    put_foreign(registry)
    view = served(registry)
    assert isinstance(registry.storage, MemoryStorage)
    del registry.storage.objects[KEY]
    with pytest.raises(Conflict, match="is gone"):
        registry.promote(A, by="test", reason="late", expected=view)


def test_an_old_object_that_was_copied_back_does_not_overwrite_its_successors_records() -> None:
    registry = a_registry()
    promote(registry, A)
    old = registry.storage.get(KEY)
    promote(registry, B)
    registry.storage.put(KEY, old.body, content_type="text/plain", metadata=old.metadata)
    assert registry.rollback_target() == B
    assert promote(registry, C).number == 3
    assert [one.version for one in registry.history()] == [A, B, C]


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "새 모델이 더 정확합니다 🎉",
        "100% better, see a%41b + c=d; (e) <f>",
        " spaces  in\tand\naround ",
        "가" * 5000,
        "x" * 5000,
        "\ud800 half a character",
        "\x00\x1f",
    ],
)
def test_any_words_survive_as_metadata_and_the_record_is_the_same_after_a_repair(reason: str) -> None:
    registry = a_registry()
    made = registry.promote(
        A, by=reason, reason=reason, expected=None, score=1 / 3, replaced_score=2 / 3, request=reason
    )
    blob = registry.storage.get(KEY)
    assert sum(len(name) + len(value) for name, value in blob.metadata.items()) < 2048
    assert all(value.isascii() and value.isprintable() and value == value.strip() for value in blob.metadata.values())
    assert registry.served().promotion == made
    assert reason.replace("\ud800", "?").startswith(made.reason)
    assert registry.promotion_of(reason) == (made if reason else None)
    if len(reason) < 1000:
        assert made.reason == reason.replace("\ud800", "?")


def test_what_a_request_did_is_found_again() -> None:
    registry = a_registry()
    promote(registry, A)
    first = promote(registry, B, request="53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa")
    promote(registry, C, request="another")
    assert registry.promotion_of("53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa") == first
    assert registry.promotion_of("a third") is registry.promotion_of(None) is registry.promotion_of("") is None


def test_records_and_objects_of_before_requests_were_noted_are_read() -> None:
    registry = a_registry()
    made = promote(registry, A)
    record = {"number": 1, "action": "promote", "version": A, "replaced": None, "at": made.at, "by": "test"}
    body = json.dumps({**record, "reason": "because", "score": None, "replaced_score": None}).encode()
    registry.storage.put("promotions/000001.json", body, content_type="application/json")
    assert "request" not in registry.storage.get(KEY).metadata
    assert registry.history() == [made]
    assert registry.repair() is None
    assert registry.promotion_of("any") is None


def test_scores_that_are_no_numbers_are_left_out() -> None:
    registry = a_registry()
    made = promote(registry, A, score=float("nan"), replaced_score=float("inf"))
    assert (made.score, made.replaced_score) == (None, None)
    assert registry.history() == [made]


@pytest.mark.parametrize(
    "break_it",
    [
        lambda data: {name: value for name, value in data.items() if name != "version"},
        lambda data: {**data, "promotion": "many"},
        lambda data: {**data, "version": "../../x"},
        lambda data: {},
    ],
)
def test_metadata_that_is_no_promotion_makes_a_foreign_model(
    break_it: Callable[[dict[str, str]], dict[str, str]],
) -> None:
    registry = a_registry()
    promote(registry, A)
    blob = registry.storage.get(KEY)
    registry.storage.put(KEY, blob.body, content_type="text/plain", metadata=break_it(dict(blob.metadata)))
    assert registry.served().promotion is None


def test_other_bytes_under_a_promotion_s_metadata_are_not_verified() -> None:
    registry = a_registry()
    promote(registry, A)
    blob = registry.storage.get(KEY)
    registry.storage.put(KEY, blob.body + b"!", content_type="text/plain", metadata=blob.metadata)
    assert not registry.served().verified

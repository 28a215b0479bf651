"""What a promotion says of itself, in the object's metadata and in its record."""

import json

import pytest

from monitory.errors import StorageError
from monitory.registry.registry import MODEL_FILE
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
)


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

"""The registry on a real S3 server: its ETags, its conditions, its metadata."""

import threading

import pytest

from monitory.errors import Conflict, NoModel
from monitory.registry.registry import MODEL_FILE, Registry
from monitory.storage.s3 import S3Storage
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

WORDS = "  새 모델이  더 정확합니다 🎉 100% better; a%41b + c\n"


@pytest.fixture
def registry(model_bucket: str) -> Registry:
    return a_registry(S3Storage(model_bucket, region="x"))


def test_promotions_rollbacks_and_a_stranger_in_between(registry: Registry) -> None:
    assert list(registry.versions()) == [A, B, C, D]
    assert served(registry) is None
    promote(registry, A)
    promote(registry, B, WORDS)
    assert registry.served().promotion == registry.history()[-1]
    assert registry.history()[-1].reason == WORDS
    assert roll_back(registry) == A
    put_foreign(registry)
    assert registry.rollback_target() == A
    made = promote(registry, C)
    assert made.replaced is not None
    assert registry.read(made.replaced, MODEL_FILE) == b"tree of a stranger"
    assert roll_back(registry) == made.replaced
    assert roll_back(registry) == A
    with pytest.raises(NoModel):
        registry.rollback_target()
    check_whole(registry)


def test_a_stored_version_is_not_written_over(registry: Registry) -> None:
    with pytest.raises(Conflict):
        registry.store(A, {MODEL_FILE: (b"another", "text/plain")})


def test_of_promotions_at_once_one_wins_each_round(registry: Registry) -> None:
    won: list[str] = []
    versions = [f"2026/11/25/1500{number:02d}" for number in range(12)]
    for version in versions:
        registry.store(version, files(version))

    def run(version: str) -> None:
        try:
            promote(registry, version)
            won.append(version)
        except Conflict:
            pass

    for at_once in (versions[:4], versions[4:8], versions[8:]):
        threads = [threading.Thread(target=run, args=(version,)) for version in at_once]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert registry.repair() is None
    assert {one.version for one in registry.history()} == set(won)
    assert len(won) >= 3
    check_whole(registry)


def test_a_record_that_is_missing_is_written_by_the_next_run(registry: Registry, model_bucket: str) -> None:
    made = promote(registry, A, WORDS, score=1.25)
    blob = registry.storage.get(KEY)
    elsewhere = a_registry(S3Storage(model_bucket, region="x"), versions=())
    assert elsewhere.repair() is None
    second = registry.storage.put(
        KEY, blob.body, content_type="text/plain", metadata={**blob.metadata, "promotion": "2", "at": made.at + "0"}
    )
    assert second == blob.etag  # the same bytes
    repaired = elsewhere.repair()
    assert repaired is not None
    assert (repaired.number, repaired.reason, repaired.score) == (2, WORDS, 1.25)
    assert elsewhere.repair() is None

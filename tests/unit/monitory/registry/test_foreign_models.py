"""Models and objects that no promotion of the service put there."""

from collections.abc import Callable

import pytest

from monitory.errors import Conflict
from monitory.registry.registry import MODEL_FILE
from monitory.registry.version import Version
from tests.support.fakes import MemoryStorage
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

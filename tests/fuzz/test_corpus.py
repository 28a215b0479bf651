"""Inputs that a fuzzer found worth keeping, and random changes of them."""

import random
from pathlib import Path

import pytest

from tests.fuzz.__main__ import CORPUS, changed
from tests.fuzz.targets import TARGETS

FILES = sorted(path for path in CORPUS.rglob("*") if path.is_file())


def test_every_target_has_a_corpus_and_it_is_small() -> None:
    assert {path.parent.name for path in FILES} == set(TARGETS)
    assert sum(path.stat().st_size for path in FILES) < 300_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_input_is_taken_or_refused_in_words(path: Path) -> None:
    data, target = path.read_bytes(), TARGETS[path.parent.name]
    chosen = random.Random(0)
    tries = [data, *(changed(data, chosen) for _ in range(20))]
    assert [target(tried) for tried in tries] == [None] * len(tries)

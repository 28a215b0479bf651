"""Models of unknown origin: what would end the process ends a child, and trees that lead nowhere are seen before."""

import json
import os
import random
import re
import subprocess
import sys

import pytest

from monitory import probe
from monitory.errors import BrokenModel
from tests.models import frame, small_text, text, train

MODEL = small_text(trees=3)
MACHINES = [f"E{number}" for number in range(40)]
WITH_CATEGORIES = text(
    train(frame([], rows=800, machines=MACHINES), trees=4, min_data_per_group=5, cat_smooth=1.0, cat_l2=0.0)
)


def without_sizes(body: bytes) -> bytes:
    """The text without the trees' lengths, so that a change doesn't end in a format error."""
    return re.sub(rb"\ntree_sizes=[^\n]*", b"", body)


@pytest.mark.parametrize(
    "body", [MODEL, without_sizes(MODEL), WITH_CATEGORIES, text(train(frame(["a"]), num_leaves=2))]
)
def test_a_sound_model_passes(body: bytes) -> None:
    probe.check(body)
    assert not ends_a_process(body)


def test_a_model_without_a_split_passes() -> None:
    stump = text(train(frame(["a", "b"], rows=8), trees=2))
    assert b"num_leaves=1\n" in stump
    probe.check(stump)


ASK_ALL = """
import json, random, sys
from monitory.errors import BrokenModel
from monitory.lightgbm_c import Booster
for body in json.load(sys.stdin):
    try:
        booster = Booster(body.encode("latin-1"))
    except BrokenModel:
        continue
    generator = random.Random(1)
    for _ in range(100):
        booster.predict([generator.choice([0.0, 1.0, -1e9, 1e9, 50.0]) for _ in range(booster.width)])
"""


def ends_a_process(*bodies: bytes) -> bool:
    """Whether loading one of the texts or asking it a hundred rows kills a process."""
    texts = json.dumps([body.decode("latin-1") for body in bodies]).encode()
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run([sys.executable, "-c", ASK_ALL], input=texts, env=path, capture_output=True, check=False)
    assert child.returncode <= 0, child.stderr
    return child.returncode < 0


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_a_text_that_kills_the_parser_is_refused_and_kills_nobody(share: float) -> None:
    end_of_trees = MODEL.index(b"\nend of trees")
    broken_off = MODEL[: int(end_of_trees * share)]
    assert ends_a_process(broken_off)
    with pytest.raises(BrokenModel, match="of unknown origin"):
        probe.check(broken_off)


def test_a_crash_of_the_child_is_said_with_its_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "check_trees", lambda body: None)
    with pytest.raises(BrokenModel, match=r"crashes LightGBM \(signal \d+\)"):
        probe.check(MODEL[: MODEL.index(b"leaf_value")])


def test_what_lightgbm_refuses_is_refused_with_its_words() -> None:
    with pytest.raises(BrokenModel, match=r"refused: .*LGBM_BoosterLoadModelFromString"):
        probe.check(MODEL.replace(b"num_class=1\n", b""))


def test_a_child_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "TIMEOUT_SECONDS", 0.01)
    with pytest.raises(BrokenModel, match="could not be checked"):
        probe.check(MODEL)


def test_a_child_that_cannot_start_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BrokenModel, match="could not be checked"):
        probe.check(MODEL)


def changed(body: bytes, field: bytes, value: bytes) -> bytes:
    """The text with the first value of the first such field replaced."""
    return re.sub(rb"\n" + field + rb"=[^\s]+", b"\n" + field + b"=" + value, body, count=1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"left_child", b"0"),
        (b"left_child", b"99999"),
        (b"right_child", b"-99999"),
        (b"left_child", b"-1 -1"),
        (b"split_feature", b"6"),
        (b"split_feature", b"-1"),
        (b"split_feature", b"x"),
        (b"num_leaves", b"9999999"),
        (b"num_leaves", b"2"),
        (b"leaf_value", b"0 0"),
        (b"is_linear", b"1"),
        (b"decision_type", b"1"),
        (b"max_feature_idx", b"-1"),
    ],
)
def test_a_tree_that_is_none_is_refused_before_it_is_loaded(field: bytes, value: bytes) -> None:
    broken = changed(MODEL, field, value)
    assert broken != MODEL
    with pytest.raises(BrokenModel, match="of unknown origin"):
        probe.check_trees(broken)


@pytest.mark.parametrize(
    ("field", "value"),
    [(b"cat_boundaries", b"1"), (b"num_cat", b"0"), (b"cat_threshold", b"1 1"), (b"threshold", b"77")],
)
def test_categories_that_point_beyond_their_bit_sets_are_refused(field: bytes, value: bytes) -> None:
    first_categorical = WITH_CATEGORIES.index(b"cat_boundaries")
    start = WITH_CATEGORIES.rindex(b"\nTree=", 0, first_categorical)
    assert WITH_CATEGORIES[start:].split(b"decision_type=")[1].startswith((b"1", b"9"))
    broken = WITH_CATEGORIES[:start] + changed(WITH_CATEGORIES[start:], field, value)
    with pytest.raises(BrokenModel, match="of unknown origin"):
        probe.check_trees(broken)


def test_what_passes_the_look_at_the_trees_kills_no_process() -> None:
    generator = random.Random(7)
    body = without_sizes(WITH_CATEGORIES).split(b"\nfeature_importances")[0] + b"\n"
    places = [
        number.span()
        for line in re.finditer(rb"\n(left_child|right_child|split_feature|decision_type|threshold|num_cat)=.*", body)
        for number in re.compile(rb"-?\d+").finditer(body, line.start(), line.end())
    ]
    passed = []
    for _ in range(500):
        start, end = generator.choice(places)
        mutant = body[:start] + generator.choice([b"-1", b"0", b"1", b"2", b"7", b"-3", b"99999"]) + body[end:]
        try:
            probe.check_trees(mutant)
        except BrokenModel:
            continue
        passed.append(mutant)
    assert len(passed) > 50
    assert not ends_a_process(*passed)

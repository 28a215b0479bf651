"""Models of unknown origin: what would end the process ends a child, and trees that lead nowhere are seen before."""

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import lightgbm as lgb
import pytest

from monitory.errors import BrokenModel
from monitory.model import untrusted
from tests.support.models import frame, small_text, text, train

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
    untrusted.check(body)
    assert not ends_a_process(body)


def test_a_model_without_a_split_passes() -> None:
    stump = text(train(frame(["a", "b"], rows=8), trees=2))
    assert b"num_leaves=1\n" in stump
    untrusted.check(stump)


ASK_ALL = """
import json, random, sys
from monitory.errors import BrokenModel
from monitory.model.booster import Booster
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
        untrusted.check(broken_off)


def test_a_crash_of_the_child_is_said_with_its_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untrusted, "check_trees", lambda body: None)
    with pytest.raises(BrokenModel, match=r"crashes LightGBM \(signal \d+\)"):
        untrusted.check(MODEL[: MODEL.index(b"leaf_value")])


def test_what_lightgbm_refuses_is_refused_with_its_words() -> None:
    with pytest.raises(BrokenModel, match=r"refused: .*LGBM_BoosterLoadModelFromString"):
        untrusted.check(MODEL.replace(b"num_class=1\n", b""))


def test_a_child_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untrusted, "TIMEOUT_SECONDS", 0.01)
    with pytest.raises(BrokenModel, match="could not be checked"):
        untrusted.check(MODEL)


def test_a_child_that_cannot_start_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BrokenModel, match="could not be checked"):
        untrusted.check(MODEL)


def test_what_is_too_large_is_refused_before_anything_looks_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untrusted, "check_trees", lambda body: pytest.fail("looked at"))
    with pytest.raises(BrokenModel, match="16,777,217 bytes, more than 16,777,216"):
        untrusted.check(MODEL.ljust(untrusted.MAX_BYTES + 1))


HEADER = MODEL[: MODEL.index(b"\nTree=")]
BOMBS = {
    "one field": b"\nTree=0\nnum_leaves=9\nleaf_value=" + b"10 " * 5_500_000,
    "lines": b"\nTree=0\n" + b"ab\n" * 5_500_000,
    "trees": b"\nTree=0\nnum_leaves=1\nleaf_value=1\n" * 440_000,
    "no trees": b"\nTree=" * 2_700_000,
}
PEAK = """
import sys
from monitory.model import untrusted as probe
def peak():  # getrusage would tell of the program that started this one, too
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
body = sys.stdin.buffer.read()
probe.subprocess = None
before = peak()
try:
    probe.check_trees(body)
except probe.BrokenModel:
    pass
print(peak() - before)
"""


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_looking_at_the_largest_text_takes_some_copies_of_it(bomb: bytes) -> None:
    body = HEADER + bomb + b"\nend of trees"
    assert len(body) <= untrusted.MAX_BYTES
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", PEAK], input=body, env=path, capture_output=True, check=True)
    assert int(done.stdout) << 10 < 6 * untrusted.MAX_BYTES


def test_the_child_gets_neither_credentials_nor_endless_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho names: $(env | cut -d= -f1) >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("SOMEBODYS_TOKEN", "secret")
    with pytest.raises(BrokenModel, match=r"names: .*PYTHONPATH") as told:
        untrusted.check(MODEL)
    assert not {"AWS_SECRET_ACCESS_KEY", "SOMEBODYS_TOKEN"} & set(str(told.value).split())


def test_a_child_that_takes_too_much_memory_is_refused_it() -> None:
    code = (
        "from monitory.model import untrusted as probe\nprobe.Booster = lambda text: bytearray(1 << 30)\nprobe.main()"
    )
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run([sys.executable, "-c", code], input=MODEL, env=path, capture_output=True, check=False)
    assert child.stderr.splitlines()[-1] == b"MemoryError"


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
        (b"max_feature_idx", b"2000000000"),
        (b"feature_names", b"temperature rpm"),
        (b"leaf_value", b"nan"),
        (b"leaf_value", b"-inf"),
        (b"leaf_value", b"1e999"),
        (b"leaf_value", b"1e200"),
        (b"threshold", b"nan"),
        (b"left_child", b"0_1"),
        (b"num_leaves", b"131073"),
        (b"leaf_count", b"1\rnum_leaves=2"),
        (b"leaf_count", b"1" + b"\nx=" * 64),
    ],
)
def test_a_tree_that_is_none_is_refused_before_it_is_loaded(field: bytes, value: bytes) -> None:
    broken = changed(MODEL, field, value)
    assert broken != MODEL
    with pytest.raises(BrokenModel, match="of unknown origin"):
        untrusted.check_trees(broken)


def test_a_split_between_what_is_there_and_what_is_missing_passes() -> None:
    data = frame(["a", "b"], missing=0.3)
    days = 9.0 * data["a"].isna() + data["b"].fillna(0.0) / 100
    body = text(lgb.train({"verbosity": -1, "num_threads": 1}, lgb.Dataset(data, days), 1))
    assert re.search(rb"\nthreshold=.*inf", body)
    untrusted.check(body)


def test_leaves_whose_sum_is_a_number_but_not_its_exponential_are_refused() -> None:
    body = without_sizes(changed(MODEL, b"leaf_value", b"800"))
    untrusted.check_trees(body)
    with pytest.raises(BrokenModel, match="add up to 8"):
        untrusted.check_trees(body.replace(b"objective=regression", b"objective=poisson"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"cat_boundaries", b"1"),
        (b"num_cat", b"0"),
        (b"num_cat", b"999999"),
        (b"cat_threshold", b"1 1"),
        (b"cat_threshold", b" 1"),
        (b"cat_threshold", b"x"),
        (b"threshold", b"77"),
        (b"threshold", b"inf"),
    ],
)
def test_categories_that_point_beyond_their_bit_sets_are_refused(field: bytes, value: bytes) -> None:
    first_categorical = WITH_CATEGORIES.index(b"cat_boundaries")
    start = WITH_CATEGORIES.rindex(b"\nTree=", 0, first_categorical)
    assert WITH_CATEGORIES[start:].split(b"decision_type=")[1].startswith((b"1", b"9"))
    broken = WITH_CATEGORIES[:start] + changed(WITH_CATEGORIES[start:], field, value)
    with pytest.raises(BrokenModel, match="of unknown origin"):
        untrusted.check_trees(broken)


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
            untrusted.check_trees(mutant)
        except BrokenModel:
            continue
        passed.append(mutant)
    assert len(passed) > 50
    assert not ends_a_process(*passed)

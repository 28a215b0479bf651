"""LightGBM's C API against LightGBM's own Python package, to the last digit."""

import gc
import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitory.errors import BrokenModel
from monitory.model import booster as lightgbm_c
from monitory.model.booster import Booster
from tests.support.models import frame, small_text, text, train

MACHINES = [f"EQUIP-{number:03d}" for number in range(12)]


def resident_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**31 - 1),
    columns=st.integers(1, 60),
    trees=st.sampled_from([1, 3, 30, 200]),
    with_machines=st.booleans(),
    objective=st.sampled_from(["regression", "regression_l1", "huber"]),
)
def test_values_and_contributions_are_lightgbm_s_own(
    seed: int, columns: int, trees: int, with_machines: bool, objective: str
) -> None:
    names = [f"f{number}" for number in range(columns)]
    data = frame(names, rows=150, seed=seed, machines=MACHINES if with_machines else ())
    booster = train(data, trees=trees, seed=seed, objective=objective, min_data_per_group=5, cat_smooth=1.0)
    ours = Booster(text(booster))
    codes = data.apply(lambda c: c.cat.codes.astype(float) if c.dtype == "category" else c)
    expected = booster.predict(data, num_threads=1)
    shares = np.asarray(booster.predict(data, pred_contrib=True, num_threads=1))
    for number, row in enumerate(codes.to_numpy(dtype=float)[:40]):
        assert ours.predict(row.tolist()) == np.asarray(expected)[number]
        assert ours.contributions(row.tolist()) == shares[number].tolist()
        assert math.fsum(ours.contributions(row.tolist())) == pytest.approx(ours.predict(row.tolist()), abs=1e-9)


def test_two_thousand_trees_are_no_different() -> None:
    data = frame([f"f{number}" for number in range(5)], rows=100)
    booster = train(data, trees=2000, learning_rate=0.01)
    ours = Booster(text(booster))
    row = data.to_numpy(dtype=float)[7].tolist()
    assert booster.num_trees() == 2000
    assert ours.width == 5
    assert ours.predict(row) == np.asarray(booster.predict([row], num_threads=1))[0]


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e308, -0.0, 5e-324, math.nan])
def test_extreme_values_are_answered_as_lightgbm_does(value: float) -> None:
    booster = train(frame(["a", "b"]))
    row = [value, 50.0]
    assert Booster(text(booster)).predict(row) == np.asarray(booster.predict([row], num_threads=1))[0]


@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_row_of_another_width_is_refused(length: int) -> None:
    booster = Booster(text(train(frame(["a", "b"]))))
    with pytest.raises(ValueError, match="same size"):
        booster.predict([1.0] * length)
    assert math.isfinite(booster.predict([1.0, 2.0]))


@pytest.mark.parametrize("broken", [b"", b"tree\n", b"tree\nversion=v4\n", b"\x00\x01\x02", b"{}"])
def test_a_text_that_is_refused_is_refused_with_the_library_s_words(broken: bytes) -> None:
    with pytest.raises(BrokenModel, match=r"LGBM_BoosterLoadModelFromString: \w+"):
        Booster(broken)


def test_a_model_of_several_outputs_is_refused() -> None:
    data = frame(["a", "b"])
    labels = np.arange(len(data)) % 3
    model = lgb.train(
        {"objective": "multiclass", "num_class": 3, "verbosity": -1, "num_threads": 1}, lgb.Dataset(data, labels), 2
    )
    with pytest.raises(BrokenModel, match="3 outputs"):
        Booster(text(model))


def test_many_threads_get_their_own_answers() -> None:
    data = frame(["a", "b", "c"], rows=200)
    booster = train(data, trees=50)
    ours = Booster(text(booster))
    rows = data.to_numpy(dtype=float).tolist() * 5
    expected = np.asarray(booster.predict(data, num_threads=1)).tolist() * 5
    with ThreadPoolExecutor(8) as executor:
        shares = [executor.submit(lambda row: sum(ours.contributions(row)), row) for row in rows]
        values = list(executor.map(ours.predict, rows))
    assert values == expected
    assert [share.result() for share in shares] == pytest.approx(expected, abs=1e-9)


def test_models_come_and_go_without_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[str] = []
    library = lightgbm_c._library()

    def watch(name: str, free: Callable[[object], int]) -> None:
        def note_and_free(handle: object) -> int:
            freed.append(name)
            return free(handle)

        monkeypatch.setattr(library, name, note_and_free)

    for name in ("LGBM_FastConfigFree", "LGBM_BoosterFree"):
        watch(name, getattr(library, name))
    model = small_text(trees=50)
    for number in range(500):
        Booster(model).predict([1.0] * 6)
        if number == 50:
            gc.collect()
            before = resident_kb()
    gc.collect()
    assert resident_kb() - before < 8_000
    assert freed == ["LGBM_FastConfigFree", "LGBM_FastConfigFree", "LGBM_BoosterFree"] * 500


def test_a_model_lives_as_long_as_a_thread_uses_it() -> None:
    booster = Booster(small_text())
    expected = booster.predict([50.0] * 6)
    answers: list[float] = []

    def use(held: Booster) -> None:
        answers.extend(held.predict([50.0] * 6) for _ in range(2000))

    thread = threading.Thread(target=use, args=(booster,))
    thread.start()
    del booster
    gc.collect()
    thread.join()
    assert answers == [expected] * 2000


def test_a_missing_library_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    lightgbm_c._library.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    try:
        with pytest.raises(BrokenModel, match="not installed"):
            Booster(b"tree\n")
    finally:
        lightgbm_c._library.cache_clear()


def test_a_library_that_the_loader_refuses_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file")

    lightgbm_c._library.cache_clear()
    monkeypatch.setattr("ctypes.CDLL", refuse)
    try:
        with pytest.raises(BrokenModel, match=r"cannot be loaded: libgomp\.so\.1"):
            Booster(b"tree\n")
    finally:
        lightgbm_c._library.cache_clear()

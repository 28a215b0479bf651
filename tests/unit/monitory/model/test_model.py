"""Models by feature name: order, categories, limits, intervals, and what is refused."""

import math
import random

import lightgbm as lgb
import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitory.errors import BrokenModel
from monitory.features import vector
from monitory.model.card import Calibration, CalibrationPoint, decode_card
from monitory.model.model import MAX_MODEL_BYTES, Model
from tests.support.models import CONTRACT_FEATURES, SENSORS, card, frame, small_text, text, train, with_leaves

KNOWN = vector.names(SENSORS)
MACHINES = ["EQUIP-003", "EQUIP-001", "EQUIP-002"]


def loaded(body: bytes) -> Model:
    return Model(body, None, feature_names=KNOWN, cap_days=30.0)


@pytest.mark.parametrize("equip_id", [*MACHINES, "EQUIP-999", ""])
def test_a_foreign_model_is_answered_by_name_with_its_own_categories(equip_id: str) -> None:
    names = list(CONTRACT_FEATURES)
    random.Random(4).shuffle(names)
    data = frame(names, machines=MACHINES, seed=1)
    booster = train(data, trees=40, min_data_per_group=5, cat_smooth=1.0)
    model = loaded(text(booster))
    for number in range(20):
        values = {name: float(data.iloc[number][name]) for name in names}
        asked = data.iloc[[number]].copy()
        asked["equipment"] = pd.Categorical([equip_id])
        own = float(np.asarray(booster.predict(asked, num_threads=1))[0])
        by_name = dict(sorted(values.items()))
        assert model.estimate(by_name, equip_id).raw_days == own
    assert model.knows_machine(equip_id) is (equip_id in MACHINES)


def test_many_rows_at_once_are_answered_as_one_by_one() -> None:
    data = frame(CONTRACT_FEATURES, machines=MACHINES, seed=2)
    model = loaded(text(train(data, trees=40, min_data_per_group=5, cat_smooth=1.0)))
    draw = np.random.default_rng(0)
    numbers = data[list(CONTRACT_FEATURES)].to_numpy(float, copy=True)
    numbers[draw.random(numbers.shape) < 0.1] = math.nan
    owners = draw.choice([*MACHINES, "EQUIP-999"], len(numbers)).tolist()
    rows = np.empty((len(numbers), len(model.features)))
    for at, name in enumerate(model.features):
        own = CONTRACT_FEATURES.index(name) if name in CONTRACT_FEATURES else None
        rows[:, at] = [model.category(owner) for owner in owners] if own is None else numbers[:, own]
    one_by_one = [
        model.value(dict(zip(CONTRACT_FEATURES, row, strict=True)), owner)
        for row, owner in zip(numbers.tolist(), owners, strict=True)
    ]
    assert model.values(rows.data) == one_by_one
    assert len({*one_by_one}) > 10
    assert model.values(rows[:0].copy().data) == []


def test_contributions_are_named_and_add_up() -> None:
    data = frame(CONTRACT_FEATURES, machines=MACHINES)
    model = loaded(text(train(data)))
    estimate = model.estimate(dict.fromkeys(CONTRACT_FEATURES, 55.0), "EQUIP-001")
    assert set(estimate.contributions) == {*CONTRACT_FEATURES, "equipment"}
    assert estimate.base + sum(estimate.contributions.values()) == pytest.approx(estimate.raw_days)


@pytest.mark.parametrize("objective", ["poisson", "gamma", "tweedie"])
def test_shares_of_a_model_with_a_link_function_are_not_passed_off_as_days(objective: str) -> None:
    data = frame(KNOWN[:3])
    days = np.random.default_rng(0).uniform(1, 30, len(data))
    booster = lgb.train({"objective": objective, "verbosity": -1, "num_threads": 1}, lgb.Dataset(data, days), 5)
    values = {name: float(data.iloc[0][name]) for name in data.columns}
    estimate = loaded(text(booster)).estimate(values, "E")
    assert estimate.raw_days == np.asarray(booster.predict(data.iloc[[0]], num_threads=1))[0]
    assert (estimate.base, estimate.contributions) == (estimate.raw_days, {})


def test_a_feature_that_is_not_given_counts_as_missing() -> None:
    model = loaded(small_text())
    missing = dict.fromkeys(KNOWN[:6], math.nan)
    assert model.estimate({}, "E").raw_days == model.estimate(missing, "E").raw_days
    assert model.estimate({"surplus": 1.0}, "E").raw_days == model.estimate(missing, "E").raw_days


@pytest.mark.parametrize(("shift", "days"), [(-1000.0, 0.0), (1000.0, 30.0)])
def test_days_are_limited_and_the_raw_answer_is_kept(shift: float, days: float) -> None:
    data = frame(KNOWN[:6])
    constant = np.arange(len(data)) / len(data) + shift
    booster = lgb.train({"verbosity": -1, "num_threads": 1}, lgb.Dataset(data, constant), 2)
    estimate = loaded(text(booster)).estimate({}, "E")
    assert estimate.days == days
    assert estimate.raw_days == pytest.approx(shift, rel=0.01)
    assert (estimate.low, estimate.high) == (None, None)


def test_the_card_s_cap_and_machines_win() -> None:
    model = Model(small_text(), card(cap_days=1.5), feature_names=KNOWN, cap_days=30.0)
    assert model.cap_days == 1.5
    assert model.estimate({}, "E").days <= 1.5
    assert (model.knows_machine("EQUIP-001"), model.knows_machine("EQUIP-002")) == (True, False)
    assert loaded(small_text()).knows_machine("EQUIP-001") is None
    assert model.value({}, "E") == model.estimate({}, "E").days


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not a LightGBM model text"),
        (b'{"predictor": "json"}', "not a LightGBM model text"),
        (b"\x80\x04\x95pickle", "not a LightGBM model text"),
        (b"tree\nversion=v4\n", "names no features"),
        (b"tree\nversion=v4\nfeature_names=temperature\n", "LGBM_BoosterLoadModelFromString"),
        (
            small_text().replace(b"feature_names=temperature ", b"feature_names=Column_0 "),
            "do not exist here: Column_0",
        ),
        (small_text().replace(b"feature_names=temperature ", b"feature_names="), "Wrong size of feature_names"),
        (b"tree\n" + b"x" * MAX_MODEL_BYTES, "bytes, more than"),
    ],
    ids=lambda value: repr(value[:32]),
)
def test_what_is_no_model_of_ours_is_refused_in_words(body: bytes, said: str) -> None:
    with pytest.raises(BrokenModel, match=said):
        loaded(body)


@pytest.mark.parametrize(
    "categories",
    [
        b"null",
        b"[]",
        b"{}",
        b"[[1], [2]]",
        b"not json",
        b"[7]",
        b"\xff",
        b"[" * 99_999,
        b'[["' + b"E" * (1 << 20) + b'"]]',
    ],
    ids=lambda value: repr(value[:12]),
)
def test_a_machine_feature_without_its_categories_is_refused(categories: bytes) -> None:
    whole = text(train(frame(KNOWN[:2], machines=MACHINES)))
    start = whole.rfind(b"pandas_categorical:")
    with pytest.raises(BrokenModel, match="categories"):
        loaded(whole[:start] + b"pandas_categorical:" + categories + b"\n")


def test_an_answer_that_is_no_number_fails_the_self_test() -> None:
    whole = small_text(trees=1)
    start = whole.index(b"leaf_value=") + len(b"leaf_value=")
    end = whole.index(b"\n", start)
    broken = whole[:start] + b" ".join([b"nan"] * len(whole[start:end].split())) + whole[end:]
    with pytest.raises(BrokenModel, match=r"not a number|LGBM"):
        loaded(broken.replace(b"tree_sizes", b"x"))


def test_shares_that_are_no_numbers_are_left_out() -> None:
    body = with_leaves(small_text(trees=3), {6: b"inf", 10: b"-inf"})
    model = Model(body, card(), feature_names=KNOWN, cap_days=30.0)
    estimate = model.estimate({}, "E")
    assert math.isfinite(estimate.base)
    assert estimate.contributions == {}


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"features": KNOWN[:5]}, "lists other features"),
        ({"sha256": "0" * 64}, "of another model: the SHA-256 differs"),
    ],
)
def test_a_card_of_another_model_is_refused_before_the_text_is_parsed(
    monkeypatch: pytest.MonkeyPatch, others: dict[str, object], said: str
) -> None:
    monkeypatch.setattr("monitory.model.model.Booster", lambda body: pytest.fail("parsed"))
    with pytest.raises(BrokenModel, match=said):
        Model(small_text(), card(**others), feature_names=KNOWN, cap_days=30.0)  # type: ignore[arg-type]


def test_a_card_of_this_model_is_accepted() -> None:
    digest = loaded(small_text()).fingerprint
    assert Model(small_text(), card(sha256=digest), feature_names=KNOWN, cap_days=30.0).fingerprint == digest


def test_the_fingerprint_is_the_text_s_sha256() -> None:
    assert len({loaded(small_text(seed)).fingerprint for seed in (0, 0, 1)}) == 2


ramp = Calibration(0.9, (CalibrationPoint(5.0, -2.0, 3.0), CalibrationPoint(15.0, -4.0, 7.0)))


@pytest.mark.parametrize(
    ("predicted", "low", "high"),
    [(10.0, 7.0, 15.0), (5.0, 3.0, 8.0), (15.0, 11.0, 22.0), (0.5, 0.0, 3.5), (29.0, 25.0, 30.0), (7.5, 5.0, 11.5)],
)
def test_intervals_are_interpolated_between_points_and_held_beyond_them(
    predicted: float, low: float, high: float
) -> None:
    assert list(ramp.interval(predicted, cap=30.0, age=math.nan)) == pytest.approx([low, high])


points = st.lists(
    st.builds(CalibrationPoint, st.floats(0, 30), st.floats(-30, 5), st.floats(-5, 30)), min_size=1, max_size=8
)


@given(points, st.floats(0, 30))
def test_an_interval_holds_its_prediction_and_stays_within_its_limits(
    listed: list[CalibrationPoint], predicted: float
) -> None:
    calibration = Calibration(0.9, tuple(sorted(listed, key=lambda point: point.predicted)))
    low, high = calibration.interval(predicted, cap=30.0, age=math.nan)
    assert 0.0 <= low <= predicted <= high <= 30.0


def test_an_interval_reaches_further_soon_after_a_failure_or_an_unknown_one() -> None:
    points = (CalibrationPoint(15.0, -0.5, 0.4),)
    model = Model(
        small_text(),
        card(calibration=Calibration(0.9, points, early_hours=30.0, early_factor=1.5, unknown_factor=2.0)),
        feature_names=KNOWN,
        cap_days=30.0,
    )
    values = dict.fromkeys(model.features, 50.0)
    for age, factor in ((29.0, 1.5), (30.0, 1.0), (math.nan, 2.0)):
        estimate = model.estimate({**values, vector.AGE: age}, "")
        assert estimate.low == pytest.approx(estimate.days - 0.5 * factor)
        assert estimate.high == pytest.approx(estimate.days + 0.4 * factor)


def test_a_card_round_trips() -> None:
    assert decode_card(msgspec.json.encode(card())) == card()


BROKEN_CARDS: list[tuple[str, object]] = [
    ("trained_at", "yesterday"),
    ("trained_at", "2026-11-20T15:03:12"),
    ("cap_days", 0),
    ("cap_days", "30"),
    ("calibration", {"coverage": 0.9, "points": []}),
    ("sensors", {"sensors": []}),
    ("features", None),
    ("ranges", {"temperature": [1.0]}),
]


@pytest.mark.parametrize(("field", "value"), BROKEN_CARDS)
def test_a_card_that_would_fail_later_is_refused_when_it_is_read(field: str, value: object) -> None:
    fields = msgspec.to_builtins(card())
    with pytest.raises(BrokenModel, match="model card"):
        decode_card(msgspec.json.encode({**fields, field: value}))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"version": "\xff"}', b'{"x":' + b"[" * 100_000])
def test_bytes_that_are_no_card_are_refused(body: bytes) -> None:
    with pytest.raises(BrokenModel, match="model card"):
        decode_card(body)

"""Training on whole lives, and the interval that its out-of-fold predictions give."""

from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from monitory.features.vector import AGE
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.lifetimes import Lifetimes
from monitory_retrain.evaluation.scores import intervals
from monitory_retrain.training import training
from monitory_retrain.training.survival import MIN_LIVES, distribution
from monitory_retrain.training.training import VARIANTS, Recipe, Trained, Variant

NAMES = ("life", "wear", "noise")
CAP = 8.0


def lives(lengths: list[int], seed: int = 0) -> tuple[Floats, Floats, Ints]:
    """Lives of so many hours: x, RUL in days and life of each row. The wear differs from life to life."""
    rng = np.random.default_rng(seed)
    x, rul, life = [], [], []
    for number, hours in enumerate(lengths):
        days = np.arange(hours)[::-1] / 24
        wear = days + rng.normal(0, 0.6) + rng.normal(0, 0.2, hours)
        x.append(np.column_stack([np.full(hours, number), wear, rng.normal(0, 1, hours)]))
        rul.append(days)
        life.append(np.full(hours, number))
    return np.concatenate(x), np.concatenate(rul), np.concatenate(life)


def trained(x: Floats, rul: Floats, life: Ints, seed: int = 0) -> Trained:
    return training.train(x, exact(rul), life, NAMES, Recipe(trees=60, threads=1, seed=seed))


def exact(rul: Floats) -> Lifetimes:
    """Lives whose ends were all seen."""
    return Lifetimes(np.minimum(rul, CAP), np.ones(len(rul), dtype=np.bool_), CAP)


@pytest.fixture
def learnt(monkeypatch: pytest.MonkeyPatch) -> list[set[float]]:
    """The lives that each booster learns from, filled while training."""
    found: list[set[float]] = []
    made = lgb.Dataset

    def watched(data: Floats, *arguments: Any, **others: Any) -> lgb.Dataset:
        found.append(set(data[:, 0].tolist()))
        return made(data, *arguments, **others)

    monkeypatch.setattr(lgb, "Dataset", watched)
    return found


@pytest.mark.parametrize("seed", [0, 1])
def test_every_life_is_learnt_from_the_longest_too(learnt: list[set[float]], seed: int) -> None:
    x, rul, life = lives([100 + 10 * number for number in range(training.FEW_LIVES)])
    trained(x, rul, life, seed)
    assert set().union(*learnt) == set(range(training.FEW_LIVES))


@pytest.mark.parametrize("number", range(9))
def test_what_calibrates_chose_nothing(number: int) -> None:
    """The labels of a life do not move its own out-of-fold predictions."""
    x, rul, life = lives([120] * 9)
    before = trained(x, rul, life).out_of_fold
    changed = rul.copy()
    changed[life == number] = 3.0
    after = trained(x, changed, life).out_of_fold
    assert after[life == number].tolist() == before[life == number].tolist()
    assert after.tolist() != before.tolist()


@pytest.fixture
def boosters(monkeypatch: pytest.MonkeyPatch) -> list[lgb.Booster]:
    """Each booster that is trained, in order."""
    found: list[lgb.Booster] = []
    train = lgb.train

    def kept(*arguments: Any, **others: Any) -> lgb.Booster:
        found.append(train(*arguments, **others))
        return found[-1]

    monkeypatch.setattr(lgb, "train", kept)
    return found


def test_what_calibrates_is_told_by_the_booster_that_did_not_learn_from_it(
    boosters: list[lgb.Booster], learnt: list[set[float]]
) -> None:
    x, rul, life = lives([60] * training.FEW_LIVES)
    made = taught_by(x, exact(rul), life, "plain")
    strangers = np.array([[number not in taught for number in life.tolist()] for taught in learnt])
    assert (strangers.sum(axis=0) == 1).all()
    told = np.array([booster.predict(x) for booster in boosters])
    assert made.out_of_fold == pytest.approx((told * strangers).sum(axis=0))


def test_of_few_lives_the_served_boosters_leave_none_out(boosters: list[lgb.Booster], learnt: list[set[float]]) -> None:
    x, rul, life = lives([60] * (training.FEW_LIVES - 1))
    made = trained(x, rul, life)
    assert made.variant == "balanced"
    assert [len(taught) < training.FEW_LIVES - 1 for taught in learnt] == [True] * 5 + [False] * 5
    served = np.mean([booster.predict(x) for booster in boosters[5:]], axis=0)
    assert lgb.Booster(model_str=made.text).predict(x) == pytest.approx(served)


@pytest.mark.parametrize(("more", "same"), [(-1, True), (0, False)])
def test_few_lives_count_the_same_whatever_their_length(monkeypatch: pytest.MonkeyPatch, more: int, same: bool) -> None:
    weights: list[Any] = []
    made = lgb.Dataset

    def weighed(data: Floats, *arguments: Any, **others: Any) -> lgb.Dataset:
        weights.append(np.bincount(data[:, 0].astype(int), weights=others["weight"]))
        return made(data, *arguments, **others)

    monkeypatch.setattr(lgb, "Dataset", weighed)
    count = training.FEW_LIVES + more
    x, rul, life = lives([40, 400] + [80] * (count - 2))
    taught_by(x, exact(rul), life, "plain")
    short, long = weights[-1][:2] if same else (weights[-1][weights[-1] > 0].min(), weights[-1].max())
    assert (long == pytest.approx(short)) == same


def test_intervals_hold_what_they_promise_of_lives_that_nobody_saw() -> None:
    x, rul, life = lives([150] * 60)
    known = life < 30
    made = trained(x[known], rul[known], life[known])
    interval = distribution(made.out_of_fold, exact(rul[known]), life[known], 0.9)
    assert interval is not None
    rows = lgb.Booster(model_str=made.text).predict(x[~known])
    low, high = intervals(np.clip(np.asarray(rows), 0, CAP), interval, CAP)
    assert 0.82 < ((low <= rul[~known]) & (rul[~known] <= high)).mean() < 0.98


def test_few_lives_give_no_interval() -> None:
    x, rul, life = lives([100] * (MIN_LIVES - 1))
    made = trained(x, rul, life)
    assert distribution(made.out_of_fold, exact(rul), life, 0.9) is None


def test_machines_that_run_on_after_their_first_failure_are_not_told_too_long() -> None:
    lengths = [150 + 10 * number for number in range(16)]
    x, rul, life = lives(lengths)
    again, left, second = lives(lengths, seed=1)
    hours_left = np.array([12 + 8 * number for number in range(16)])
    seen = left - hours_left[second] / 24
    runs_on = seen > -1e-9
    again, left, seen, second = again[runs_on], left[runs_on], seen[runs_on].clip(0), second[runs_on]
    age = np.concatenate([np.full(len(x), np.nan), np.concatenate([np.arange(n) for n in np.bincount(second)])])
    features = np.column_stack([np.concatenate([x, again])[:, 1:], age])
    watched = np.concatenate([rul, seen])
    event = np.concatenate([np.ones(len(rul), dtype=np.bool_), seen >= CAP])
    made = training.train(
        features,
        Lifetimes(np.minimum(watched, CAP), event, CAP),
        np.concatenate([life, second + len(lengths)]),
        ("wear", "noise", AGE),
        Recipe(trees=60, threads=1),
    )
    newest = np.flatnonzero(np.diff(second, append=-1)) + len(x)
    told = lgb.Booster(model_str=made.text).predict(
        features[newest][:, [("wear", "noise", AGE).index(n) for n in made.features]]
    )
    worn = slice(8)  # less than three days left
    assert np.abs(told - hours_left / 24)[worn].mean() < 1  # 2.0, were hazards to learn from the age


def taught_by(x: Floats, known: Lifetimes, life: Ints, variant: Variant | None) -> Trained:
    return training.train(x, known, life, NAMES, Recipe(trees=60, threads=1, variant=variant))


def error(model: Trained, known: Lifetimes) -> float:
    true, rows = known.time[model.rows], model.settled
    told = np.clip(model.out_of_fold, 0, known.cap)
    return float(np.average(np.abs(told - true)[rows], weights=(1 / (1 + true))[rows]))


@pytest.mark.parametrize(("lengths", "best"), [([40, 400], "plain"), ([200, 200], "median")])
def test_the_variant_with_the_least_error_out_of_fold_is_taken(lengths: list[int], best: Variant) -> None:
    x, rul, life = lives(lengths * (training.FEW_LIVES // 2))
    if best == "median":  # hardly any row near a failure
        kept = (rul > 2) | (np.random.default_rng(1).random(len(rul)) < 0.05)
        x, rul, life = x[kept], rul[kept], life[kept]
    known = exact(rul)
    made = {variant: taught_by(x, known, life, variant) for variant in VARIANTS}
    assert len({one.text for one in made.values()}) == len(VARIANTS)
    errors = {variant: error(one, known) for variant, one in made.items()}
    assert min(VARIANTS, key=errors.__getitem__) == best
    chosen = taught_by(x, known, life, None)
    assert chosen.variant == best
    assert chosen.text == made[best].text


def test_rows_whose_end_was_not_seen_have_a_say_in_what_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    x, rul, life = lives([200] * training.FEW_LIVES)
    judged: list[Floats] = []
    true_error = training._error

    def watched(out_of_fold: Floats, rul: Floats, cap: float, settled: Any) -> float:
        judged.append(rul)
        return true_error(out_of_fold, rul, cap, settled)

    monkeypatch.setattr(training, "_error", watched)
    unseen = life % 2 == 0
    taught_by(x, Lifetimes(np.where(unseen, rul / 2, rul), ~unseen, CAP), life, None)
    assert len(judged) == len(VARIANTS)
    assert all((one == judged[0]).all() and len(one) == len(rul) for one in judged)
    assert (judged[0][unseen] >= rul[unseen] / 2).all()
    assert (judged[0][unseen] > rul[unseen] / 2).mean() > 0.9


def test_the_median_lies_below_the_mean_where_lives_end_unforeseen() -> None:
    x, rul, life = lives([48, 96, 192, 384] * (training.FEW_LIVES // 4))
    x[:, 0] = 0.0  # nothing tells how worn a machine is
    plain, middle = (taught_by(x, exact(rul), life, variant) for variant in ("plain", "median"))
    assert np.median(middle.out_of_fold) < np.median(plain.out_of_fold)

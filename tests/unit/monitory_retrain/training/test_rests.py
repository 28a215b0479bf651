"""Rests of lives whose end was not seen."""

import lightgbm as lgb
import numpy as np
import pytest

from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.lifetimes import Lifetimes
from monitory_retrain.training.rests import DRAWS, Rests

CAP = 20.0


@pytest.fixture(scope="module")
def lives() -> Lifetimes:
    rng = np.random.default_rng(0)
    time, seen = rng.exponential(8.0, 2000), rng.uniform(0, 12, 2000)
    return Lifetimes(np.minimum(np.minimum(time, seen), CAP), time <= seen, CAP)


@pytest.fixture(scope="module")
def rests(lives: Lifetimes) -> Rests:
    return Rests(np.random.default_rng(1).normal(size=(len(lives.time), 2)), lives, seed=0, threads=1)


def weigh(rul: Floats) -> Floats:
    return 1 / (1 + rul)


def test_ends_that_were_seen_are_what_was_seen(rests: Rests, lives: Lifetimes) -> None:
    rul, weight = rests.mean(3, weigh)
    assert rul[lives.event].tolist() == lives.time[lives.event].tolist()
    assert weight[lives.event] == pytest.approx(weigh(lives.time[lives.event]))
    assert np.all((rul >= lives.time - 1e-9) & (rul <= CAP + 1e-9))


def test_a_squared_error_learns_from_the_mean_what_it_learns_from_every_draw(rests: Rests) -> None:
    draws = [rests.draw(3, number) for number in range(DRAWS)]
    assert len({draw.tobytes() for draw in draws}) == DRAWS
    x = np.arange(len(draws[0]), dtype=float)[:, None] % 50
    rul, weight = rests.mean(3, weigh)
    parameters = {"objective": "regression", "min_data_in_leaf": 1, "verbose": -1, "num_threads": 1}
    once = lgb.train(parameters, lgb.Dataset(x, rul, weight=weight), 20)
    every = np.concatenate(draws)
    repeated = lgb.train(parameters, lgb.Dataset(np.tile(x, (DRAWS, 1)), every, weight=weigh(every)), 20)
    assert once.predict(x[:50]) == pytest.approx(repeated.predict(x[:50]), rel=1e-3)


def test_where_all_ends_were_seen_nothing_is_drawn(lives: Lifetimes) -> None:
    seen = lives.take(lives.event)
    rul, weight = Rests(np.zeros((len(seen.time), 1)), seen, seed=0, threads=1).mean(0, weigh)
    assert rul.tolist() == seen.time.tolist()
    assert weight.tolist() == weigh(seen.time).tolist()

"""Scores of machines of which some were not seen to fail, held against what is true of all."""

import numpy as np
import pytest

from monitory_retrain.array_types import Floats
from monitory_retrain.evaluation.scores import absolute_errors, brier, covered, score

RNG = np.random.default_rng(0)
N = 20_000
LIFE: Floats = RNG.exponential(6.0, N)
WATCHED: Floats = RNG.uniform(0.0, 10.0, N)
SEEN: Floats = np.minimum(LIFE, WATCHED)


def test_where_all_is_known_the_scores_are_the_plain_ones() -> None:
    predicted = LIFE + RNG.normal(0, 1, N)
    scores = score(LIFE, predicted)
    error = predicted - LIFE
    assert scores.mae == pytest.approx(np.abs(error).mean())
    assert scores.r2 == pytest.approx(1 - (error**2).sum() / ((LIFE - LIFE.mean()) ** 2).sum(), abs=1e-3)
    assert scores.near_mae == pytest.approx(np.abs(error)[LIFE <= 3].mean())


def test_an_error_counts_as_far_as_the_machine_was_watched() -> None:
    true, watched = np.array([2.0, 5.0, 5.0]), np.array([5.0, 5.0, 5.0])
    assert absolute_errors(true, np.array([4.0, 23.4, 3.9]), watched).tolist() == [2.0, 0.0, pytest.approx(1.1)]


def test_the_best_constant_explains_nothing_however_few_failures_were_seen() -> None:
    answers = np.linspace(0.5, 12.0, 116)
    best = max(answers, key=lambda answer: score(SEEN, np.full(N, answer), watched=WATCHED).r2 or -9.0)
    assert score(SEEN, np.full(N, best), watched=WATCHED).r2 == pytest.approx(0.0, abs=0.01)


def test_coverage_of_censored_machines_is_that_of_all() -> None:
    low, high = np.full(N, 2.0), np.full(N, 7.0)
    share = ((LIFE >= 2) & (LIFE <= 7)).mean()
    assert covered(LIFE, low, high, 30.0, np.full(N, np.inf)) == pytest.approx(share)
    assert covered(SEEN, low, high, 30.0, WATCHED) == pytest.approx(share, abs=0.02)


def test_the_brier_score_of_censored_machines_is_that_of_all() -> None:
    probability = {days: np.full(N, 1 - np.exp(-days / 6)) for days in (1, 3, 5)}
    whole = np.mean([((chance - (days >= LIFE)) ** 2).mean() for days, chance in probability.items()])
    assert brier(SEEN, WATCHED, probability, 30.0) == pytest.approx(float(whole), abs=0.01)


def test_horizons_that_nobody_was_watched_for_judge_nothing() -> None:
    sure = np.zeros(N)
    assert brier(SEEN, WATCHED, {14: sure}, 30.0) is None
    assert brier(LIFE, np.full(N, np.inf), {30: sure}, 30.0) is None, "the cap is no failure"

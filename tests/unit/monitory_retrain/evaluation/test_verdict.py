"""Verdicts: each with the reason that decides."""

import msgspec
import numpy as np

from monitory_retrain.array_types import Floats
from monitory_retrain.evaluation.holdout import Baselines
from monitory_retrain.evaluation.scores import score
from monitory_retrain.evaluation.verdict import Verdict, against, compare, first

RNG = np.random.default_rng(0)
TRUE: Floats = RNG.uniform(0, 12, 2400)
MACHINE = np.repeat(np.arange(10), 240)
DAY = np.tile(np.arange(240) // 24, 10)
GOOD: Floats = TRUE + RNG.normal(0, 1.0, 2400)


def rules(mean_mae: float, last_life_mae: float, brier: tuple[float, float] | None = None) -> Baselines:
    """Baselines with these errors and, if given, Brier scores."""
    some = score(TRUE, GOOD)
    briers = brier or (None, None)
    return Baselines(
        *(
            msgspec.structs.replace(some, mae=mae, brier=value)
            for mae, value in zip((mean_mae, last_life_mae), briers, strict=True)
        )
    )


BASELINES = rules(3.0, 5.0)


def ruling(champion: Floats, challenger: Floats, **changes: float | None) -> Verdict:
    ours, theirs = score(TRUE, challenger), score(TRUE, champion)
    pair = compare(TRUE, champion, challenger, MACHINE, DAY)
    theirs = msgspec.structs.replace(theirs, coverage=0.9)
    ours = msgspec.structs.replace(ours, **{"coverage": 0.9, **changes})
    return against(theirs, ours, pair, BASELINES, margin=0.02, coverage=0.9)


def test_a_worse_challenger_stays_out() -> None:
    rng = np.random.default_rng(1)
    made = ruling(GOOD, TRUE + rng.normal(0, 1.5, 2400))
    assert not made.promote
    assert made.reasons[0].startswith("worse than the champion: MAE 1.")
    assert made.comparison is not None
    assert made.comparison.low > 0


def test_an_equal_challenger_stays_out() -> None:
    made = ruling(GOOD, GOOD)
    assert not made.promote
    assert made.reasons[0].startswith("not better by the margin of 2%")


def test_a_better_challenger_is_promoted() -> None:
    rng = np.random.default_rng(1)
    made = ruling(GOOD, TRUE + rng.normal(0, 0.7, 2400))
    assert made.promote
    assert made.reasons[0].startswith("better than the champion by ")
    assert made.comparison is not None
    assert made.comparison.high < 0
    assert made.comparison.blocks == 100


def test_better_by_chance_is_not_better() -> None:
    champion, challenger = GOOD.copy(), GOOD.copy()
    challenger[:24] = TRUE[:24]  # one machine-day
    champion[:24] = TRUE[:24] + 10
    made = ruling(champion, challenger)
    assert not made.promote
    assert made.reasons[0].startswith("better, but not significantly")


def test_better_overall_but_worse_near_failure_stays_out() -> None:
    rng = np.random.default_rng(1)
    near = TRUE <= 3
    challenger = np.where(near, TRUE + 2.5 * np.sign(GOOD - TRUE), TRUE + rng.normal(0, 0.1, 2400))
    made = ruling(GOOD, challenger)
    assert not made.promote
    assert made.reasons == (made.reasons[0],)
    assert made.reasons[0].startswith("worse near failure (RUL <= 3 days): MAE 2.50")


def test_intervals_that_hold_too_little_are_a_veto_and_those_that_hold_more_are_not() -> None:
    rng = np.random.default_rng(1)
    better = TRUE + rng.normal(0, 0.7, 2400)
    assert not ruling(GOOD, better, coverage=0.8).promote
    assert "cover 80%" in ruling(GOOD, better, coverage=0.8).reasons[0]
    assert ruling(GOOD, better, coverage=1.0).promote


def test_a_challenger_without_an_interval_does_not_replace_one_that_has_it() -> None:
    rng = np.random.default_rng(1)
    better = TRUE + rng.normal(0, 0.7, 2400)
    assert "no interval" in ruling(GOOD, better, coverage=None).reasons[0]


def test_coverage_does_not_sink_with_every_promotion() -> None:
    rng = np.random.default_rng(1)
    better = TRUE + rng.normal(0, 0.7, 2400)
    pair = compare(TRUE, GOOD, better, MACHINE, DAY)
    low = msgspec.structs.replace(score(TRUE, GOOD), coverage=0.8)
    for coverage, promoted in ((0.79, False), (0.8, True), (0.86, True)):
        ours = msgspec.structs.replace(score(TRUE, better), coverage=coverage)
        assert against(low, ours, pair, BASELINES, margin=0.02, coverage=0.9).promote == promoted


def test_a_first_model_must_explain_and_beat_both_rules() -> None:
    good = score(TRUE, GOOD)
    assert first(good, rules(3.0, 2.0)).promote
    assert "training mean" in first(good, rules(0.5, 2.0)).reasons[0]
    assert "last-life baseline" in first(good, rules(3.0, 0.5)).reasons[0]
    poor = score(TRUE, np.full(2400, TRUE.mean()))
    assert "R² on the hold-out is" in first(poor, rules(9.0, 9.0)).reasons[0]


def test_a_hold_out_of_a_few_hours_decides_nothing() -> None:
    made = first(score(TRUE[:20], GOOD[:20]), rules(9.0, 9.0))
    assert not made.promote
    assert "20 hours" in made.reasons[0]


def test_a_challenger_that_beats_a_poor_champion_still_has_to_pass_the_bar() -> None:
    awful: Floats = np.full(2400, 25.0)
    poor: Floats = np.full(2400, TRUE.mean() + 1.2)
    made = ruling(awful, poor)
    assert not made.promote
    assert made.reasons[0] == f"R² on the hold-out is {score(TRUE, poor).r2:.2f}, a served model needs 0.2"
    assert made.reasons[1].startswith("MAE 3.")
    assert made.reasons[1].endswith("does not beat the training mean with 3.00")
    assert ruling(awful, GOOD).promote


def test_the_bar_and_the_champion_are_both_named_where_neither_is_passed() -> None:
    made = ruling(GOOD, np.full(2400, TRUE.mean()), r2=None)
    assert made.reasons[0] == "R² on the hold-out is undefined, a served model needs 0.2"
    assert made.reasons[-2].startswith("worse than the champion")


def test_probabilities_of_failure_are_what_a_model_that_has_them_is_held_to() -> None:
    # most machines outlive the hold-out: its error is no lower than the mean's, its probabilities are far better
    blunt = msgspec.structs.replace(score(TRUE, GOOD), mae=0.085, r2=-0.05, brier=0.021)
    assert first(blunt, rules(0.081, 2.2, (0.034, 0.4))).promote
    assert "skill 0.38" in first(blunt, rules(0.081, 2.2, (0.034, 0.4))).reasons[0]
    poor = first(blunt, rules(9.0, 9.0, (0.022, 0.4)))
    assert poor.reasons == ("its probabilities of failure have a skill of 0.05, a served model needs 0.1",)
    beaten = first(blunt, rules(9.0, 9.0, (0.034, 0.02)))
    assert beaten.reasons == ("Brier score 0.021 does not beat the last-life baseline with 0.020",)


def test_a_hold_out_without_a_failure_decides_nothing() -> None:
    healthy = msgspec.structs.replace(score(TRUE, GOOD), near_rows=0, near_mae=None, brier=0.001)
    made = first(healthy, rules(9.0, 9.0, (0.5, 0.5)))
    assert not made.promote
    assert made.reasons == ("no failure fell into the hold-out, so nothing tells how right the model is",)

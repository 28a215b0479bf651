"""Coverage of the interval: by parts, and what is to be done about it, which chance must not decide."""

import numpy as np
import pytest

from monitory_retrain.evaluation.scores import intervals
from monitory_retrain.report import coverage
from tests.support import reports


def test_coverage_is_told_overall_and_by_thirds() -> None:
    found = reports.findings()
    new = found.challenger
    assert new.calibration is not None
    parts = coverage.parts(new.split, new.predicted, new.calibration, found.card.cap_days)
    assert len(parts) == 4
    assert parts[0].share == pytest.approx(new.scores.coverage)
    known = np.flatnonzero(~np.isnan(new.split.holdout.rul))
    seen = new.split._replace(holdout=new.split.holdout.take(known), ends=new.split.ends + 1000)
    parts = coverage.parts(seen, new.predicted[known], new.calibration, found.card.cap_days)
    assert np.mean([part.share for part in parts[1:]]) == pytest.approx(parts[0].share, abs=0.01)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_nothing_is_said_of_few_lives(share: float) -> None:
    advice = coverage.of_share(share, 0.0, 0.9, coverage.ENOUGH_LIVES - 1)
    assert (advice.tone, advice.remedy) == ("", None)
    assert str(advice.finding) == "Too few lives to judge the interval: 9 in the hold-out, 10 are needed."


@pytest.mark.parametrize(("share", "lives"), [(0.9, 1000), (0.86, 1000), (0.94, 1000), (0.8, 20), (1.0, 20)])
def test_there_is_no_advice_within_noise_or_tolerance(share: float, lives: int) -> None:
    advice = coverage.of_share(share, 0.0, 0.9, lives)
    assert (advice.tone, advice.remedy) == ("good", None)
    assert "Nothing to do." in str(advice.finding)


def test_an_interval_that_is_clearly_too_narrow_is_to_be_widened() -> None:
    advice = coverage.of_share(0.6, 0.3, 0.9, 40)
    assert advice.tone == "warn"
    assert str(advice.finding).startswith("Too narrow: 60% of true RUL lie within, 90% are intended")
    assert "with 40 lives explains 72% at most. 30% fail before the interval, 10% after it." in str(advice.finding)
    assert "raise COVERAGE (parameter Coverage) from 0.9 to 0.95" in str(advice.remedy)


def test_an_interval_that_is_clearly_too_wide_is_to_be_narrowed() -> None:
    advice = coverage.of_share(1.0, 0.0, 0.9, 60)
    assert advice.tone == "warn"
    assert str(advice.finding).startswith("Too wide: 100% of true RUL lie within, 90% are intended")
    assert "lower COVERAGE (parameter Coverage) from 0.9 to 0.85" in str(advice.remedy)


@pytest.mark.parametrize("target", [0.02, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_advice_names_a_value_that_the_setting_takes(share: float, target: float) -> None:
    advice = coverage.of_share(share, 0.0, target, 10_000)
    if advice.remedy:
        value = advice.remedy.values.get("higher") or advice.remedy.values["lower"]
        assert 0 < float(str(value)) < 1


def test_a_life_counts_once_whatever_its_hours() -> None:
    found = reports.challenger()
    assert found.calibration is not None
    cap = reports.SETTINGS.max_rul_days
    advice = coverage.advice(found.split, found.predicted, found.calibration, cap)
    low, high = intervals(found.predicted, found.calibration, cap, found.split.holdout.age)
    # the others were not watched into their interval, and may yet fail after it
    told = (found.split.watched >= low) | (high >= cap)
    lives = len(np.unique(found.split.holdout.life[told]))
    assert 1 < lives < told.sum() / 10
    assert advice.finding.values["lives"] == lives


def test_plausible_shares_are_wilsons() -> None:
    assert coverage.plausible(0.5, 100) == pytest.approx((0.4189, 0.5811), abs=1e-4)
    assert coverage.plausible(0.0, 10)[0] == 0

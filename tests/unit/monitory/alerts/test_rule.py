"""The rule of alerts, and that training judges models by the same."""

import numpy as np
import pytest

from monitory.alerts.rule import Rule
from monitory_retrain.evaluation.announcements import standing


@pytest.mark.parametrize("seed", range(20))
def test_without_a_margin_alerts_stand_when_training_says_that_announcements_do(seed: int) -> None:
    random = np.random.default_rng(seed)
    days = random.uniform(4, 6, 300)
    rule = Rule(limits_days=(5.0,), margin_days=0.0)
    level, levels = 0, []
    for hour in range(len(days)):
        level = rule.level(days[max(hour - rule.recent + 1, 0) : hour + 1], level)
        levels.append(level)
    begins, ends = standing(np.arange(len(days)), days <= 5.0)
    expected = np.zeros(len(days), dtype=int)
    for begin, end in zip(begins, ends, strict=True):
        expected[begin:end] = 1
    assert levels == expected.tolist()


def test_each_limit_has_its_level() -> None:
    assert [Rule().level([days] * 3, 0) for days in (5.1, 5.0, 3.1, 3.0, 0.0)] == [0, 1, 1, 2, 2]


def test_single_low_hours_raise_nothing_and_single_high_ones_clear_nothing() -> None:
    assert Rule().level([9, 9, 4, 9, 4, 9], 0) == 0
    assert Rule().level([9, 9, 4, 9, 9, 9], 1) == 1


def test_a_level_is_cleared_by_a_margin_above_its_limit() -> None:
    assert Rule().level([5.9] * 6, 1) == 1
    assert Rule().level([6.1] * 6, 1) == 0
    assert Rule().level([4.1] * 6, 2) == 1

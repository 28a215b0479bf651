"""Announcements at D-5 and D-3, told from hourly predictions and what became of the machines."""

import numpy as np
import numpy.typing as npt
import pytest

from monitory.features import vector
from monitory.machine import Machine
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.evaluation.announcements import Announcements, announcements, standing

CAP = 30.0
DAY = 24


def rows(*runs: tuple[int, int, int | None]) -> Dataset:
    """Runs of machines of their own: first hour, hours, and how many hours before the failure it begins."""
    hour, rul, seen, run = [], [], [], []
    for number, (first, count, to_failure) in enumerate(runs):
        for at in range(count):
            hour.append(first + at)
            run.append(number)
            left = (to_failure - at) / DAY if to_failure is not None else np.inf
            watched = (count - 1 - at) / DAY
            rul.append(min(left, CAP) if to_failure is not None else np.nan)
            seen.append(min(left, CAP) if to_failure is not None else watched)
    n = len(hour)
    ints = np.array(run, dtype=np.int64)
    return Dataset(
        (vector.AGE,),
        np.zeros((n, 1)),
        np.array(rul),
        np.array(seen),
        ints,
        np.array(hour, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        ints,
        [Machine("ZONE-001", f"EQUIP-{number}") for number in range(len(runs))],
    )


def at_five(holdout: Dataset, predicted: Floats) -> Announcements:
    return announcements(holdout, predicted, CAP)[0]


def true_days(holdout: Dataset) -> Floats:
    return np.where(np.isnan(holdout.rul), CAP, holdout.rul)


def test_exact_predictions_announce_every_failure_five_days_before_and_nothing_else() -> None:
    holdout = rows((0, 10 * DAY, 10 * DAY), (0, 20 * DAY, 20 * DAY), (0, 20 * DAY, None))
    five, three = announcements(holdout, true_days(holdout), CAP)
    assert (five.failures, five.announced, five.raised, five.false) == (2, 2, 2, 0)
    assert five.median_lead_days == pytest.approx(5 - 2 / DAY)  # the third hour at or below the limit decides
    assert (three.failures, three.announced) == (2, 2)
    assert three.low_lead_days == pytest.approx(3 - 2 / DAY)


def test_a_failure_without_an_announcement_counts_as_a_lead_of_nothing() -> None:
    holdout = rows((0, 10 * DAY, 10 * DAY), (0, 10 * DAY, 10 * DAY))
    predicted = np.where(holdout.life == 0, true_days(holdout), CAP)
    five = at_five(holdout, predicted)
    assert (five.failures, five.announced) == (2, 1)
    assert five.low_lead_days == pytest.approx(0.1 * (5 - 2 / DAY))


def test_single_low_predictions_announce_nothing() -> None:
    holdout = rows((0, 40 * DAY, None))
    predicted = np.where(holdout.hour % 5 == 0, 1.0, CAP)  # two of any six hours at most
    assert at_five(holdout, predicted).raised == 0


def test_an_announcement_is_false_when_the_machine_runs_for_twice_the_limit() -> None:
    holdout = rows((0, 11 * DAY, None))
    always = np.full(len(holdout), 4.0)
    five = at_five(holdout, always)
    assert (five.raised, five.false) == (1, 1)
    assert five.false_per_machine_month == pytest.approx(30 / 11)


def test_an_announcement_that_stands_at_the_end_of_the_data_is_not_false_yet() -> None:
    holdout = rows((0, 9 * DAY, None))
    five = at_five(holdout, np.full(len(holdout), 4.0))
    assert (five.raised, five.false) == (1, 0)


def test_a_withdrawn_announcement_is_false_unless_the_machine_fails_in_time() -> None:
    ran_on, failed = (0, 9 * DAY, None), (0, 9 * DAY, 9 * DAY)
    for run, false in ((ran_on, 1), (failed, 0)):
        holdout = rows(run)
        predicted = np.where((holdout.hour >= DAY) & (holdout.hour < 2 * DAY), 4.0, CAP)
        five = at_five(holdout, predicted)
        assert (five.raised, five.false, five.announced) == (1, false, 0)


def test_failures_that_follow_the_start_of_the_holdout_too_soon_are_not_judged() -> None:
    cut = rows((0, 2 * DAY, 2 * DAY), (0, 20 * DAY, None))
    assert at_five(cut, true_days(cut)).failures == 0
    whole = rows((5 * DAY, 2 * DAY, 2 * DAY), (0, 20 * DAY, None))
    five = at_five(whole, true_days(whole))
    assert (five.failures, five.announced) == (1, 1)
    assert five.median_lead_days == pytest.approx(2 - 2 / DAY)


def test_the_hour_of_the_failure_announces_nothing() -> None:
    holdout = rows((0, 10 * DAY + 1, 10 * DAY))
    late = np.where(holdout.rul < 3 / DAY, 0.0, CAP)
    assert at_five(holdout, late).announced == 0  # two low hours before it, and the failure's own


def test_hours_that_are_missing_do_not_count_as_recent() -> None:
    hour = np.array([0, 10, 20, 21, 22], dtype=np.int64)
    below = np.ones(5, dtype=np.bool_)
    begins, ends = standing(hour, below)
    assert (begins.tolist(), ends.tolist()) == ([4], [5])


def test_the_order_of_rows_does_not_matter_and_none_is_no_error() -> None:
    holdout = rows((0, 10 * DAY, 10 * DAY), (0, 20 * DAY, None))
    predicted = true_days(holdout)
    shuffled: npt.NDArray[np.int64] = np.random.default_rng(0).permutation(len(holdout))
    assert announcements(holdout.take(shuffled), predicted[shuffled], CAP) == announcements(holdout, predicted, CAP)
    nothing = at_five(holdout.take(shuffled[:0]), predicted[:0])
    assert (nothing.failures, nothing.median_lead_days, nothing.false_per_machine_month) == (0, None, None)

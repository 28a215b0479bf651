"""What a backfill costs: arithmetic that can be followed by hand."""

import pytest

from monitory_retrain.check import prices
from monitory_retrain.check.prices import Measured

MEASURED = Measured(object_seconds=0.01)


def test_a_backfill_is_cut_as_the_planner_cuts_it() -> None:
    read = prices.backfill(250, 10, 24, 19.8, MEASURED)
    assert (read.machine_days, read.objects, read.batches) == (2_500, 60_000, 30)
    assert read.batch_seconds == pytest.approx(100 * 19.8 / 75), "the network takes longer than the core"
    assert prices.backfill(250, 10, 24, 0.1, MEASURED).batch_seconds == pytest.approx(24.0)
    assert prices.backfill(3, 10, 24, 20_000.0, MEASURED).batches == 30, "a machine-day of more is a batch of its own"


def test_more_at_once_takes_less_time_and_costs_the_same() -> None:
    read = prices.backfill(1_000, 21, 24, 0.1, MEASURED)
    assert [read.seconds(concurrency) for concurrency in (1, 5, 50)] == pytest.approx([5_040.0, 1_008.0, 120.0])
    function = 5_040 * 1769 / 1024 * 16.6667e-6
    requests = (504_000 + 210) * 0.35e-6 + (21_000 + 210) * 4.5e-6
    assert read.dollars == pytest.approx(function + requests + 210 * 4 * 25e-6)

"""What is missing before training, in words."""

import pytest

from monitory.settings import RetrainSettings
from monitory_retrain.dataset import labels
from monitory_retrain.dataset.sufficiency import Supply, short_span, shortfalls, supply
from tests.support import reports

ENOUGH = Supply(days=21, machines=5, readings=1_000_000, failures=5, maintenance=0, labelled_rows=2000)


@pytest.mark.parametrize(
    ("failures", "maintenance", "missing"),
    [
        (5, 0, []),
        (1, 4, []),  # runs end, whichever way
        (2, 2, ["4 runs that ended (2 in a failure, 2 in maintenance), 5 are needed"]),
        (0, 0, ["0 runs that ended (0 in a failure, 0 in maintenance), 5 are needed"]),
        (0, 40, ["no failures, only 40 runs that maintenance ended: one failure is needed"]),
    ],
)
def test_runs_count_that_ended_either_way(failures: int, maintenance: int, missing: list[str]) -> None:
    supply = ENOUGH._replace(failures=failures, maintenance=maintenance)
    assert shortfalls(supply, RetrainSettings()) == missing


def test_every_shortfall_is_named() -> None:
    few = shortfalls(Supply(3, 1, 10, 5, 0, 199), RetrainSettings())
    assert few == [
        "3 days with data, 7 are needed",
        "1 machines, 2 are needed",
        "10 readings, 50,000 are needed",
        "199 labelled hours, 200 are needed",
    ]


def test_history_does_not_count_as_supply() -> None:
    table = reports.table()
    found = labels.label(table, reports.SENSORS, cap_days=30.0, share=0.5, count=1)
    half = int(table.hour.min()) + 8 * 24
    everything, newer = supply(table, found), supply(table, found, half)
    older = {machine: [hour for hour in hours if hour < half] for machine, hours in found.failures.items()}
    assert (everything.days, newer.days) == (15, 8)  # of 16 dates one is missing
    assert newer.failures == everything.failures - sum(map(len, older.values())) > 0
    assert 0 < newer.labelled_rows < everything.labelled_rows
    assert newer.readings == 4320 * int((table.hour >= half).sum())


@pytest.mark.parametrize(("days", "warns"), [(21, True), (30, True), (31, False)])
def test_data_that_does_not_reach_the_cap_is_named_with_the_remedy(days: int, warns: bool) -> None:
    warning = short_span(1000, 1000 + days * 24 - 1, RetrainSettings())
    assert bool(warning) is warns
    if warning:
        assert warning.startswith(f"the data spans {days:.1f} days, MAX_RUL_DAYS is 30")
        assert "TRAINING_DAYS" in warning

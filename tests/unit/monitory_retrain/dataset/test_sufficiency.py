"""What is missing before training, in words."""

import pytest

from monitory.settings import RetrainSettings
from monitory_retrain.dataset.sufficiency import Supply, shortfalls

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

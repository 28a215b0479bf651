"""A machine's runs by its stops, and what was predicted before they ended."""

import pytest

from monitory import clock
from monitory.features.failure_state import Stops
from monitory.features.machine_state import Stop, Timeline
from monitory.scoring.trends import TrendPoint
from monitory_predict.views.machine_runs import MOST_RUNS, Run, run_views, runs

NEWEST, PRESENT = 1000, 1001


def stops(
    failures: list[Stop] | None = None, maintenance: list[Stop] | None = None, stored: int | None = None
) -> Stops:
    return Stops(Timeline(failures or [], maintenance or [], []), stored)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(stops(), [Run(None)], id="no stop is known"),
        pytest.param(
            stops([Stop(500, 510, "bearing")], [Stop(700, 703)]),
            [Run(None, 500, "failure", "bearing"), Run(511, 700, "maintenance"), Run(704)],
            id="each stop ends a run and begins another",
        ),
        pytest.param(stops([Stop(990, 1000)]), [Run(None, 990, "failure")], id="it still fails"),
        pytest.param(
            stops(maintenance=[Stop(1001, 1001)]),
            [Run(None, 1001, "maintenance")],
            id="work began after the newest hour",
        ),
        pytest.param(stops(maintenance=[Stop(1002, 1010)]), [Run(None)], id="work is planned"),
        pytest.param(
            stops([Stop(500, 510)], [Stop(505, 520)]),
            [Run(None, 500, "failure"), Run(521)],
            id="stops that overlap have no run between",
        ),
        pytest.param(stops(stored=600), [Run(None, 600), Run(601)], id="retraining saw a stop, nobody knows which"),
        pytest.param(
            stops([Stop(590, 590)], stored=600),
            [Run(None, 590, "failure"), Run(601)],
            id="retraining saw until when a failure lasted",
        ),
        pytest.param(
            stops([Stop(300, 300)], stored=600),
            [Run(None, 300, "failure"), Run(301, 600), Run(601)],
            id="retraining saw another one since",
        ),
        pytest.param(stops([Stop(590, 605)], stored=600), [Run(None, 590, "failure"), Run(606)], id="it saw less"),
    ],
)
def test_runs_lie_between_stops(known: Stops, expected: list[Run]) -> None:
    assert runs(known, NEWEST, PRESENT) == expected


def test_where_the_logbook_has_every_failure_retraining_saw_none_beside() -> None:
    known = stops([Stop(300, 300)], stored=600)
    assert runs(known, NEWEST, PRESENT, logbook_decides=True) == [Run(None, 300, "failure"), Run(601)]


def trend(*hours: int) -> list[TrendPoint]:
    return [TrendPoint(hour, hour / 100, 1.0, None, "vibration", -2.0) for hour in hours]


def test_what_was_predicted_is_the_newest_point_so_many_days_before_the_end_or_a_little_older() -> None:
    end = 996
    week, three, one = (end - 1 - days * 24 for days in (7, 3, 1))
    points = trend(week - 6, week - 5, week + 1, three, one - 6, one + 1)
    (view,) = run_views([Run(100, end, "failure")], points)
    assert [(said.days_before, said.rul_days) for said in view.predicted] == [(7, (week - 5) / 100), (3, three / 100)]
    assert view.predicted[0].at == clock.hour_start(week - 4)
    assert (view.predicted[0].low, view.predicted[0].high) == (1.0, None)


def test_a_point_of_the_run_before_says_nothing_about_this_one() -> None:
    end = 996
    (view,) = run_views([Run(end - 25, end, "maintenance")], trend(end - 27, end - 26))
    assert view.predicted == []
    (view,) = run_views([Run(end - 25, end, "maintenance")], trend(end - 25))
    assert [said.days_before for said in view.predicted] == [1]


def test_the_newest_runs_come_first_and_no_more_than_are_read() -> None:
    series = [Run(number * 10, number * 10 + 5, "failure") for number in range(MOST_RUNS + 5)] + [Run(9000)]
    views = run_views(series, [])
    assert len(views) == MOST_RUNS
    assert (views[0].began_at, views[0].ended_at, views[0].end) == (clock.hour_start(9000), None, None)
    assert views[1].ended_at == clock.hour_start((MOST_RUNS + 4) * 10 + 5)

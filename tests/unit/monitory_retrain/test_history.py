"""Rows from before the range teach; the range decides whether there is enough, and judges."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from monitory.clock import first_hour
from monitory.features.failure_state import FailureState
from monitory.log import logger
from monitory.machine import Machine
from monitory_retrain import history, pipeline
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest.ingest import Ingest
from monitory_retrain.invocation.events import TrainingRequest
from tests.support import reports

NIGHT = TrainingRequest(reports.DAYS[6], reports.LAST, history=True)
SINCE = first_hour(NIGHT.first)
LOG = logger("tests", reports.SETTINGS)


class Cached(Ingest):
    """Cached days that were read already."""

    def __init__(self) -> None:
        self.wanted: list[tuple[date, date, int]] = []

    def history(self, first: date, before: date, max_rows: int, in_time: Callable[[], bool]) -> HourTable:
        self.wanted.append((first, before, max_rows))
        return _between(first_hour(first), SINCE)


def _between(first: int, end: int) -> HourTable:
    table = reports.table()
    parts = []
    for machine, rows in table.slices():
        inside = np.flatnonzero((table.hour[rows] >= first) & (table.hour[rows] < end)) + rows.start
        if len(inside):
            parts.append(hour_table.part(table, machine, slice(int(inside[0]), int(inside[-1]) + 1)))
    return hour_table.join(parts, table.values.shape[1])


NEWER = _between(SINCE, first_hour(reports.LAST) + 24)


def _past(request: TrainingRequest = NIGHT, *, state: dict[str, int] | None = None) -> tuple[history.Past, Cached]:
    cached = Cached()
    failures = FailureState(None, state or {})
    return history.past(cached, request, NEWER, failures, reports.SETTINGS, lambda: True), cached


def test_history_reaches_back_from_the_newest_day_and_has_the_rest_of_the_room() -> None:
    past, cached = _past()
    assert cached.wanted == [(reports.LAST - timedelta(days=179), NIGHT.first, history.MAX_ROWS - len(NEWER))]
    assert past.rows is not None
    assert past.rows.hour.max() < SINCE


def test_days_by_name_teach_alone() -> None:
    past, cached = _past(replace(NIGHT, history=False))
    assert past.rows is None
    assert not cached.wanted


def test_failures_of_the_state_count_where_they_are_older_than_all_rows() -> None:
    oldest = first_hour(reports.FIRST)
    state = {"ZONE-001/EQUIP-001": oldest - 5, "ZONE-001/EQUIP-002": SINCE - 5}
    assert _past(state=state)[0].failures == {Machine("ZONE-001", "EQUIP-001"): oldest - 5}
    alone, _ = _past(replace(NIGHT, history=False), state=state)
    assert len(alone.failures) == 2


def test_what_does_not_reach_the_cap_is_said_with_the_history_in_it() -> None:
    assert [warning[:30] for warning in _past()[0].warnings] == ["the data spans 16.0 days, MAX_"]


def test_history_teaches_and_the_range_judges() -> None:
    past, _ = _past()
    alone = pipeline.learn(NEWER, reports.SENSORS, reports.SETTINGS, reports.RECIPE, LOG)
    more = pipeline.learn(NEWER, reports.SENSORS, reports.SETTINGS, reports.RECIPE, LOG, history=past.rows)
    assert isinstance(alone, pipeline.Challenger)
    assert isinstance(more, pipeline.Challenger)
    assert (alone.history_days, more.history_days) == (0, 5)  # of six dates one is missing
    assert more.split.starts == alone.split.starts
    assert len(more.split.holdout) == len(alone.split.holdout)
    assert len(more.split.training) > len(alone.split.training)
    assert more.supply._replace(labelled_rows=0) == alone.supply._replace(labelled_rows=0)
    assert more.sha256 != alone.sha256


def test_history_makes_up_for_nothing_that_the_range_lacks() -> None:
    past, _ = _past()
    settings = reports.SETTINGS.model_copy(update={"min_days": 12})
    outcome = pipeline.learn(NEWER, reports.SENSORS, settings, reports.RECIPE, LOG, history=past.rows)
    assert isinstance(outcome, pipeline.Skipped)
    assert outcome.reasons == ["10 days with data, 12 are needed"]


@pytest.mark.parametrize("request_history", [True, False])
def test_an_empty_range_has_no_past(request_history: bool) -> None:
    nothing = hour_table.join([], NEWER.values.shape[1])
    request = replace(NIGHT, history=request_history)
    past = history.past(Cached(), request, nothing, FailureState(None, {}), reports.SETTINGS, lambda: True)
    assert past == history.Past(None, {}, [])

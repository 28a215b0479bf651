"""A machine's runs: when each began, how it ended, and what was predicted before. No I/O."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, Field

from monitory import clock
from monitory.features.failure_state import Stops
from monitory.scoring.trends import SLOT_HOURS, TrendPoint
from monitory_predict.views.trend_view import TrendView, moment

End = Literal["failure", "maintenance"]

DAYS_BEFORE = (7, 3, 1)
"""Days before the end of a run at which people ask what was predicted."""

MOST_RUNS = 50


class PredictedView(TrendView):
    """What was predicted so many days before the end of a run."""

    days_before: int


class RunView(BaseModel):
    """A run: from the end of a stop to the next one."""

    began_at: Annotated[datetime | None, Field(description="UTC; null where no stop before it is known")] = None
    ended_at: Annotated[datetime | None, Field(description="UTC; null while it lasts")] = None
    end: Annotated[
        End | None, Field(description="null while it lasts, and where only the hour is known at which it had ended")
    ] = None
    failure_mode: str | None = None
    predicted: Annotated[
        list[PredictedView], Field(description="7, 3 and 1 days before the end, as far as the trend reaches")
    ]


class Run(NamedTuple):
    """A run in hours, see `clock`.

    Attributes:
        first: its first hour; None where no stop before it is known.
        after: the first hour of the stop that ended it; None while it lasts.
        end: what it ended in; None while it lasts, or where nobody knows.
        failure_mode: empty if unknown.
    """

    first: int | None
    after: int | None = None
    end: End | None = None
    failure_mode: str = ""


class _End(NamedTuple):
    """A stop, and what it is; None where nobody knows."""

    first: int
    last: int
    end: End | None
    failure_mode: str = ""


def runs(stops: Stops, newest: int, present: int, *, logbook_decides: bool = False) -> list[Run]:
    """A machine's runs, the oldest first.

    Args:
        stops: its stops.
        newest: its newest hour with readings, see `clock`.
        present: the present hour; what is planned for later ends nothing.
        logbook_decides: whether the logbook has every failure.
    """
    ends = [
        *(_End(stop.first, stop.last, "failure", stop.failure_mode) for stop in stops.timeline.failures),
        *(_End(stop.first, stop.last, "maintenance", stop.failure_mode) for stop in stops.timeline.maintenance),
    ]
    ends = sorted(end for end in ends if end.first <= present)
    if stops.stored is not None:
        ends = _with_stored(ends, stops.stored, logbook_decides)
    series: list[Run] = []
    first: int | None = None
    for end in ends:
        if first is None or first < end.first:
            series.append(Run(first, end.first, end.end, end.failure_mode))
        first = max(end.last + 1, first or 0)
    if first is None or first <= newest:
        series.append(Run(first))
    return series


def _with_stored(ends: list[_End], stored: int, logbook_decides: bool) -> list[_End]:
    """Stops with the last hour that retraining saw.

    It saw more rows than there are here: a stop without an end may have lasted up to that hour. Only where that is
    unlikely, it is a stop of its own, of which no more is known.
    """
    at = max((number for number, end in enumerate(ends) if end.first <= stored), default=None)
    if at is not None and (logbook_decides or stored - ends[at].last <= clock.HOURS_PER_DAY):
        end = ends[at]
        return [*ends[:at], end._replace(last=max(end.last, stored)), *ends[at + 1 :]]
    return sorted([*ends, _End(stored, stored, None)], key=lambda end: end.first)


def run_views(series: Sequence[Run], trend: Sequence[TrendPoint]) -> list[RunView]:
    """Runs as callers see them, the newest first, `MOST_RUNS` at most.

    Args:
        series: the oldest first.
        trend: the machine's, ascending.
    """
    return [
        RunView(
            began_at=_utc(run.first),
            ended_at=_utc(run.after),
            end=run.end,
            failure_mode=run.failure_mode or None,
            predicted=_predicted(run, trend),
        )
        for run in series[: -MOST_RUNS - 1 : -1]
    ]


def _predicted(run: Run, trend: Sequence[TrendPoint]) -> list[PredictedView]:
    """The points of the trend that are the newest so many days before the end, or up to six hours older."""
    if run.after is None:
        return []
    views = []
    for days in DAYS_BEFORE:
        hour = run.after - 1 - days * clock.HOURS_PER_DAY
        oldest = max(hour - SLOT_HOURS, hour - SLOT_HOURS if run.first is None else run.first - 1)
        if points := [point for point in trend if oldest < point.hour <= hour]:
            point = points[-1]
            views.append(
                PredictedView(days_before=days, at=moment(point), rul_days=point.days, low=point.low, high=point.high)
            )
    return views


def _utc(hour: int | None) -> datetime | None:
    return None if hour is None else clock.hour_start(hour).astimezone(UTC)

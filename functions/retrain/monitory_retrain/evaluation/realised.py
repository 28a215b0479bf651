"""Realised accuracy: what people were told, hour by hour, against what happened to the machines.

Judged are the logged predictions for hours of running machines before their failure's own hour. What happened is what
the labels say: the newest readings and the logbook, hindsight included.

- Error and coverage over all these hours are those of the hold-out (`scores`): as far as each hour was watched.
- D days before a failure: the logged prediction D days before it, or the newest of the `SLACK_HOURS` before that, in
  the same run. Its error is predicted less true; it is covered if its interval holds the failure. Before maintenance
  nobody knows the truth: the median of what was predicted is told.
- Announcements are those of `announcements`, on the log. Maintenance is announced if one stands when it begins.

By version, an hour counts for the version that gave its prediction, a run's announcements for the one that gave the
last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt

from monitory.alerts.rule import LIMITS_DAYS
from monitory.clock import HOURS_PER_DAY
from monitory.scoring.performance import (
    Accuracy,
    AnnouncementRecord,
    HorizonAccuracy,
    Performance,
    VersionAccuracy,
)
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.labels import Labels
from monitory_retrain.dataset.logged_predictions import LoggedPredictions
from monitory_retrain.dataset.split import watched
from monitory_retrain.evaluation import announcements
from monitory_retrain.evaluation.announcements import Run
from monitory_retrain.evaluation.scores import absolute_errors, covered

HORIZONS_DAYS = (1, 3, 7, 14)
"""Before a stop, the times at which predictions are looked at."""

SLACK_HOURS = 6
"""By how much a prediction may be older where the one of the very hour is missing."""

ENOUGH_FAILURES = 5
"""With fewer, a promise is not judged: chance would break it."""

COVERAGE_TOLERANCE = 0.1
"""How far the realised coverage may lie below the promised one."""

LEAST_ANNOUNCED = 0.5
"""Share of failures that have to be announced."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """Logged predictions of running hours, shape (n,) each.

    Attributes:
        hour: see `clock`.
        life: which run.
        rul: days to the failure or the cap, NaN where neither was seen.
        seen: the same, or for how long the hour was seen to run on.
        watched: days after which the truth would not be known.
        to_work: days until maintenance ends the run; NaN where none does.
        predicted, low, high: days.
        version: index of the model's version.
    """

    hour: Ints
    life: Ints
    rul: Floats
    seen: Floats
    watched: Floats
    to_work: Floats
    predicted: Floats
    low: Floats
    high: Floats
    version: Ints


def performance(
    table: HourTable,
    labels: Labels,
    logged: LoggedPredictions,
    *,
    days: Sequence[date],
    cap_days: float,
    promised_coverage: float,
    now: datetime,
) -> Performance | None:
    """The realised accuracy of logged predictions; None where no prediction can be judged.

    Args:
        table: hour rows, ordered by machine and hour.
        labels: of these rows.
        logged: predictions for these rows.
        days: of the table, in order.
        cap_days: the largest RUL that is told.
        promised_coverage: of the intervals, 0..1.
        now: the present, aware.
    """
    rows = labels.running & ~(labels.rul == 0) & ~np.isnan(logged.days)
    if not rows.any():
        return None
    ends = int(table.hour.max()) + 1
    judged = _Judged(
        table.hour[rows],
        labels.life[rows],
        labels.rul[rows],
        labels.seen[rows],
        watched(table.hour, labels.rul, labels.seen, ends)[rows],
        _days_to_maintenance(table, labels)[rows],
        logged.days[rows],
        logged.low[rows],
        logged.high[rows],
        logged.version[rows],
    )
    runs = announcements.runs(judged.hour, judged.life, judged.rul, judged.predicted, cap_days)
    everything = np.ones(len(judged.hour), dtype=np.bool_)
    overall = _accuracy(judged, everything, runs, cap_days)
    versions = []
    for number, version in enumerate(logged.versions):
        of_version = judged.version == number
        if of_version.any():
            own = [run for run in runs if of_version[run.rows[-1]]]
            accuracy = _accuracy(judged, of_version, own, cap_days)
            versions.append(VersionAccuracy(version=version, **dict(accuracy)))
    return Performance(
        first_day=days[0],
        last_day=days[-1],
        measured_at=now,
        promised_coverage=promised_coverage,
        shortfalls=shortfalls(overall, promised_coverage),
        overall=overall,
        versions=sorted(versions, key=lambda entry: entry.version or ""),
    )


def shortfalls(accuracy: Accuracy, promised_coverage: float) -> list[str]:
    """Which promises were not kept, a sentence each; none are judged with fewer than `ENOUGH_FAILURES` failures."""
    sentences = []
    judged = [record for record in accuracy.announcements if record.failures >= ENOUGH_FAILURES]
    if judged and accuracy.coverage is not None and accuracy.coverage < promised_coverage - COVERAGE_TOLERANCE:
        sentences.append(
            f"{accuracy.coverage:.0%} of the intervals held what happened, {promised_coverage:.0%} are promised"
        )
    sentences += [
        f"{record.missed} of {record.failures} failures were not announced at D-{record.limit_days:g}"
        for record in judged
        if record.announced < LEAST_ANNOUNCED * record.failures
    ]
    return sentences


def _accuracy(judged: _Judged, rows: npt.NDArray[np.bool_], runs: Sequence[Run], cap: float) -> Accuracy:
    """Figures of some rows, and of some runs."""
    first_hour = int(judged.hour.min())
    return Accuracy(
        hours=int(rows.sum()),
        mae_days=float(absolute_errors(judged.seen, judged.predicted, judged.watched)[rows].mean()),
        coverage=_coverage(judged, rows, cap),
        horizons=[_horizon(judged, rows, days, cap) for days in HORIZONS_DAYS if days < cap],
        announcements=[_announcements(judged, runs, limit, first_hour) for limit in LIMITS_DAYS],
    )


def _coverage(judged: _Judged, rows: npt.NDArray[np.bool_], cap: float) -> float | None:
    rows = rows & ~np.isnan(judged.low)
    if not rows.any():
        return None
    return covered(judged.seen[rows], judged.low[rows], judged.high[rows], cap, judged.watched[rows])


def _horizon(judged: _Judged, rows: npt.NDArray[np.bool_], days: int, cap: float) -> HorizonAccuracy:
    before = _newest_before(judged, np.where(judged.rul < cap, judged.rul, np.nan), days)
    before = before[rows[before]]
    true, error = judged.rul[before], judged.predicted[before] - judged.rul[before]
    low, high = judged.low[before], judged.high[before]
    told = ~np.isnan(low)
    work = _newest_before(judged, judged.to_work, days)
    work = work[rows[work]]
    return HorizonAccuracy(
        days=days,
        failures=len(before),
        mean_absolute_error_days=_mean(np.abs(error)),
        mean_error_days=_mean(error),
        coverage=_mean(((low <= true) & (true <= high))[told]),
        maintenance=len(work),
        maintenance_rul_days=float(np.median(judged.predicted[work])) if len(work) else None,
    )


def _newest_before(judged: _Judged, remaining: Floats, days: int) -> Ints:
    """Of each run, the newest row at least some days, and at most `SLACK_HOURS` more, before its end.

    Args:
        judged: the rows.
        remaining: days to the run's end, shape (n,); NaN where that was not seen.
        days: how long before.
    """
    hours = np.round(remaining * HOURS_PER_DAY)
    near = np.flatnonzero((hours >= days * HOURS_PER_DAY) & (hours <= days * HOURS_PER_DAY + SLACK_HOURS))
    near = near[np.argsort(hours[near], kind="stable")]
    _, newest = np.unique(judged.life[near], return_index=True)
    return np.sort(near[newest])


def _announcements(judged: _Judged, runs: Sequence[Run], limit: float, first_hour: int) -> AnnouncementRecord:
    figures = announcements.of_runs(runs, limit, sum(len(run.rows) for run in runs), first_hour)
    maintenance = announced = 0
    for run in runs:
        to_work = judged.to_work[run.rows]
        if not np.isnan(to_work[-1]) and (int(run.hour[0]) > first_hour or to_work[0] >= limit):
            maintenance += 1
            _, ends = announcements.standing(run.hour, run.predicted <= limit)
            announced += len(ends) > 0 and int(ends[-1]) == len(run.hour)
    return AnnouncementRecord(
        limit_days=limit,
        failures=figures.failures,
        announced=figures.announced,
        missed=figures.failures - figures.announced,
        median_lead_days=figures.median_lead_days,
        low_lead_days=figures.low_lead_days,
        maintenance=maintenance,
        maintenance_announced=announced,
        raised=figures.raised,
        false=figures.false,
        machine_months=figures.machine_months,
        false_per_machine_month=figures.false_per_machine_month,
    )


def _days_to_maintenance(table: HourTable, labels: Labels) -> Floats:
    """Days until maintenance ends each row's run, shape (n,); NaN where none does."""
    days = np.full(len(table), np.nan)
    for machine, rows in table.slices():
        hours, life = table.hour[rows], labels.life[rows]
        for work in labels.maintenance.get(machine, ()):
            last = int(np.searchsorted(hours, work)) - 1  # the newest row before it
            if last >= 0 and not any(hours[last] < failure <= work for failure in labels.failures.get(machine, ())):
                of_run = np.flatnonzero((life == life[last]) & (hours < work))
                days[rows.start + of_run] = (work - hours[of_run]) / HOURS_PER_DAY
    return days


def _mean(values: npt.NDArray[np.generic]) -> float | None:
    return float(values.mean()) if len(values) else None

"""What people act on: which failures were announced at D-5 and D-3, how long before, and how often for nothing.

A machine is announced at a limit (5 or 3 days) from the hour in which its predicted RUL has been at most the limit in
`ENOUGH` of the last `RECENT` hours, until it was above in all of them, or the run ends. Single low predictions announce
nothing. Alerts follow the same rule (`monitory.alerts.rule`), which clears by a margin besides.

- A failure is *announced* if an announcement stands when it happens. Its lead is the time since that one began, 0 days
  for a failure without. Failures are judged whose machine is seen for the limit before it, or for the whole run:
  nobody can tell when the others would have been announced.
- An announcement is *false* if the machine runs for more than twice the limit, or if it is withdrawn and no failure
  follows within that time. One that still stands when the data or, by maintenance, the run ends is neither.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from monitory.alerts.rule import ENOUGH, LIMITS_DAYS, RECENT
from monitory.clock import HOURS_PER_DAY
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.dataset import Dataset

FALSE_FACTOR = 2.0
"""An announcement is false if the machine runs for more than this multiple of the limit."""

_MONTH_HOURS = 30 * HOURS_PER_DAY
_NO_FAILURE = np.iinfo(np.int64).max


class Announcements(msgspec.Struct, frozen=True):
    """The announcements of a hold-out at one limit.

    Attributes:
        limit_days: of predicted RUL.
        failures: those that are judged.
        announced: those with an announcement that stands when they happen.
        median_lead_days, low_lead_days: median and 10 % quantile of the judged failures' leads; None without any.
        raised: announcements of all machines.
        false: those that no failure followed in time.
        machine_months: running hours of the hold-out, in months of 30 days.
        false_per_machine_month: their quotient; None without hours.
    """

    limit_days: float
    failures: int
    announced: int
    median_lead_days: float | None
    low_lead_days: float | None
    raised: int
    false: int
    machine_months: float
    false_per_machine_month: float | None


class Run(NamedTuple):
    """A machine's run as far as it was predicted.

    Attributes:
        rows: the index of its predictions before the failure, by hour.
        hour: of these, ascending.
        predicted: days, in them.
        failure: the hour of its failure, or `_NO_FAILURE`.
    """

    rows: Ints
    hour: Ints
    predicted: Floats
    failure: int


def announcements(holdout: Dataset, predicted: Floats, cap_days: float) -> list[Announcements]:
    """The announcements of a model on a hold-out, one entry a limit.

    Args:
        holdout: its rows, in any order.
        predicted: days, shape (n,).
        cap_days: the largest RUL that is told: a label below it means that the failure was seen.
    """
    of_holdout = runs(holdout.hour, holdout.life, holdout.rul, predicted, cap_days)
    first_hour = min((int(run.hour[0]) for run in of_holdout), default=0)
    return [of_runs(of_holdout, limit, len(holdout), first_hour) for limit in LIMITS_DAYS]


def of_runs(runs: Sequence[Run], limit: float, hours: int, first_hour: int) -> Announcements:
    """The announcements of runs at a limit.

    Args:
        runs: see `runs`.
        limit: days.
        hours: predictions in all of them.
        first_hour: of all predictions that there are: a run that begins there may have begun before.
    """
    limit_hours = limit * HOURS_PER_DAY
    leads: list[float] = []
    raised = false = announced = 0
    for run in runs:
        begins, ends = standing(run.hour, run.predicted <= limit)
        stands = len(ends) > 0 and int(ends[-1]) == len(run.hour)
        raised += len(begins)
        false += _false(run, begins, ends, FALSE_FACTOR * limit_hours)
        watched = int(run.hour[0]) > first_hour or run.failure - int(run.hour[0]) >= limit_hours
        if run.failure != _NO_FAILURE and watched:
            announced += stands
            leads.append((run.failure - int(run.hour[begins[-1]])) / HOURS_PER_DAY if stands else 0.0)
    months = hours / _MONTH_HOURS
    return Announcements(
        limit_days=limit,
        failures=len(leads),
        announced=announced,
        median_lead_days=float(np.median(leads)) if leads else None,
        low_lead_days=float(np.quantile(leads, 0.1)) if leads else None,
        raised=raised,
        false=false,
        machine_months=months,
        false_per_machine_month=false / months if months else None,
    )


def _false(run: Run, begins: Ints, ends: Ints, horizon: float) -> int:
    """How many of a run's announcements no failure follows within a horizon in hours."""
    seen_until = int(run.hour[-1]) if run.failure == _NO_FAILURE else run.failure
    begin_hours = run.hour[begins]
    failed_in_time = (run.failure != _NO_FAILURE) & (run.failure - begin_hours <= horizon)
    outlived = seen_until - begin_hours > horizon
    withdrawn = ends < len(run.hour)
    return int((~failed_in_time & (outlived | withdrawn)).sum())


def standing(hour: Ints, below: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """When announcements stand: index of the first row of each, and of the first row after it.

    Args:
        hour: of one run, ascending, shape (n,); hours may be missing.
        below: whether the predicted RUL is at most the limit, shape (n,).

    >>> standing(np.arange(9), np.array([0, 1, 1, 1, 0, 0, 0, 0, 0]) == 1)
    (array([3]), array([9]))
    """
    counted = np.r_[0, np.cumsum(below)]
    recent = counted[1:] - counted[np.searchsorted(hour, hour - RECENT, side="right")]
    decided = np.where(recent >= ENOUGH, 1, np.where(recent == 0, 0, -1))
    # between the two the announcement stays what it was
    last = np.maximum.accumulate(np.where(decided >= 0, np.arange(len(hour)), -1))
    stands = (last >= 0) & (decided[last] == 1)
    edges = np.diff(np.r_[0, stands.astype(np.int64), 0])
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def runs(hour: Ints, life: Ints, rul: Floats, predicted: Floats, cap_days: float) -> list[Run]:
    """The runs of predicted hours, in any order, shape (n,) each, without those that begin with their failure.

    Args:
        hour: see `clock`.
        life: which run.
        rul: days, NaN without a label; below the cap the failure was seen.
        predicted: days.
        cap_days: the largest RUL that is told.
    """
    order = np.lexsort((hour, life))
    bounds = np.flatnonzero(np.diff(life[order])) + 1
    result = []
    for rows in np.split(order, bounds) if len(order) else []:
        seen = rul[rows] < cap_days
        hours = hour[rows]
        failure = int(hours[seen][0]) + round(float(rul[rows][seen][0]) * HOURS_PER_DAY) if seen.any() else _NO_FAILURE
        before = rows[hours < failure]  # the failure's own hour announces nothing
        if len(before):
            result.append(Run(before, hour[before], predicted[before], failure))
    return result

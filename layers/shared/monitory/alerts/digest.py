"""The digest of some days: which cases are open, and what became of the others. No I/O."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from statistics import median
from typing import NamedTuple

from monitory import clock
from monitory.alerts.case import Case, Cause, Outcome


class Digest(NamedTuple):
    """What happened to cases.

    Attributes:
        since, until: the days it is about, aware; `until` is not among them.
        unfinished: cases that are not closed, the most urgent first.
        opened: how many were opened or reopened.
        closed: how many were closed, by outcome.
        announced: those whose machine failed after the case was there.
        missed: those that were opened by the failure itself.
    """

    since: datetime
    until: datetime
    unfinished: list[Case]
    opened: int
    closed: dict[Outcome, int]
    announced: list[Case]
    missed: list[Case]

    @property
    def forewarning_hours(self) -> float | None:
        """Median over announced failures; None without one."""
        return median(case.forewarning_hours or 0 for case in self.announced) if self.announced else None


def digest(cases: Iterable[Case], since: datetime, until: datetime) -> Digest:
    """What became of cases from one moment to another, aware both."""
    cases = list(cases)
    failures = [case for case in cases if case.failed_hour and since <= clock.hour_start(case.failed_hour) < until]
    outcomes = Counter(
        case.outcome for case in cases if case.outcome and case.closed_at and since <= case.closed_at < until
    )
    return Digest(
        since,
        until,
        sorted((case for case in cases if not case.is_closed), key=_urgency),
        sum(since <= case.raised_at < until for case in cases),
        {outcome: outcomes[outcome] for outcome in Outcome if outcomes[outcome]},
        sorted((case for case in failures if case.forewarning_hours), key=lambda case: case.id),
        sorted((case for case in failures if not case.forewarning_hours), key=lambda case: case.id),
    )


def _urgency(case: Case) -> tuple[bool, int, float, str]:
    """Smaller is more urgent."""
    return case.cause is Cause.SILENCE, -case.level, case.facts.rul_days if case.facts else 0.0, case.id

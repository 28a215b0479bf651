"""A machine's cases from one run of scoring to the next. No I/O.

Judging the same hours and entries again changes nothing, so runs that repeat each other, or meet, make the same cases;
a late hour counts as if it had come in time, from the next run on.

A machine has at most one case of wear a life, and one of silence at a time. A life ends with maintenance, or with a
failure after which the machine has run for the `recent` hours of the rule. A case that was cleared stays the case of
its life, and is reopened when the rule holds again. One that was called a false alarm is reopened only at a higher
level than the one that was denied, until the rule would have cleared it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from monitory import clock
from monitory.alerts.case import Case, Cause, Change, Facts, MachineAlerts, Outcome, Status, Transition
from monitory.alerts.rule import Rule
from monitory.logbook.entry import Kind, LogEntry
from monitory.machine import Machine
from monitory.scoring.fleet import HourAnswer

KEEP = timedelta(days=30)
"""How long a closed case is listed, and a machine without readings is waited for."""

_ACKNOWLEDGING = (Kind.SEEN, Kind.PLANNED)


class Step(NamedTuple):
    """A machine after a step, and the transitions of its cases."""

    alerts: MachineAlerts
    transitions: list[Transition]


def advance(
    machine: Machine,
    before: MachineAlerts,
    recent: Sequence[HourAnswer],
    facts: Facts | None,
    entries: Sequence[LogEntry],
    rule: Rule,
    now: datetime,
) -> Step:
    """A machine's cases as of now.

    Args:
        machine: which.
        before: as they were.
        recent: what was answered about its recent hours, ascending; missing hours stay missing.
        facts: what the newest answer says; None where there is none.
        entries: the logbook's about the machine, those of the future too: maintenance mutes its hours.
        rule: when alerts are raised and cleared.
        now: the present, aware.
    """
    progress = _Progress(machine, before, facts, entries, rule, now)
    progress.heed_entries()
    progress.judge(recent)
    progress.watch_silence()
    return Step(progress.alerts, progress.transitions)


def heed(
    machine: Machine, before: MachineAlerts, entries: Sequence[LogEntry], rule: Rule, now: datetime
) -> MachineAlerts:
    """A machine's cases as the next run will find them, by what people wrote down since the last one."""
    progress = _Progress(machine, before, None, entries, rule, now)
    progress.heed_entries()
    return progress.alerts


class _Progress:
    """One machine on its way; `alerts` and `transitions` are the outcome so far."""

    def __init__(
        self,
        machine: Machine,
        before: MachineAlerts,
        facts: Facts | None,
        entries: Sequence[LogEntry],
        rule: Rule,
        now: datetime,
    ) -> None:
        past = tuple(case for case in before.past if case.closed_at and now - case.closed_at < KEEP)
        self.alerts = msgspec.structs.replace(before, past=past)
        self.transitions: list[Transition] = []
        self._machine = machine
        self._facts = facts
        self._rule = rule
        self._now = now
        self._hour = clock.hour_of(now.astimezone(clock.zone()))
        self._entries = sorted(entries, key=lambda one: (one.first, one.kind))
        self._maintenance = [one for one in self._entries if one.kind is Kind.MAINTENANCE]

    # -- the logbook -----------------------------------------------------------------------------------------

    def heed_entries(self) -> None:
        """What people wrote down: work that has begun, false alarms, acknowledgements."""
        for one in self._maintenance:
            if one.first <= self._hour:
                after = one.first + 1 if one.after is None else one.after
                self._close_wear(after, Outcome.MAINTENANCE)
                self._begin_life(after)
        for one in self._entries:
            if one.kind is Kind.FALSE_ALARM:
                self._deny(one)
            elif one.kind in _ACKNOWLEDGING or (one.kind is Kind.MAINTENANCE and one.first > self._hour):
                self._acknowledge(one)

    def _close_wear(self, after: int, outcome: Outcome) -> None:
        """Close the case that was raised before an hour; a failure is closed when the machine runs again."""
        case = self.alerts.wear
        if case and not case.is_closed and case.level < self._rule.failing_level and case.raised_hour < after:
            self._set(self._close(case, outcome))

    def _deny(self, one: LogEntry) -> None:
        written = one.at or clock.hour_start(one.first)
        for case in (self.alerts.wear, self.alerts.silence):
            if case and not case.is_closed:
                covers = one.after is not None and one.first <= case.raised_hour < one.after
                if covers or written >= case.raised_at:
                    self._set(self._close(case, Outcome.FALSE_ALARM))
                    if case.level == self._rule.failing_level:  # a failure from now on is another one
                        self._begin_life(self.alerts.newest + 1)

    def _acknowledge(self, one: LogEntry) -> None:
        for case in (self.alerts.wear, self.alerts.silence):
            if not case or case.is_closed or one.at is None or one.at < case.raised_at:
                continue
            if one.kind is not Kind.SEEN:
                case = msgspec.structs.replace(case, planned_for=clock.aware(one.start))
            if case.status is Status.OPEN:
                case = msgspec.structs.replace(
                    case, status=Status.ACKNOWLEDGED, acknowledged_at=one.at, acknowledged_by=one.by
                )
                case = self._changed(case, Change.ACKNOWLEDGED)
            self._set(case)

    # -- the hours -------------------------------------------------------------------------------------------

    def judge(self, recent: Sequence[HourAnswer]) -> None:
        """Judge the hours that are new, one after the other; without any the newest again, for others may be late."""
        if not recent or recent[-1].hour < self.alerts.newest:  # another run has seen more
            return
        new = [one.hour for one in recent if one.hour > self.alerts.newest] or [recent[-1].hour]
        for hour in new:
            self.alerts = msgspec.structs.replace(self.alerts, newest=hour)
            if self.alerts.silence and hour >= self._hour - self._rule.silent_hours:
                self._set(self._close(self.alerts.silence, Outcome.CLEARED))
            # while a machine is off the RUL is not about its wear
            window = [one for one in recent if hour - self._rule.recent < one.hour <= hour and one.state != "off"]
            self._judge_wear(window)

    def _judge_wear(self, window: Sequence[HourAnswer]) -> None:
        """Open, escalate or close the case of wear by the recent hours of this life."""
        rule, case = self._rule, self.alerts.wear
        hours = [one for one in window if one.hour >= self.alerts.since]
        is_open = case is not None and not case.is_closed
        denied = case.level if case and case.outcome is Outcome.FALSE_ALARM else 0
        if failing := [one.hour for one in hours if one.state == "failing"]:
            level = rule.failing_level
            self.alerts = msgspec.structs.replace(self.alerts, failing=max(self.alerts.failing, *failing))
        elif case and is_open and case.level == rule.failing_level:
            if hours:  # it runs again
                self._set(self._close(case, Outcome.FAILURE))
                self._begin_life(self.alerts.failing + 1)
                self._judge_wear(window)
            return
        else:
            level = rule.level((one.days for one in hours), case.level if case and is_open else denied)
        if case is None:
            if level:
                self._set(self._opened(Cause.WEAR, level))
        elif not is_open:
            if level > denied:
                self._set(self._reopened(case, level))
            elif denied and not level and hours:
                self._put_aside()
        else:
            before = case.level
            case = msgspec.structs.replace(case, facts=self._facts, level=max(level, before))
            if level > before:
                case = msgspec.structs.replace(case, failed_hour=self._failed_hour(level))
                case = self._changed(case, Change.ESCALATED)
            elif not level and hours:
                case = self._close(case, Outcome.CLEARED)
            self._set(case)

    def _begin_life(self, first: int) -> None:
        """Forget hours before the first one of a life, and put the case of the life before aside."""
        self.alerts = msgspec.structs.replace(self.alerts, since=max(self.alerts.since, first))
        case = self.alerts.wear
        if case and case.is_closed and case.raised_hour < self.alerts.since:
            self._put_aside()

    def _put_aside(self) -> None:
        """Make room for another case of wear."""
        if case := self.alerts.wear:
            self.alerts = msgspec.structs.replace(self.alerts, wear=None, past=(*self.alerts.past, case))

    # -- silence ---------------------------------------------------------------------------------------------

    def watch_silence(self) -> None:
        """Open a case about a machine without readings, and give it up after `KEEP`."""
        silent = self._hour - self.alerts.newest - 1
        if not self.alerts.newest or not self._rule.silent_hours or silent < self._rule.silent_hours:
            return
        if silent > KEEP / timedelta(hours=1):
            for case in (self.alerts.wear, self.alerts.silence):
                if case and not case.is_closed:
                    self._set(self._close(case, Outcome.GONE))
            self._begin_life(self.alerts.newest + 1)
        elif not self.alerts.silence and not self._is_muted() and not self._is_denied():
            self._set(self._opened(Cause.SILENCE, 0))

    def _is_muted(self) -> bool:
        """Whether work goes on: in its hours, or, where its end is open, until a reading comes after its start."""
        return any(
            one.first <= self._hour < one.after
            if one.after is not None
            else self.alerts.newest <= one.first <= self._hour
            for one in self._maintenance
        )

    def _is_denied(self) -> bool:
        """Whether this silence has been called a false alarm."""
        return any(
            case.cause is Cause.SILENCE
            and case.outcome is not Outcome.CLEARED
            and case.raised_hour >= self.alerts.newest
            for case in self.alerts.past
        )

    # -- cases -----------------------------------------------------------------------------------------------

    def _opened(self, cause: Cause, level: int) -> Case:
        case = Case(
            id=f"{self._machine}/{cause}/{self.alerts.newest}",
            zone_id=self._machine.zone_id,
            equip_id=self._machine.equip_id,
            cause=cause,
            level=level,
            status=Status.OPEN,
            opened_at=self._now,
            raised_at=self._now,
            raised_hour=self.alerts.newest,
            failed_hour=self._failed_hour(level),
            facts=self._facts,
        )
        return self._changed(case, Change.OPENED)

    def _reopened(self, case: Case, level: int) -> Case:
        case = msgspec.structs.replace(
            case,
            level=level,
            status=Status.OPEN,
            raised_at=self._now,
            raised_hour=self.alerts.newest,
            failed_hour=self._failed_hour(level),
            facts=self._facts,
            acknowledged_at=None,
            acknowledged_by="",
            planned_for=None,
            closed_at=None,
            outcome=None,
        )
        return self._changed(case, Change.REOPENED)

    def _failed_hour(self, level: int) -> int:
        return self.alerts.newest if level == self._rule.failing_level else 0

    def _close(self, case: Case, outcome: Outcome) -> Case:
        closed = msgspec.structs.replace(case, status=Status.CLOSED, closed_at=self._now, outcome=outcome)
        return self._changed(closed, Change.CLOSED)

    def _changed(self, case: Case, change: Change) -> Case:
        """A case with one more transition, which is noted."""
        case = msgspec.structs.replace(case, transitions=case.transitions + 1)
        self.transitions.append(Transition(f"{case.id}/{case.transitions}", change, self._now, case))
        return case

    def _set(self, case: Case) -> None:
        if case.cause is Cause.WEAR:
            self.alerts = msgspec.structs.replace(self.alerts, wear=case)
        elif case.is_closed:
            self.alerts = msgspec.structs.replace(self.alerts, silence=None, past=(*self.alerts.past, case))
        else:
            self.alerts = msgspec.structs.replace(self.alerts, silence=case)

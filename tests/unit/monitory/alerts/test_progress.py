"""Cases through hours, records and silence."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from monitory import clock
from monitory.alerts.case import Case, Cause, Facts, MachineAlerts, Outcome, Status, Transition
from monitory.alerts.progress import advance, heed
from monitory.alerts.rule import Rule
from monitory.logbook.entry import Kind, LogEntry
from monitory.machine import Machine
from monitory.scoring.fleet import HourAnswer

MACHINE = Machine("ZONE-001", "EQUIP-001")
FIRST = 496_800
RULE = Rule()


class Factory:
    """A machine whose hours are scored one after the other, ten minutes after each."""

    def __init__(self) -> None:
        self.alerts = MachineAlerts()
        self.answers: list[HourAnswer] = []
        self.entries: list[LogEntry] = []
        self.transitions: list[Transition] = []
        self.hour = FIRST

    @property
    def now(self) -> datetime:
        return clock.hour_start(self.hour) + timedelta(minutes=10)

    def run(self) -> list[str]:
        """Score what is there; the changes that came of it."""
        recent = self.answers[-24:]
        facts = Facts(recent[-1].days, clock.hour_start(recent[-1].hour)) if recent else None
        step = advance(MACHINE, self.alerts, recent, facts, self.entries, RULE, self.now)
        again = advance(MACHINE, step.alerts, recent, facts, self.entries, RULE, self.now)
        assert again == (step.alerts, []), "a run that is repeated changes nothing"
        self.alerts = step.alerts
        self.transitions += step.transitions
        return [one.change for one in step.transitions]

    def hours(self, days: Sequence[float], state: str = "ok") -> list[str]:
        """Score hours with these predictions; the changes that came of them."""
        changes = []
        for value in days:
            self.answers.append(HourAnswer(self.hour, value, state))
            self.hour += 1
            changes += self.run()
        return changes

    def write(self, kind: Kind, start: int = 0, end: int | None = None) -> None:
        """Record something now that starts and ends in so many hours."""
        of = [clock.naive(clock.hour_start(self.hour + ahead)) for ahead in (start, end or 0)]
        self.entries.append(
            LogEntry(
                MACHINE.equip_id,
                MACHINE.zone_id,
                kind,
                of[0],
                of[1] if end is not None else None,
                at=self.now,
                by="key-1",
            )
        )

    @property
    def case(self) -> Case:
        assert self.alerts.wear
        return self.alerts.wear


@pytest.fixture
def factory() -> Factory:
    made = Factory()
    made.hours([20.0] * 8)
    return made


def test_a_case_is_opened_when_enough_hours_are_low_and_escalates_once(factory: Factory) -> None:
    assert factory.hours([4.9, 6.0, 4.8, 5.5]) == []
    assert factory.hours([4.9]) == ["opened"]
    assert (factory.case.level, factory.case.status) == (1, Status.OPEN)
    assert factory.hours([2.9, 2.8, 2.7, 2.6]) == ["escalated"]
    assert factory.hours([3.5, 2.9, 3.2, 2.8] * 10) == []
    assert factory.case.level == 2


def test_crossing_the_limit_to_and_fro_is_one_case(factory: Factory) -> None:
    assert factory.hours([4.9, 5.1] * 50) == ["opened"]


def test_a_cleared_case_is_reopened_in_the_same_life(factory: Factory) -> None:
    assert factory.hours([4.0] * 4) == ["opened"]
    first = factory.case
    assert factory.hours([9.0] * 6) == ["closed"]
    assert [one.case.outcome for one in factory.transitions] == [None, Outcome.CLEARED]
    assert factory.hours([4.0] * 4) == ["reopened"]
    assert (factory.case.id, factory.case.opened_at) == (first.id, first.opened_at)
    assert not factory.case.outcome
    assert factory.case.transitions == 3


def test_a_failure_is_the_highest_level_and_closes_when_the_machine_has_run_for_hours(factory: Factory) -> None:
    assert factory.hours([4.0] * 4) == ["opened"]
    assert factory.hours([0.0] * 3, "failing") == ["escalated"]
    assert factory.case.level == RULE.failing_level
    assert factory.hours([20.0], "ok") == []
    assert factory.hours([0.0], "failing") == []
    assert factory.hours([20.0] * 6) == ["closed"]
    (case,) = factory.alerts.past
    assert case.outcome is Outcome.FAILURE
    assert factory.alerts.wear is None


def test_a_failure_that_nobody_foresaw_opens_a_case(factory: Factory) -> None:
    assert factory.hours([0.0], "failing") == ["opened"]
    assert factory.case.level == RULE.failing_level


def test_after_a_failure_low_predictions_make_another_case(factory: Factory) -> None:
    factory.hours([0.0], "failing")
    assert factory.hours([4.0] * 6) == ["closed", "opened"]
    assert factory.case.id != factory.alerts.past[0].id


def test_maintenance_closes_the_case_and_mutes_its_hours(factory: Factory) -> None:
    factory.hours([4.0] * 4)
    factory.write(Kind.MAINTENANCE, 0, 5)
    assert factory.hours([4.0] * 5) == ["closed"]
    assert factory.alerts.past[0].outcome is Outcome.MAINTENANCE
    assert factory.hours([25.0] * 10) == []


def test_maintenance_that_is_recorded_the_day_after_closes_the_case(factory: Factory) -> None:
    factory.hours([4.0] * 4)
    factory.hours([20.0] * 3)
    factory.write(Kind.MAINTENANCE, -2, -1)
    assert factory.run() == ["closed"]
    assert factory.alerts.past[0].outcome is Outcome.MAINTENANCE


def test_maintenance_before_the_case_has_nothing_to_do_with_it(factory: Factory) -> None:
    factory.write(Kind.MAINTENANCE, -6, -3)
    assert factory.hours([4.0] * 6) == ["opened"]
    assert not factory.case.is_closed


def test_planned_maintenance_acknowledges_until_it_begins_and_then_closes(factory: Factory) -> None:
    factory.hours([4.0] * 4)
    factory.write(Kind.MAINTENANCE, 3, 5)
    assert factory.hours([4.0] * 2) == ["acknowledged"]
    assert factory.case.planned_for == clock.hour_start(FIRST + 15)
    assert factory.hours([4.0] * 4) == ["closed"]


def test_an_acknowledgement_names_who_and_when_and_escalations_go_on(factory: Factory) -> None:
    factory.hours([4.0] * 4)
    factory.write(Kind.SEEN)
    assert heed(MACHINE, factory.alerts, factory.entries, RULE, factory.now).cases[0].status is Status.ACKNOWLEDGED
    assert factory.run() == ["acknowledged"]
    assert (factory.case.acknowledged_by, factory.case.acknowledged_at) == ("key-1", factory.now)
    assert factory.hours([2.0] * 3) == ["escalated"]
    assert factory.case.status is Status.ACKNOWLEDGED


def test_a_false_alarm_denies_its_level_and_no_higher_one(factory: Factory) -> None:
    factory.hours([4.0] * 4)
    factory.write(Kind.FALSE_ALARM)
    assert factory.hours([4.0] * 12) == ["closed"]
    assert factory.case.outcome is Outcome.FALSE_ALARM
    assert factory.hours([2.0] * 4) == ["reopened"]


def test_a_false_alarm_is_forgotten_when_the_rule_clears(factory: Factory) -> None:
    factory.hours([4.0] * 4)
    factory.write(Kind.FALSE_ALARM)
    factory.hours([4.0, *[20.0] * 6])
    assert factory.hours([4.0] * 4) == ["opened"]


def test_a_denied_failure_does_not_hide_the_next_one(factory: Factory) -> None:
    factory.hours([0.0] * 2, "failing")
    factory.write(Kind.FALSE_ALARM)
    assert factory.run() == ["closed"]
    assert factory.hours([20.0] * 2) == []
    assert factory.hours([0.0], "failing") == ["opened"]


def test_hours_in_which_the_machine_is_off_say_nothing(factory: Factory) -> None:
    assert factory.hours([1.0] * 10, "off") == []


def test_a_silent_machine_opens_a_case_that_its_next_reading_closes(factory: Factory) -> None:
    factory.hour += RULE.silent_hours - 1
    assert factory.run() == []
    factory.hour += 1
    assert factory.run() == ["opened"]
    assert factory.alerts.silence
    assert factory.alerts.silence.cause is Cause.SILENCE
    factory.hour += 5
    assert factory.run() == []
    assert factory.hours([20.0]) == ["closed"]
    assert factory.alerts.silence is None


def test_silence_during_maintenance_is_expected(factory: Factory) -> None:
    factory.write(Kind.MAINTENANCE, 0, 24)
    factory.hour += 20
    assert factory.run() == []
    factory.hour += 4
    assert factory.run() == ["opened"]


def test_a_machine_that_stays_silent_is_given_up(factory: Factory) -> None:
    factory.hours([4.0] * 4)
    factory.hour += 31 * 24
    assert [one.case.outcome for one in factory.transitions if one.case.is_closed] == []
    assert factory.run() == ["closed"]
    assert [case.outcome for case in factory.alerts.past] == [Outcome.GONE]


def test_a_late_hour_counts_as_if_it_had_come_in_time(factory: Factory) -> None:
    factory.hours([4.0, 4.0, 20.0])
    factory.answers.append(HourAnswer(factory.hour - 4, 4.0, "ok"))
    factory.answers.sort(key=lambda one: one.hour)
    factory.answers = list({one.hour: one for one in factory.answers}.values())
    assert factory.run() == ["opened"]


def test_every_transition_has_an_id_of_its_own(factory: Factory) -> None:
    factory.hours([4.0] * 4 + [2.0] * 4)
    factory.hours([0.0] * 2, "failing")
    factory.hours([20.0] * 7 + [4.0] * 4)
    names = [one.id for one in factory.transitions]
    assert len(names) == len(set(names)) == 5

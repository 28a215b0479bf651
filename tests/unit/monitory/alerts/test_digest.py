"""What a digest counts, and how it says so."""

from datetime import datetime, timedelta

import msgspec
import pytest

from monitory import clock
from monitory.alerts.case import Case, Cause, Facts, Outcome, Status
from monitory.alerts.digest import digest
from monitory.alerts.digest_text import digest_mail
from monitory.alerts.text import MAX_LINES

UNTIL = datetime(2026, 11, 23, tzinfo=clock.zone())
SINCE = UNTIL - timedelta(days=7)
RAISED = UNTIL - timedelta(days=5)
CASE = Case(
    "c",
    "ZONE-001",
    "EQUIP-001",
    Cause.WEAR,
    2,
    Status.OPEN,
    RAISED,
    RAISED,
    clock.hour_of(RAISED),
    facts=Facts(2.8, RAISED),
)


def case(name: str, **others: object) -> Case:
    return msgspec.structs.replace(CASE, id=name, equip_id=name, **others)


def closed(name: str, outcome: Outcome, at: datetime = UNTIL - timedelta(days=1), **others: object) -> Case:
    return case(name, status=Status.CLOSED, outcome=outcome, closed_at=at, **others)


def failed(name: str, hours_after: int, **others: object) -> Case:
    return case(name, level=3, failed_hour=CASE.raised_hour + hours_after, **others)


CASES = [
    case("LOW"),
    case("LOWER", facts=Facts(0.5, RAISED)),
    case("SILENT", cause=Cause.SILENCE, level=0),
    failed("SURPRISE", 0),
    failed("ANNOUNCED", 60),
    closed("REPAIRED", Outcome.FAILURE, level=3, failed_hour=CASE.raised_hour + 36),
    closed("SERVICED", Outcome.MAINTENANCE),
    closed("NOTHING", Outcome.FALSE_ALARM),
    closed("LONG-AGO", Outcome.MAINTENANCE, at=SINCE, raised_at=SINCE - timedelta(days=1)),
    closed("BEFORE", Outcome.MAINTENANCE, at=SINCE - timedelta(seconds=1), raised_at=SINCE - timedelta(days=2)),
]


def test_failures_are_announced_if_the_case_was_there_before() -> None:
    told = digest(CASES, SINCE, UNTIL)
    assert [one.id for one in told.announced] == ["ANNOUNCED", "REPAIRED"]
    assert [one.id for one in told.missed] == ["SURPRISE"]
    assert told.forewarning_hours == 48


def test_open_cases_are_in_order_of_urgency_and_closed_ones_counted_within_the_days() -> None:
    told = digest(CASES, SINCE, UNTIL)
    assert [one.id for one in told.unfinished] == ["ANNOUNCED", "SURPRISE", "LOWER", "LOW", "SILENT"]
    assert told.closed == {Outcome.MAINTENANCE: 2, Outcome.FAILURE: 1, Outcome.FALSE_ALARM: 1}
    assert told.opened == 8


def test_a_mail_says_it_in_english() -> None:
    letter = digest_mail(digest(CASES, SINCE, UNTIL), "en")
    assert letter.subject == "Cases of 2026-11-16 to 2026-11-22: 5 open, 2 failures announced, 1 missed"
    assert letter.body.splitlines() == [
        "Cases from 2026-11-16 to 2026-11-22. Times are the factory's.",
        "",
        "Open cases: 5, the most urgent first.",
        "- ZONE-001/ANNOUNCED: the machine fails",
        "- ZONE-001/SURPRISE: the machine fails",
        "- ZONE-001/LOWER: 0.5 days left, level 2",
        "- ZONE-001/LOW: 2.8 days left, level 2",
        "- ZONE-001/SILENT: no readings since 2026-11-18 00:00",
        "",
        "Opened: 8.",
        "Closed: 4 (maintenance was done: 2, the machine had failed and runs again: 1, a false alarm: 1).",
        "Failures: 3, announced: 2, missed: 1.",
        "Forewarning: 2.0 days (median).",
        "Missed: ZONE-001/SURPRISE.",
    ]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_mail_is_short_and_has_a_subject_that_sns_takes(language: str) -> None:
    many = [case(f"E{number:0>60}") for number in range(MAX_LINES + 7)]
    missed = [failed(f"M{number}", 0) for number in range(1000)]
    letter = digest_mail(digest([*many, *missed], SINCE, UNTIL), language)
    assert letter.subject.isascii()
    assert len(letter.subject) < 100
    assert letter.body.count("\n- ") == MAX_LINES
    assert "1007" in letter.body


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_quiet_week_is_told_too(language: str) -> None:
    body = digest_mail(digest([], SINCE, UNTIL), language).body
    assert len([line for line in body.splitlines() if line]) == 5

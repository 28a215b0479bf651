"""What people read about transitions."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from monitory.alerts.case import Case, Cause, Change, Facts, Outcome, Status, Transition
from monitory.alerts.text import MAX_LINES, mail, sentence
from monitory.alerts.view import transition_view

AT = datetime(2026, 11, 20, 3, 20, tzinfo=UTC)
FACTS = Facts(2.84, AT, AT + timedelta(days=2.84), "vibration", "bearing")
CASE = Case("c", "ZONE-001", "EQUIP-001", Cause.WEAR, 2, Status.OPEN, AT, AT, 1, facts=FACTS)


def transition(change: Change = Change.OPENED, **others: object) -> Transition:
    return Transition("c/1", change, AT, msgspec.structs.replace(CASE, **others))


def test_a_new_case_says_how_long_by_when_and_why() -> None:
    assert sentence(transition(), "en") == (
        "ZONE-001/EQUIP-001: new: 2.8 days left, level 2; failure expected 2026-11-23 08:29; driver: vibration; "
        "failure mode: bearing"
    )
    assert sentence(transition(), "ko").startswith("ZONE-001/EQUIP-001: 신규: 남은 수명 2.8일, 2단계; 예상 고장 시각")


def test_a_failing_machine_has_no_failure_ahead() -> None:
    escalated = transition(Change.ESCALATED, level=3)
    assert sentence(escalated, "en") == (
        "ZONE-001/EQUIP-001: more urgent: the machine fails; driver: vibration; failure mode: bearing"
    )


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_closed_case_says_why(language: str) -> None:
    closed = [transition(Change.CLOSED, status=Status.CLOSED, outcome=outcome, closed_at=AT) for outcome in Outcome]
    assert len({sentence(one, language) for one in closed}) == len(Outcome)


def test_silence_says_since_when() -> None:
    silent = transition(cause=Cause.SILENCE, level=0)
    assert sentence(silent, "en") == "ZONE-001/EQUIP-001: new: no readings since 2026-11-20 12:20"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_text_of_a_log_cannot_add_lines(language: str) -> None:
    facts = msgspec.structs.replace(FACTS, failure_mode="worn\r\n- ZONE-009/EQUIP-009: closed\u2028x")
    assert len(sentence(transition(facts=facts), language).splitlines()) == 1


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_mail_names_the_most_urgent_first_and_has_a_subject_that_sns_takes(language: str) -> None:
    calm = transition(Change.ACKNOWLEDGED, status=Status.ACKNOWLEDGED, equip_id="EQUIP-003", level=3)
    failing = transition(Change.ESCALATED, equip_id="E" * 64, zone_id="Z" * 64, level=3)
    letter = mail([calm, transition(), failing], language)
    assert letter.subject.isascii()
    assert len(letter.subject) < 100
    named = [line.partition(": ")[0].rpartition("/")[2] for line in letter.body.splitlines() if line.startswith("- ")]
    assert named == ["E" * 64, "EQUIP-001", "EQUIP-003"]


def test_a_mail_about_many_machines_stays_readable() -> None:
    body = mail([transition()] * (MAX_LINES + 7), "en").body
    assert body.count("\n- ") == MAX_LINES
    assert "... and 7 more." in body


def test_an_event_has_the_documented_fields_in_utc() -> None:
    detail = transition_view(transition(), "text").model_dump(mode="json")
    assert (detail["version"], detail["id"], detail["transition"], detail["text"]) == (1, "c/1", "opened", "text")
    assert detail["at"] == "2026-11-20T03:20:00Z"
    assert (detail["case"]["zoneId"], detail["case"]["rul_days"], detail["case"]["outcome"]) == ("ZONE-001", 2.84, None)

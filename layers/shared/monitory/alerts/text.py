"""Transitions in plain words, English or Korean, for people who read mail."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from monitory import clock
from monitory.alerts.case import Case, Cause, Change, Outcome, Transition

MAX_LINES = 50
"""Transitions that a mail names."""

_HIGHEST_LIMIT = 2
"""The level of the last limit; the one above it is that of failing machines, whose facts may be older than that."""


class Mail(NamedTuple):
    """A mail's subject, ASCII of at most 99 characters as SNS wants it, and its plain text."""

    subject: str
    body: str


class _Words(NamedTuple):
    """The words of a language; what stands in braces is put in."""

    changes: Mapping[Change, str]
    outcomes: Mapping[Outcome, str]
    days: str
    level: str
    failing: str
    silent: str
    expected: str
    driver: str
    mode: str
    planned: str
    by: str
    intro: str
    more: str


_LANGUAGES = {
    "en": _Words(
        changes={
            Change.OPENED: "new",
            Change.REOPENED: "again",
            Change.ESCALATED: "more urgent",
            Change.ACKNOWLEDGED: "acknowledged",
            Change.CLOSED: "closed",
        },
        outcomes={
            Outcome.MAINTENANCE: "maintenance was done",
            Outcome.FAILURE: "the machine had failed and runs again",
            Outcome.CLEARED: "the reason is gone",
            Outcome.FALSE_ALARM: "a false alarm",
            Outcome.GONE: "no readings for 30 days",
        },
        days="{days:.1f} days left",
        level="level {level}",
        failing="the machine fails",
        silent="no readings since {time}",
        expected="failure expected {time}",
        driver="driver: {name}",
        mode="failure mode: {name}",
        planned="work planned for {time}",
        by="by {name}",
        intro="Changes of cases: {count}, the most urgent first. Times are the factory's.",
        more="... and {count} more.",
    ),
    "ko": _Words(
        changes={
            Change.OPENED: "신규",
            Change.REOPENED: "재발",
            Change.ESCALATED: "악화",
            Change.ACKNOWLEDGED: "확인",
            Change.CLOSED: "종료",
        },
        outcomes={
            Outcome.MAINTENANCE: "정비 완료",
            Outcome.FAILURE: "고장 후 재가동",
            Outcome.CLEARED: "원인 해소",
            Outcome.FALSE_ALARM: "오경보",
            Outcome.GONE: "30일간 데이터 없음",
        },
        days="남은 수명 {days:.1f}일",
        level="{level}단계",
        failing="설비 고장 중",
        silent="{time} 이후 데이터 없음",
        expected="예상 고장 시각 {time}",
        driver="주요 센서: {name}",
        mode="고장 유형: {name}",
        planned="정비 예정 {time}",
        by="확인자 {name}",
        intro="케이스 변경 {count}건, 급한 순서입니다. 시각은 공장 시각입니다.",
        more="... 외 {count}건.",
    ),
}


def sentence(transition: Transition, language: str) -> str:
    """A transition in one line.

    Args:
        transition: what happened.
        language: `en` or `ko`.
    """
    words, case = _LANGUAGES[language], transition.case
    parts = [_what(case, words)]
    if transition.change is Change.CLOSED and case.outcome:
        parts = [words.outcomes[case.outcome]]
    elif transition.change is Change.ACKNOWLEDGED:
        parts += [words.by.format(name=_plain(case.acknowledged_by))]
    if not case.is_closed:
        parts += _details(case, words)
    return f"{case.machine}: {words.changes[transition.change]}: {'; '.join(parts)}"


def summary(case: Case, language: str) -> str:
    """A case that is not closed in one line."""
    words = _LANGUAGES[language]
    return f"{case.machine}: {'; '.join([_what(case, words), *_details(case, words)])}"


def outcome(reason: Outcome, language: str) -> str:
    """Why a case was closed."""
    return _LANGUAGES[language].outcomes[reason]


def mail(transitions: Sequence[Transition], language: str) -> Mail:
    """Transitions in one mail, the most urgent first.

    Args:
        transitions: at least one.
        language: of the text; the subject is English, for SNS takes ASCII only.
    """
    words = _LANGUAGES[language]
    ranked = sorted(transitions, key=_urgency)
    lines = [words.intro.format(count=len(ranked)), ""]
    lines += [f"- {sentence(one, language)}" for one in ranked[:MAX_LINES]]
    if len(ranked) > MAX_LINES:
        lines.append(words.more.format(count=len(ranked) - MAX_LINES))
    return Mail(_subject(ranked), "\n".join([*lines, ""]))


def _subject(ranked: Sequence[Transition]) -> str:
    first = ranked[0]
    more = f" and {len(ranked) - 1} more" if len(ranked) > 1 else ""
    what = "silent" if first.case.cause is Cause.SILENCE else f"level {first.case.level}"
    subject = f"{first.case.machine} {first.change} ({what})"[: 99 - len(more)] + more
    return subject.encode("ascii", "replace").decode()  # the text has names of any script


def _urgency(transition: Transition) -> tuple[bool, int, str]:
    calms = transition.change in (Change.ACKNOWLEDGED, Change.CLOSED)
    return calms, -transition.case.level, transition.id


def _what(case: Case, words: _Words) -> str:
    if case.cause is Cause.SILENCE:
        return words.silent.format(time=_time(case.facts.as_of if case.facts else clock.hour_start(case.raised_hour)))
    if case.level > _HIGHEST_LIMIT:
        return words.failing
    days = f"{words.days.format(days=case.facts.rul_days)}, " if case.facts else ""
    return days + words.level.format(level=case.level)


def _details(case: Case, words: _Words) -> list[str]:
    details = []
    facts = case.facts
    if case.cause is Cause.WEAR and facts:
        if facts.expected_failure_at and facts.rul_days and case.level <= _HIGHEST_LIMIT:
            details.append(words.expected.format(time=_time(facts.expected_failure_at)))
        if facts.driver:
            details.append(words.driver.format(name=_plain(facts.driver)))
        if facts.failure_mode:
            details.append(words.mode.format(name=_plain(facts.failure_mode)))
    if case.planned_for:
        details.append(words.planned.format(time=_time(case.planned_for)))
    return details


def _time(moment: datetime) -> str:
    return f"{clock.naive(moment):%Y-%m-%d %H:%M}"


def _plain(text: str) -> str:
    """Text of a log or a sensor set in one line, without control characters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:80]

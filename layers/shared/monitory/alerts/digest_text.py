"""A digest in plain words, English or Korean, for people who read mail."""

from datetime import timedelta
from typing import NamedTuple

from monitory import clock
from monitory.alerts.case import Case
from monitory.alerts.digest import Digest
from monitory.alerts.text import MAX_LINES, Mail, outcome, summary


class _Words(NamedTuple):
    """The words of a language; what stands in braces is put in."""

    intro: str
    none: str
    unfinished: str
    more: str
    opened: str
    closed: str
    failures: str
    forewarning: str
    missed: str


_LANGUAGES = {
    "en": _Words(
        intro="Cases from {first} to {last}. Times are the factory's.",
        none="No case is open.",
        unfinished="Open cases: {count}, the most urgent first.",
        more="... and {count} more.",
        opened="Opened: {count}.",
        closed="Closed: {count}",
        failures="Failures: {count}, announced: {announced}, missed: {missed}.",
        forewarning="Forewarning: {days:.1f} days (median).",
        missed="Missed: {machines}.",
    ),
    "ko": _Words(
        intro="{first}부터 {last}까지의 케이스입니다. 시각은 공장 시각입니다.",
        none="열린 케이스가 없습니다.",
        unfinished="열린 케이스 {count}건, 급한 순서입니다.",
        more="... 외 {count}건.",
        opened="신규 {count}건.",
        closed="종료 {count}건",
        failures="고장 {count}건, 예고 {announced}건, 놓침 {missed}건.",
        forewarning="예고 시점: 고장 {days:.1f}일 전(중앙값).",
        missed="놓친 설비: {machines}.",
    ),
}


def digest_mail(told: Digest, language: str) -> Mail:
    """A digest as a mail.

    Args:
        told: at least a day.
        language: of the text, `en` or `ko`; the subject is English, for SNS takes ASCII only.
    """
    words = _LANGUAGES[language]
    first, last = clock.naive(told.since).date(), (clock.naive(told.until) - timedelta.resolution).date()
    lines = [words.intro.format(first=first, last=last), "", *_unfinished(told.unfinished, words, language), ""]
    lines += [words.opened.format(count=told.opened), _closed(told, words, language)]
    announced, missed = len(told.announced), len(told.missed)
    lines.append(words.failures.format(count=announced + missed, announced=announced, missed=missed))
    if told.forewarning_hours is not None:
        lines.append(words.forewarning.format(days=told.forewarning_hours / clock.HOURS_PER_DAY))
    if told.missed:
        machines = ", ".join(str(case.machine) for case in told.missed[:MAX_LINES])
        lines.append(words.missed.format(machines=machines))
    subject = (
        f"Cases of {first} to {last}: {len(told.unfinished)} open, {announced} failures announced, {missed} missed"
    )
    return Mail(subject, "\n".join([*lines, ""]))


def _unfinished(cases: list[Case], words: _Words, language: str) -> list[str]:
    if not cases:
        return [words.none]
    lines = [words.unfinished.format(count=len(cases))]
    lines += [f"- {summary(case, language)}" for case in cases[:MAX_LINES]]
    if len(cases) > MAX_LINES:
        lines.append(words.more.format(count=len(cases) - MAX_LINES))
    return lines


def _closed(told: Digest, words: _Words, language: str) -> str:
    text = words.closed.format(count=sum(told.closed.values()))
    reasons = ", ".join(f"{outcome(reason, language)}: {count}" for reason, count in told.closed.items())
    return f"{text} ({reasons})." if reasons else f"{text}."

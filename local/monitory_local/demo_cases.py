"""The demo's cases: its newest week scored as it goes on, as a stack does, and what people are told of it."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from rich.box import SIMPLE_HEAD
from rich.table import Table

from monitory import clock
from monitory.alerts.case import Transition
from monitory.alerts.text import Mail, mail
from monitory.settings import ScoreSettings, from_environment
from monitory_local import lambdas
from monitory_local.scoring import MINUTE
from monitory_score.bootstrap import build_run

HOURS = 6
"""As many as a case looks back; also between two runs of scoring before these, for a trend has a point in six hours."""

WEEK = 7 * clock.HOURS_PER_DAY
SHARE = 4
"""At most a quarter of the demo is watched: a model has to learn from the rest."""

_EMPTY = "–"


class Inbox:
    """A channel of transitions that keeps them."""

    name = "inbox"

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.received: list[Transition] = []

    def send(self, transitions: Sequence[Transition]) -> set[str]:
        """See Channel."""
        self.received += transitions
        return {transition.id for transition in transitions}

    @property
    def alert(self) -> Mail | None:
        """The most urgent transition as people get it by mail; None where nothing has changed."""
        if not self.received:
            return None
        return mail([max(self.received, key=lambda transition: (transition.case.level, transition.at))], "en")


def watched_hours(first: int, present: int) -> list[int]:
    """The hours after which the demo scores: every sixth one of the newest week, then each of the newest `HOURS`.

    Args:
        first: the demo's first hour, see `clock`.
        present: the hour that is not over yet.
    """
    newest = range(max(present - HOURS, first + 1), present)
    start = present - min(WEEK, (present - first) // SHARE)
    return [*range(start, newest.start, HOURS), *newest]


def score_hours(write_until: Callable[[int], object], hours: Iterable[int]) -> Inbox:
    """Score some hours, each shortly after it has ended, and return what was sent.

    Args:
        write_until: writes the lake up to an hour.
        hours: which, ascending, see `clock`.
    """
    inbox = Inbox()
    run = build_run(from_environment(ScoreSettings), [inbox])
    for hour in hours:
        write_until(hour + 1)
        run.score(clock.hour_start(hour + 1) + timedelta(minutes=MINUTE), lambda: True)
    return inbox


def open_cases() -> list[lambdas.Event]:
    """The cases that the API lists."""
    answer = json.loads(lambdas.predict(lambdas.get_event("/api/v1/cases"))["body"])
    cases: list[lambdas.Event] = answer["cases"]
    return cases


def table(cases: Sequence[lambdas.Event]) -> Table:
    """The cases for a terminal, in the factory's time."""
    result = Table(box=SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("case", "level", "status", "since", "days", "driver"):
        result.add_column(name, no_wrap=True)
    for case in cases:
        days = case["rul_days"]
        result.add_row(
            f"{case['equipId']} {case['cause']}",
            str(case["level"]),
            case["status"],
            f"{clock.naive(datetime.fromisoformat(case['opened_at'])):%Y-%m-%d %H:%M}",
            _EMPTY if days is None else f"{days:.1f}",
            case["driver"] or _EMPTY,
        )
    return result

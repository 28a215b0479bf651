"""The score function beside `make serve`: at its start and once an hour, in a thread."""

import sys
import threading
from collections.abc import Sequence
from datetime import timedelta

from monitory import clock
from monitory.alerts.case import Transition
from monitory.alerts.text import sentence
from monitory.errors import MonitoryError
from monitory.settings import ScoreSettings, from_environment
from monitory_score.bootstrap import build_run
from monitory_score.run import Run

MINUTE = 10
"""Of the hour, as in the template."""

RETRY_SECONDS = 60.0


class Terminal:
    """A channel of transitions that prints them on standard error."""

    name = "terminal"

    def send(self, transitions: Sequence[Transition]) -> set[str]:
        """See Channel."""
        for transition in transitions:
            print(sentence(transition, "en"), file=sys.stderr, flush=True)
        return {transition.id for transition in transitions}


def start(stop: threading.Event) -> None:
    """Score now and every hour until `stop` is set."""
    run = build_run(from_environment(ScoreSettings), [Terminal()])
    threading.Thread(target=_follow, args=(run, stop), daemon=True).start()


def _follow(run: Run, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            run.score(clock.now(), lambda: not stop.is_set())
            seconds = _until_next()
        except MonitoryError as exc:
            run.log.error("scoring: %s", exc)
            seconds = RETRY_SECONDS
        stop.wait(seconds)


def _until_next() -> float:
    now = clock.now()
    due = now.replace(minute=MINUTE, second=0, microsecond=0)
    return ((due if due > now else due + timedelta(hours=1)) - now).total_seconds()

"""The score function beside `make serve`: at its start and once an hour, in a thread."""

import threading
from datetime import timedelta

from monitory import clock
from monitory.errors import MonitoryError
from monitory.settings import ScoreSettings, from_environment
from monitory_score.bootstrap import build_run
from monitory_score.run import Run

MINUTE = 10
"""Of the hour, as in the template."""

RETRY_SECONDS = 60.0


def start(stop: threading.Event) -> None:
    """Score now and every hour until `stop` is set."""
    run = build_run(from_environment(ScoreSettings))
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

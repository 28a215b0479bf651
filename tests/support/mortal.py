"""Retrain runs in processes that die when they are told to: `python -m tests.support.mortal`.

One process imports everything and then makes a copy of itself for each run: a command per line on standard input, a
line on standard output when a run has ended. No S3 client is made before the copy, for its threads wouldn't come along.
"""

import json
import os
import random
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from monitory.storage.s3 import S3Storage
from monitory_retrain import bootstrap
from tests.support.retraining import challenger, learns, run, settings

DEAD = 9
_TOLD = 3
"""The file descriptor of what was standard output, which log lines would mix with."""


class Command(msgspec.Struct):
    """What a process is to do.

    Attributes:
        lake, models: buckets.
        events: one after the other.
        seed: of the model that learning finds first; the next event's is the next one.
        dies_at: before which of its writes to the model bucket it dies, counted from 1; 0 never.
        dies_after: after which of them.
        dies_often: chance of dying before each write.
        answers: file to which it appends its answers, one a line.
        request_id: of the invocation.
    """

    lake: str
    models: str
    events: list[dict[str, object]]
    answers: str
    seed: int = 1
    dies_at: int = 0
    dies_after: int = 0
    dies_often: float = 0.0
    request_id: str | None = None


class Ended(NamedTuple):
    """How a process ended."""

    pid: int
    died: bool


class _Mortal(S3Storage):
    """A bucket whose writer may die before any write."""

    writes = 0
    command: Command

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str,
        metadata: Mapping[str, str] | None = None,
        replaces: str | None = None,
        create: bool = False,
    ) -> str:
        type(self).writes += 1
        if self.writes == self.command.dies_at or random.random() < self.command.dies_often:
            os._exit(DEAD)
        etag = super().put(key, body, content_type=content_type, metadata=metadata, replaces=replaces, create=create)
        if self.writes == self.command.dies_after:
            os._exit(DEAD)
        return etag


def _live(command: Command) -> None:
    """The life of a process."""
    random.seed(os.getpid())
    _Mortal.command = command
    patch = pytest.MonkeyPatch()
    patch.setattr(bootstrap, "S3Storage", _Mortal)
    job = bootstrap.build_job(settings(command.lake, command.models))
    with Path(command.answers).open("a") as answers:
        for number, event in enumerate(command.events):
            learns(patch, challenger(command.seed + number))
            answer: dict[str, Any]
            try:
                answer = run(job, event, command.request_id)
            except Exception as exc:
                answer = {"status": "failed", "reason": "".join(traceback.format_exception(exc))}
            answers.write(json.dumps({**answer, "pid": os.getpid()}, default=str) + "\n")
            answers.flush()


def _say(line: str) -> None:
    os.write(_TOLD, (line + "\n").encode())


def main() -> None:
    """Start processes as told, and say of each when it has ended; `wait` waits for all."""
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    os.dup2(1, _TOLD)
    os.dup2(2, 1)
    challenger()
    alive: set[int] = set()
    _say("ready")
    for line in sys.stdin:
        if line.strip() == "wait":
            while alive:
                pid, status = os.wait()
                alive.discard(pid)
                _say(json.dumps({"pid": pid, "code": os.waitstatus_to_exitcode(status)}))
            _say("done")
            continue
        command = msgspec.json.decode(line, type=Command)
        pid = os.fork()
        if not pid:
            code = 1
            try:
                _live(command)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        alive.add(pid)


if __name__ == "__main__":
    main()

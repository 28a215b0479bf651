"""The parent's side of `mortal`: start processes, wait for them, read what they answered."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.support.mortal import DEAD, Command

ROOT = Path(__file__).resolve().parents[2]


class Processes:
    """Mortal processes; see `mortal`."""

    def __init__(self, parent: "subprocess.Popen[str]") -> None:
        """Wait until the parent of them all is ready."""
        self._parent = parent
        assert self._said() == "ready"

    def run(self, *commands: Command) -> int:
        """Run processes at once and wait for all; returns how many died as they were told."""
        for command in commands:
            self._tell(msgspec.json.encode(command).decode())
        self._tell("wait")
        died = 0
        while (line := self._said()) != "done":
            code = json.loads(line)["code"]
            assert code in {0, DEAD}, f"a process ended with {code}"
            died += code == DEAD
        return died

    def _tell(self, line: str) -> None:
        assert self._parent.stdin
        self._parent.stdin.write(line + "\n")
        self._parent.stdin.flush()

    def _said(self) -> str:
        assert self._parent.stdout
        return self._parent.stdout.readline().strip()


@contextmanager
def mortals(environment: Mapping[str, str]) -> Iterator[Processes]:
    """Processes with variables of the environment that name a store."""
    paths = [ROOT, *(ROOT / name for name in ("layers/shared", "functions/predict", "functions/retrain", "local"))]
    code = (
        f"import sys; sys.path[:0] = {[str(path) for path in paths]!r}; from tests.support.mortal import main; main()"
    )
    command, env = [sys.executable, "-c", code], {**os.environ, **environment}
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, text=True, env=env) as parent:
        try:
            yield Processes(parent)
        finally:
            assert parent.stdin
            parent.stdin.close()


def answers(path: Path) -> Sequence[dict[str, Any]]:
    """What processes answered."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

"""Measuring two programs side by side: each in a process of its own, called in turns.

CPU is that of the process with all its threads and finished children, in seconds; the S3 server is another process
and doesn't count. Every figure is printed as one JSON line.
"""

import gc
import json
import resource
import statistics
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple


class Measured(NamedTuple):
    """What a call gave, and its CPU and wall-clock seconds."""

    result: Any
    cpu: float
    wall: float


class Side:
    """A program in a process of its own; a context manager, it ends with it."""

    def __init__(self, make: Callable[..., object], *arguments: object) -> None:
        """`make(*arguments)` is called there; methods of what it returns are what can be measured."""
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make, arguments))
        self._process.start()
        theirs.close()
        self.pid = self._process.pid or 0

    def __enter__(self) -> "Side":
        """Nothing more to start."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        with suppress(OSError):
            self._connection.send(None)
        self._process.join()

    def call(self, method: str, *arguments: object) -> Measured:
        """Call a method there.

        Raises:
            RuntimeError: it failed there.
        """
        self._connection.send((method, arguments))
        answer = self._connection.recv()
        if isinstance(answer, str):
            raise RuntimeError(f"{method}: {answer}")
        return Measured(*answer)


def _serve(connection: Any, make: Callable[..., object], arguments: tuple[object, ...]) -> None:
    warnings.simplefilter("ignore")  # of a library about another one's call
    side = make(*arguments)
    gc.collect()
    while (asked := connection.recv()) is not None:
        method, given = asked
        try:
            cpu, wall = cpu_seconds(), time.perf_counter()
            result = getattr(side, method)(*given)
            connection.send((result, cpu_seconds() - cpu, time.perf_counter() - wall))
        except Exception as exc:
            connection.send(f"{type(exc).__name__}: {exc}")


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


class Memory:
    """The largest memory of a process and its children while a `with` block runs, in bytes.

    Proportional set size: a page that several processes share counts once.
    """

    def __init__(self, pid: int, every_seconds: float = 0.05) -> None:
        """Watches a process that runs already."""
        self.peak = 0
        self._pid = pid
        self._every = every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        """Start to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            self.peak = max(self.peak, sum(_resident(pid) for pid in _family(self._pid)))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(grandchild for child in children for grandchild in _family(int(child)))]


def _resident(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def say(figure: str, **values: object) -> None:
    """Print a figure as a JSON line; floats with four significant digits."""
    print(json.dumps({"figure": figure, **{name: _rounded(value) for name, value in values.items()}}), flush=True)


def beside(figure: str, unit: str, ours: Sequence[float], reference: Sequence[float], expert: Sequence[float]) -> None:
    """Print the median of a figure beside the reference's and the expert's, and how many times ours they are."""
    mine, theirs, best = (median(values) for values in (ours, reference, expert))
    say(figure, ours=mine, reference=theirs, ratio=theirs / mine, expert=best, expert_ratio=best / mine, unit=unit)


def _rounded(value: object) -> object:
    return float(f"{value:.4g}") if isinstance(value, float) else value

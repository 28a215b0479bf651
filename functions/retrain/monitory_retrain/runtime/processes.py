"""Work spread over processes.

Lambda has no /dev/shm, so pools and queues of `multiprocessing` don't start there; processes with a pipe do. They
are spawned: a forked child would inherit the S3 client's threads as corpses.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, TypeVar

from monitory.errors import MonitoryError, WorkerDied

_DIED = "a worker process died; is the function's memory too small?"

A = TypeVar("A")
T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """The number of cores of this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Processes(Generic[T, R]):
    """Processes that turn tasks into results; a context manager that ends them."""

    def __init__(self, prepare: Callable[[A], Callable[[T], R]], argument: A, count: int) -> None:
        """No process starts yet; in each, `prepare(argument)` returns the function of a task."""
        self._prepare = prepare
        self._argument = argument
        self._count = count
        self._children: list[SpawnProcess] = []
        self._connections: list[Connection] = []

    def __enter__(self) -> "Processes[T, R]":
        """Processes start with the first task."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        for ours in self._connections:
            ours.close()
        for child in self._children:
            child.join(timeout=5)
            if child.is_alive():
                child.kill()
                child.join()
        self._connections.clear()
        self._children.clear()

    @property
    def started(self) -> bool:
        """Whether processes wait for work."""
        return bool(self._children)

    def results(self, tasks: Iterable[T]) -> Iterator[R]:
        """The tasks' results, in no order; the iterator of tasks is advanced as processes become free.

        Raises:
            MonitoryError: a task failed with it.
            WorkerDied: a process died.
        """
        self._start()
        queue = iter(tasks)
        # One task at a time: a process that is sent the next one while it sends its result would wait for us for ever.
        busy = [ours for ours in self._connections if self._give(ours, queue)]
        try:
            while busy:
                ready = wait(busy)
                for ours in [ours for ours in busy if ours in ready]:
                    result = self._receive(ours)
                    if not self._give(ours, queue):
                        busy.remove(ours)
                    yield result
        finally:
            if busy:
                self.__exit__()  # what they still send belongs to nobody

    def _give(self, ours: Connection, queue: Iterator[T]) -> bool:
        """Send the next task, if there is one more."""
        for task in queue:
            try:
                ours.send(task)
            except ConnectionError as exc:
                raise WorkerDied(_DIED) from exc
            return True
        return False

    def _receive(self, ours: Connection) -> R:
        try:
            result: R | MonitoryError = ours.recv()
        except (EOFError, ConnectionError) as exc:
            raise WorkerDied(_DIED) from exc
        if isinstance(result, MonitoryError):
            raise result
        return result

    def _start(self) -> None:
        context = get_context("spawn")
        while len(self._children) < self._count:
            ours, theirs = context.Pipe()
            child = context.Process(target=_serve, args=(theirs, self._prepare, self._argument), daemon=True)
            child.start()
            theirs.close()
            self._children.append(child)
            self._connections.append(ours)


def _serve(connection: Connection, prepare: Callable[[Any], Callable[[Any], Any]], argument: object) -> None:
    """The main function of a process: tasks in, results or an error out."""
    work = prepare(argument)
    with suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        while True:
            task = connection.recv()
            try:
                connection.send(work(task))
            except MonitoryError as exc:
                connection.send(exc)

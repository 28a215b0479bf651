"""Work in several processes: all of it is done, errors come back, the dead are noticed, nobody stays behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from monitory.errors import StorageUnavailable, WorkerDied
from monitory_retrain.runtime.processes import Processes


def squares(offset: int) -> Callable[[int], int]:
    def square(number: int) -> int:
        if number < 0:
            raise StorageUnavailable(f"cannot read {number}")
        if number == 666:
            os.kill(os.getpid(), signal.SIGKILL)
        return offset + number * number

    return square


def test_every_task_has_one_result() -> None:
    with Processes(squares, 1, 2) as pool:
        assert sorted(pool.results(range(40))) == [1 + n * n for n in range(40)]
        assert sorted(pool.results(range(3))) == [1, 2, 5]
    assert not multiprocessing.active_children()


def reversed_bytes(_: None) -> Callable[[bytes], bytes]:
    return lambda body: body[::-1]


def test_tasks_and_results_may_be_larger_than_any_pipe() -> None:
    bodies = [bytes([n]) * (3 << 20) + b"end" for n in range(8)]
    with Processes(reversed_bytes, None, 2) as pool:
        assert sorted(pool.results(bodies)) == sorted(body[::-1] for body in bodies)


def test_results_that_nobody_waited_for_do_not_turn_up_later() -> None:
    with Processes(squares, 0, 2) as pool:
        assert next(iter(pool.results(range(100, 110)))) >= 10_000
        assert sorted(pool.results([1, 2, 3])) == [1, 4, 9]


def test_worker_processes_do_without_what_takes_more_memory_than_their_work() -> None:
    heavy = {"pyarrow", "pandas", "lightgbm", "sklearn"}
    program = f"import sys, monitory_retrain.ingest.workers; print({heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_nothing_starts_before_there_is_work() -> None:
    with Processes(squares, 0, 2) as pool:
        assert not pool.started
    assert not multiprocessing.active_children()


def test_an_error_comes_back_as_itself() -> None:
    with Processes(squares, 0, 2) as pool, pytest.raises(StorageUnavailable, match="cannot read -7"):
        list(pool.results([1, 2, -7, 3, 4, 5, 6]))
    assert not multiprocessing.active_children()


def test_a_process_that_dies_is_noticed() -> None:
    with Processes(squares, 0, 2) as pool, pytest.raises(WorkerDied, match="memory"):
        list(pool.results([1, 666, 2, 3, 4, 5, 6]))
    assert not multiprocessing.active_children()

"""Work in several processes: all of it is done, errors come back, the dead are noticed, nobody stays behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from monitory import sensors
from monitory.errors import StorageUnavailable, WorkerDied
from monitory.features import hour_row, vector
from monitory.features.hour_row import OUTSIDE, PER_SENSOR
from monitory.log import logger
from monitory.machine import Machine
from monitory.settings import Settings
from monitory_retrain.dataset import dataset
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.labels import Labels, label
from monitory_retrain.runtime.processes import Processes

SENSORS = sensors.load()


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


def synthetic(machines: int, hours: int) -> tuple[HourTable, Labels]:
    """A table with gaps, and labels for some of its rows."""
    draw = np.random.default_rng(0)
    n = machines * hours
    kept = draw.random(n) < 0.9
    machine = np.repeat(np.arange(machines), hours)[kept]
    hour = np.tile(np.arange(500_000, 500_000 + hours), machines)[kept]
    values = draw.normal(50_000, 5, (len(hour), len(hour_row.Columns(SENSORS))))
    values[:, 0] = np.where(draw.random(len(hour)) < 0.1, np.nan, values[:, 0])
    values[:, OUTSIDE :: len(PER_SENSOR)] = 0.0
    values[:, OUTSIDE] = draw.random(len(hour)) < 0.05  # failures
    zeros = np.zeros(len(hour), dtype=np.int64)
    names = [Machine("ZONE-001", f"EQUIP-{number:03d}") for number in range(machines)]
    table = HourTable(names, machine, hour, values, zeros, zeros)
    return table, label(table, SENSORS, cap_days=3.0, share=0.5, count=1)


def test_features_are_the_same_however_many_processes_compute_them() -> None:
    table, labels = synthetic(5, 60)
    log = logger("test", Settings(log_level="CRITICAL"))
    alone = dataset.build(table, labels, SENSORS, log, processes=1)
    shared = dataset.build(table, labels, SENSORS, log, processes=2)
    assert alone.x.shape[1] == len(vector.names(SENSORS))
    assert len(alone) > 50
    assert alone.x.tobytes() == shared.x.tobytes()
    assert alone.machine.tolist() == shared.machine.tolist()

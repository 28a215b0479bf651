"""A large table's values are in a file, of which memory holds what is read."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.training import drawn_table
from monitory import sensors
from monitory.features import vector
from monitory.log import logger
from monitory.settings import RetrainSettings
from monitory_retrain.dataset import dataset, hour_table, labels, large_array
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.hour_table import HourTable

SENSORS = sensors.load()
SETTINGS = RetrainSettings(log_level="ERROR", max_rul_days=5.0)


@pytest.fixture
def in_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Every array is large; returns the folder for temporary files."""
    monkeypatch.setattr(large_array, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def _mapped_kb(folder: Path) -> int:
    """Memory that this process has of files in a folder."""
    size, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        key, *rest = line.split(maxsplit=5)
        if "-" in key and not key.endswith(":"):
            inside = bool(rest) and rest[-1].startswith(str(folder))
        elif inside and key == "Rss:":
            size += int(rest[0])
    return size


def test_values_survive_being_let_go_and_take_no_memory_meanwhile(in_files: Path) -> None:
    array = large_array.empty((3_000, 100))
    array[:] = np.arange(100)
    assert _mapped_kb(in_files) > 2_000
    large_array.let_go(array)
    assert _mapped_kb(in_files) == 0
    assert (array == np.arange(100)).all()


def test_the_file_has_no_name_and_ends_with_its_array(in_files: Path) -> None:
    before = set(Path("/proc/self/fd").iterdir())
    array = large_array.empty((1_000, 100))
    assert not list(in_files.iterdir())
    del array
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_small_arrays_are_in_memory_and_stay_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    array = large_array.empty((10, 10))
    array[:] = 1.0
    large_array.let_go(array)
    assert array.sum() == 100


def test_where_a_file_has_no_room_an_array_is_in_memory(in_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    array = large_array.empty((1_000, 100))
    array[:] = 2.0
    large_array.let_go(array)
    assert array.sum() == 200_000
    assert _mapped_kb(in_files) == 0


def _learnt(make: Callable[[], HourTable]) -> tuple[HourTable, Dataset]:
    table = make()
    found = labels.label_by(SETTINGS, table, SENSORS, None, None)
    log = logger("tests", SETTINGS)
    return table, dataset.build(table, found, SENSORS, log, names=vector.trained(SENSORS))


def test_a_table_in_a_file_teaches_the_same_bits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def make() -> HourTable:
        return drawn_table(3, 8)

    table, rows = _learnt(make)
    monkeypatch.setattr(large_array, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(hour_table, "_PART_ROWS", 100)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    other, others = _learnt(make)
    assert _mapped_kb(tmp_path) == 0, "the table has been let go"
    assert other.values.tobytes() == table.values.tobytes()
    assert others.matrix.tobytes() == rows.matrix.tobytes()
    assert others.rul.tobytes() == rows.rul.tobytes()


def test_single_precision_holds_the_same_features() -> None:
    table = drawn_table(2, 8)
    found = labels.label_by(SETTINGS, table, SENSORS, None, None)
    log = logger("tests", SETTINGS)
    double = dataset.build(table, found, SENSORS, log)
    single = dataset.build(table, found, SENSORS, log, dtype=np.float32)
    assert single.matrix.nbytes * 2 == double.matrix.nbytes
    np.testing.assert_allclose(single.x, double.x, rtol=1e-7, atol=1e-30)
    assert single.column(vector.AGE).tobytes() == double.column(vector.AGE).tobytes()
    assert single.x.dtype == single.column(vector.AGE).dtype == np.float64

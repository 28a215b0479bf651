"""C-MAPSS files as a factory: who runs when, and what is true of it."""

import csv
import gzip
import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from monitory.clock import first_hour, hour_of
from monitory_local.example.cmapss import SENSORS, DataFault, engines
from monitory_local.example.factory import REPAIR_HOURS, Factory
from monitory_local.example.scores import Prediction, figures

PRESENT = first_hour(datetime(2026, 11, 20).date())


def rows(*cycles: int) -> str:
    """Engines of so many cycles; a sensor reads 100 times its engine plus its cycle."""
    lines = []
    for engine, count in enumerate(cycles, start=1):
        for cycle in range(1, count + 1):
            lines.append(" ".join(map(str, [engine, cycle, 0, 0, 0, *[100 * engine + cycle] * len(SENSORS)])))
    return "\n".join(lines) + "\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "train_FD001.txt").write_text(rows(4, 5))
    with gzip.open(tmp_path / "test_FD001.txt.gz", "wt") as file:
        file.write(rows(2, 3))
    (tmp_path / "RUL_FD001.txt").write_text("7\n9\n")
    return tmp_path


def test_a_machine_fails_stands_still_and_runs_up_to_the_present(source: Path, tmp_path: Path) -> None:
    factory = Factory(engines(source), PRESENT)
    factory.write_readings(tmp_path / "r.csv", range(factory.first_hour, PRESENT))
    factory.write_records(tmp_path / "f.csv")
    with (tmp_path / "r.csv").open() as file:
        readings = [row for row in csv.DictReader(file) if row["machine"] == "ENGINE-001"]
    with (tmp_path / "f.csv").open() as file:
        (failure,) = (row for row in csv.DictReader(file) if row["machine"] == "ENGINE-001")
    hours = [hour_of(datetime.fromisoformat(row["time"])) for row in readings]
    failed = hour_of(datetime.fromisoformat(failure["start"]))
    assert [float(row["T24"]) for row in readings] == [101, 102, 103, 104, 101, 102]
    assert hours == [*range(failed - 3, failed + 1), PRESENT - 2, PRESENT - 1]
    assert hour_of(datetime.fromisoformat(failure["end"])) == failed + REPAIR_HOURS < PRESENT - 1
    assert factory.next_failure_hour(0) - (PRESENT - 1) == 7


def test_a_history_is_cut_by_hours(source: Path, tmp_path: Path) -> None:
    factory = Factory(engines(source), PRESENT)
    factory.write_readings(tmp_path / "r.csv", range(PRESENT - 1, PRESENT))
    with (tmp_path / "r.csv").open() as file:
        assert [(row["machine"], float(row["P2"])) for row in csv.DictReader(file)] == [
            ("ENGINE-001", 102),
            ("ENGINE-002", 203),
        ]


def test_nasas_archive_is_read_as_it_is(source: Path, tmp_path: Path) -> None:
    archive = tmp_path / "CMAPSSData.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name, text in (("train", rows(4, 5)), ("test", rows(2, 3)), ("RUL", "7\n9\n")):
            file.writestr(f"CMAPSSData/{name}_FD001.txt", text)
    for left, right in zip(engines(archive), engines(source), strict=True):
        assert np.array_equal(left.run, right.run)
        assert np.array_equal(left.second, right.second)
        assert left.cycles_left == right.cycles_left


def test_data_that_is_not_there_is_named_with_its_source(tmp_path: Path) -> None:
    with pytest.raises(DataFault, match=r"no train_FD001.txt there.*https://data.nasa.gov"):
        engines(tmp_path)


def test_figures_are_in_cycles_against_the_capped_truth() -> None:
    exact = Prediction("A", 0, 125.0, 100.0, None, "T24", true=140)
    late = Prediction("B", 0, 20.0, 15.0, 18.0, "T24", true=10)
    assert figures([exact, late], training_mean=85.0) == {
        "predictions": 2,
        "rmse": 7.07,
        "rmse_raw": 12.75,
        "mae": 5.0,
        "mean_rmse": 60.1,
        "coverage": 0.5,
    }

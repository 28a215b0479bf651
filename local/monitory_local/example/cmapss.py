"""NASA's C-MAPSS data, subset FD001: engines that run to failure, and engines whose end is known but not shown.

Simulated turbofan engines, not field data (Saxena, Goebel, Simon, Eklund, PHM08). A file has 26 columns without a
header: engine, cycle, three settings, 21 sensors. FD001 flies at one set point, so the settings are left out here.
"""

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitory.errors import MonitoryError

Floats = npt.NDArray[np.float64]

SENSORS = (
    *("T2", "T24", "T30", "T50", "P2", "P15", "P30", "Nf", "Nc", "epr", "Ps30", "phi", "NRf", "NRc", "BPR"),
    *("farB", "htBleed", "Nf_dmd", "PCNfR_dmd", "W31", "W32"),
)
"""The sensors in the files' order, by the names of the publication's table 2."""

SOURCE = "https://data.nasa.gov/dataset/cmapss-jet-engine-simulated-data"
_FIRST_SENSOR = 5


class Engine(NamedTuple):
    """Two runs of an engine.

    Attributes:
        run: its sensors by cycle up to the failure in the last one, shape (n, 21).
        second: those of another engine, which plays the same machine after its repair; it has not failed yet.
        cycles_left: cycles that the second run goes on after its last row.
    """

    run: Floats
    second: Floats
    cycles_left: int


class DataFault(MonitoryError):
    """The data set is not where it was said to be."""


def engines(source: Path) -> list[Engine]:
    """The engines of FD001 in a folder (text files, gzip or not) or in NASA's zip archive.

    Raises:
        DataFault: a file is missing or is something else.
    """
    train, test, left = (_read(source, f"{name}_FD001.txt") for name in ("train", "test", "RUL"))
    if train.shape[1] != _FIRST_SENSOR + len(SENSORS) or test.shape[1] != train.shape[1]:
        raise DataFault(f"{source}: the files have {train.shape[1]} columns, 26 were expected")
    runs, second = list(_by_engine(train)), list(_by_engine(test))
    if not len(runs) == len(second) == left.size:
        raise DataFault(f"{source}: {len(runs)} engines in train, {len(second)} in test, {left.size} in RUL")
    return [Engine(first, after, int(cycles)) for first, after, cycles in zip(runs, second, left.ravel(), strict=True)]


def _by_engine(rows: Floats) -> Iterator[Floats]:
    for engine in np.unique(rows[:, 0]):
        yield rows[rows[:, 0] == engine][:, _FIRST_SENSOR:]


def _read(source: Path, name: str) -> Floats:
    try:
        return np.loadtxt(io.BytesIO(_bytes(source, name)), ndmin=2)
    except ValueError as exc:
        raise DataFault(f"{source}: {name} is no table of numbers: {exc}") from exc


def _bytes(source: Path, name: str) -> bytes:
    try:
        if source.is_file():
            with zipfile.ZipFile(source) as archive:
                return archive.read(next(item for item in archive.namelist() if item.rpartition("/")[2] == name))
        packed = source / f"{name}.gz"
        return gzip.decompress(packed.read_bytes()) if packed.exists() else (source / name).read_bytes()
    except (OSError, zipfile.BadZipFile, StopIteration) as exc:
        raise DataFault(
            f"{source}: no {name} there; give a folder that holds it, or CMAPSSData.zip as NASA publishes it ({SOURCE})"
        ) from exc

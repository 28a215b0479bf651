"""NASA's C-MAPSS run-to-failure data as hour rows: one cycle is one hour, settings and sensors are a sensor set.

Simulated turbofan engines, not field data (Saxena, Goebel, Simon, Eklund, PHM08).
"""

import gzip
from collections import Counter
from pathlib import Path

import numpy as np

from monitory.features.hour_row import Columns
from monitory.machine import Machine
from monitory.sensors import Sensor, SensorSet
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.labels import Labels

SETTINGS, SENSORS = 3, 21
CAP_CYCLES = 125
_FIRST_SETTING = 2


def sensor_set() -> SensorSet:
    """The engines' operating settings and sensors, in the files' order; a failure is the end of an engine's data."""
    operating = tuple(f"op{number}" for number in range(1, SETTINGS + 1))
    names = (*operating, *(f"s{number:02d}" for number in range(1, SENSORS + 1)))
    return SensorSet(tuple(Sensor(name, name, "", -1e30, 1e30) for name in names), operating=operating)


def read(folder: Path, name: str) -> Floats:
    """A file of the data set, `<name>.txt` or `<name>.txt.gz`, as numbers.

    Raises:
        FileNotFoundError: there is neither.
    """
    packed = folder / f"{name}.txt.gz"
    if packed.exists():
        with gzip.open(packed, "rt") as lines:
            return np.loadtxt(lines, ndmin=2)
    return np.loadtxt(folder / f"{name}.txt", ndmin=2)


def hour_table(data: Floats, sensors: SensorSet) -> HourTable:
    """Engines as machines, cycles as hours, each hour with one reading per sensor."""
    columns = Columns(sensors)
    values = np.full((len(data), len(columns)), np.nan)
    readings = data[:, _FIRST_SETTING : _FIRST_SETTING + SETTINGS + SENSORS]
    for statistic, value in (
        ("mean", readings),
        ("min", readings),
        ("max", readings),
        ("outside", 0.0),
        ("count", 1.0),
    ):
        values[:, columns.indices(statistic)] = value
    units, machine = np.unique(data[:, 0].astype(np.int64), return_inverse=True)
    machines = [Machine("CMAPSS", f"{unit:04d}") for unit in units.tolist()]
    hour = data[:, 1].astype(np.int64)
    zeros = np.zeros(len(data), dtype=np.int64)
    return HourTable(machines, machine.astype(np.int64), hour, values, zeros + SETTINGS + SENSORS, zeros)


def in_regimes(data: Floats, like: Floats, count: int, seed: int = 0) -> Floats:
    """Engines as if each cycle were flown at one of several set points, drawn at random, as in FD002 and FD004.

    Each regime shifts and stretches each sensor, by up to 20 and 2 times what the sensor varies otherwise: simulated.

    Args:
        data: a file with one regime, shape (n, 26).
        like: the file that says what sensors vary otherwise, shape (m, 26).
        count: set points.
        seed: of what the regimes do; and, with the number of rows, of which cycle is flown where.
    """
    regimes = np.random.default_rng(seed)
    points = regimes.uniform(0, 1, (count, SETTINGS)) * (42.0, 0.84, 100.0)
    shifts = regimes.uniform(-20, 20, (count, SENSORS))
    stretches = regimes.uniform(0.5, 2.0, (count, SENSORS))
    flown = np.random.default_rng([seed, len(data)]).integers(count, size=len(data))
    made = data.copy()
    settings = slice(_FIRST_SETTING, _FIRST_SETTING + SETTINGS)
    made[:, settings] += points[flown]
    sensors = slice(settings.stop, settings.stop + SENSORS)
    middle, width = like[:, sensors].mean(axis=0), like[:, sensors].std(axis=0)
    made[:, sensors] = middle + (data[:, sensors] - middle) * stretches[flown] + shifts[flown] * width
    return made


def run_to_failure(table: HourTable) -> Labels:
    """Labels of engines that fail at the end of their data; the engine's first cycle is its first hour since repair."""
    last = _per_machine_last(table)
    cycles = np.minimum(last - table.hour, CAP_CYCLES)
    none: Ints = np.zeros(len(table), dtype=np.int64)
    ends = {machine: int(table.hour[rows][-1]) for machine, rows in table.slices()}
    return Labels(
        rul=cycles / 24.0,
        seen=cycles / 24.0,
        label_available_at=table.hour + cycles,
        life=table.machine,
        last_failure=none,
        maintenance={},
        failures={machine: [hour] for machine, hour in ends.items()},
        last_hours=ends,
        left_out=Counter(),
        running=np.ones(len(table), dtype=np.bool_),
    )


def _per_machine_last(table: HourTable) -> Ints:
    last = np.zeros(len(table), dtype=np.int64)
    for _, rows in table.slices():
        last[rows] = table.hour[rows][-1]
    return last

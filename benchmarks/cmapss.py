"""NASA's C-MAPSS run-to-failure data as hour rows: one cycle is one hour, 21 sensors are a sensor set.

Simulated turbofan engines, not field data (Saxena, Goebel, Simon, Eklund, PHM08).
"""

import gzip
from collections import Counter
from pathlib import Path

import numpy as np

from monitory.identifiers import Machine
from monitory.rows import MAX, MIN, PER_SENSOR, columns
from monitory.sensors import Sensor, SensorSet
from monitory_retrain.arrays import Floats, Ints
from monitory_retrain.labels import Labels
from monitory_retrain.table import HourTable

SENSORS = 21
CAP_CYCLES = 125
_FIRST_SENSOR = 5
_COUNT = PER_SENSOR.index("_count")


def sensor_set() -> SensorSet:
    """The engines' sensors; they have no alert limits, a failure is the end of an engine's data."""
    return SensorSet(tuple(Sensor(f"s{n:02d}", f"s{n:02d}", "", -1e30, 1e30) for n in range(1, SENSORS + 1)))


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
    width = len(PER_SENSOR)
    values = np.full((len(data), len(columns(sensors))), np.nan)
    for index in range(SENSORS):
        reading = data[:, _FIRST_SENSOR + index]
        for offset in (0, MIN, MAX):
            values[:, index * width + offset] = reading
        values[:, index * width + PER_SENSOR.index("_outside")] = 0.0
        values[:, index * width + _COUNT] = 1.0
    units, machine = np.unique(data[:, 0].astype(np.int64), return_inverse=True)
    machines = [Machine("CMAPSS", f"{unit:04d}") for unit in units.tolist()]
    hour = data[:, 1].astype(np.int64)
    zeros = np.zeros(len(data), dtype=np.int64)
    return HourTable(machines, machine.astype(np.int64), hour, values, zeros + SENSORS, zeros)


def run_to_failure(table: HourTable) -> Labels:
    """Labels of engines that fail at the end of their data; the engine's first cycle is its first hour since repair."""
    last = _per_machine_last(table)
    cycles = np.minimum(last - table.hour, CAP_CYCLES)
    none: Ints = np.zeros(len(table), dtype=np.int64)
    ends = {machine: int(table.hour[rows][-1]) for machine, rows in table.slices()}
    return Labels(
        rul=cycles / 24.0,
        known_at=table.hour + cycles,
        life=table.machine,
        last_failure=none,
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

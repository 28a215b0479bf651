"""Training data of a large factory: seconds and memory from hour rows to a judged model.

    python -m benchmarks.training [--machines 1000] [--days 21]

Hour rows are drawn, not read: 504,000 for 1,000 machines and 21 days. Memory is the largest sum over all processes;
of the file that holds a large table (`large_array`) what is in memory for them counts, not the kernel's cache.
"""

import argparse
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.sides import Memory, Side, say
from monitory import sensors
from monitory.features.hour_row import Columns
from monitory.machine import Machine
from monitory.sensors import SensorSet

if TYPE_CHECKING:
    from monitory_retrain.dataset.hour_table import HourTable

_FIRST_HOUR = 496_800
_LIFE_HOURS = 100
_MACHINES = 500
"""Of a part of the table: parts are joined as those of days are."""


class Learner:
    """The middle of the retrain job, on drawn hour rows."""

    def learn(self, machines: int, days: int, threads: int) -> dict[str, object]:
        """Label, build features, train, calibrate and score."""
        from monitory import log
        from monitory.settings import RetrainSettings
        from monitory_retrain import pipeline
        from monitory_retrain.training.training import Recipe

        settings = RetrainSettings(log_level="ERROR", max_rul_days=5.0)
        table = drawn_table(machines, days)
        logger = log.logger("benchmark", settings)
        outcome = pipeline.learn(table, sensors.load(), settings, Recipe(threads=threads), logger)
        assert isinstance(outcome, pipeline.Challenger), outcome
        return {"rows": len(table), "mae_days": outcome.scores.mae, "trees": outcome.trained.trees}


def drawn_table(machines: int, days: int) -> "HourTable":
    """Hour rows of machines that fail every `_LIFE_HOURS`."""
    from monitory_retrain.dataset import hour_table  # heavy: not for this module's parent process

    sensor_set = sensors.load()
    draw = np.random.default_rng(0)
    parts = [
        _drawn_part(range(first, min(first + _MACHINES, machines)), days * 24, sensor_set, draw)
        for first in range(0, machines, _MACHINES)
    ]
    return hour_table.join(parts, len(Columns(sensor_set)))


def _drawn_part(numbers: range, hours: int, sensor_set: SensorSet, draw: np.random.Generator) -> "HourTable":
    from monitory_retrain.dataset.hour_table import HourTable

    machine = np.repeat(np.arange(len(numbers)), hours)
    hour = np.tile(np.arange(_FIRST_HOUR, _FIRST_HOUR + hours), len(numbers))
    age = (hour + (machine + numbers.start) * 37) % _LIFE_HOURS
    columns = Columns(sensor_set)
    values = draw.normal(0, 1.0, (len(hour), len(columns)))
    for index, sensor in enumerate(sensor_set.sensors):
        mean = columns.index(sensor.name, "mean")
        values[:, mean] = (sensor.low + sensor.high) / 2 + (sensor.high - sensor.low) * (
            0.02 * values[:, mean] + 0.2 * (index == 2) * age / _LIFE_HOURS
        )
        values[:, columns.index(sensor.name, "min")] = sensor.low
        values[:, columns.index(sensor.name, "max")] = sensor.high
    values[:, columns.indices("outside")] = 0.02
    values[:, columns.indices("count")] = 720.0
    values[age == 0, columns.index(sensor_set.names[0], "outside")] = 0.9
    names = [Machine("ZONE-001", f"EQUIP-{number:05d}") for number in numbers]
    return HourTable(names, machine, hour, values, np.full(len(hour), 4320), hour * 3_600_000_000)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, default=1000, help="(%(default)s)")
    parser.add_argument("--days", type=int, default=21, help="(%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="of LightGBM; 0 for all cores")
    arguments = parser.parse_args()
    with Side(Learner) as learner, Memory(learner.pid, 0.25) as memory:
        done = learner.call("learn", arguments.machines, arguments.days, arguments.threads)
    say(
        "training",
        machines=arguments.machines,
        days=arguments.days,
        **done.result,
        wall_s=done.wall,
        cpu_s=done.cpu,
        peak_mb=memory.peak / 1e6,
    )


if __name__ == "__main__":
    main()

"""Hour rows of a simulated machine without a lake: what a year of readings would come to, in a second.

The readings are drawn as `readings` draws them, all hours of a machine at once, and are summed up as
`monitory.features.hour_row` does. Only what a model sees is the same, not each number: the order of the draws differs.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitory.features.hour_row import PER_SENSOR, WINDOW
from monitory.sensors import SensorSet
from monitory_local.simulator import faults
from monitory_local.simulator.readings import Floats, MachineReadings, ar1_kernel
from monitory_local.simulator.wear import State

_BLOCK_HOURS = 240


@dataclass(frozen=True)
class MachineHours:
    """A machine's hours with data.

    Attributes:
        hour: see `monitory.clock`, shape (n,).
        values: named by `monitory.features.hour_row.Columns`, shape (n, columns); NaN is missing.
    """

    hour: npt.NDArray[np.int64]
    values: Floats


def machine_hours(machine: MachineReadings, hours: range, sensors: SensorSet) -> MachineHours:
    """The hour rows of a machine."""
    blocks = [_block(machine, hours[at : at + _BLOCK_HOURS], sensors) for at in range(0, len(hours), _BLOCK_HOURS)]
    return MachineHours(np.concatenate([b.hour for b in blocks]), np.concatenate([b.values for b in blocks]))


def _block(machine: MachineReadings, hours: range, sensors: SensorSet) -> MachineHours:
    states = [machine.lives.truth(hour).state for hour in hours]
    lives = [machine.lives.life(hour) for hour in hours]
    speaks = [not (state is State.OFF and life.silent) for state, life in zip(states, lives, strict=True)]
    kept = np.flatnonzero(speaks)
    off = np.array([states[at] is State.OFF for at in kept])
    hour = np.array(hours, dtype=np.int64)[kept]
    levels = np.array([machine.levels(hours[at], lives[at], states[at]) for at in kept.tolist()])
    signals = machine.signals
    count = machine.count
    draw = np.random.default_rng([machine.plan.seed, machine.number, 8, hours.start])
    spectrum = np.fft.rfft(ar1_kernel(machine.memory, count))
    values = np.full((len(kept), len(signals), len(PER_SENSOR)), np.nan)
    values[:, :, PER_SENSOR.index("_count")] = 0.0
    silent = [machine.silent(hours[at]) if states[at] is not State.FAILING else set() for at in kept.tolist()]
    lies = [machine.faults(hours[at]) for at in kept.tolist()]
    for row, lying in enumerate(lies):
        silent[row] = silent[row] | {index for index, fault in lying.items() if faults.is_rejected(fault)}
    for index, signal in enumerate(signals):
        noise = np.fft.irfft(np.fft.rfft(draw.standard_normal((len(kept), count))) * spectrum, count)
        read = signal.mean + signal.deviation * (levels[:, index, None] + noise)
        spiked = draw.random(noise.shape) < machine.plan.spike_share
        read[spiked] = signal.ceiling * draw.uniform(0.8, 1.0, int(spiked.sum()))
        read[off] = signal.at_rest + 0.002 * signal.deviation * np.abs(noise[off])
        read = np.clip(read, signal.floor, signal.ceiling).round(signal.decimals)
        for row, lying in enumerate(lies):
            if index in lying and index not in silent[row]:
                read[row] = faults.reported(read[row], lying[index], signal)
        heard = np.array([index not in missing for missing in silent], dtype=np.bool_)
        values[heard, index] = _summary(read[heard], signal.low, signal.high)
    flat = values.reshape(len(kept), -1)
    if sensors.power_factor:
        active, reactive = (
            values[:, sensors.names.index(name), 0]
            for name in (sensors.power_factor.active, sensors.power_factor.reactive)
        )
        apparent = np.hypot(active, reactive)
        flat = np.column_stack([flat, np.where(apparent == 0, 0.0, active / np.where(apparent == 0, 1.0, apparent))])
    return MachineHours(hour, flat)


def _summary(read: Floats, low: float, high: float) -> Floats:
    """`PER_SENSOR` of readings, shape (hours, count) -> (hours, 7)."""
    rolling = np.full((2, len(read)), np.nan)  # fewer than `WINDOW` readings have none
    if read.shape[1] >= WINDOW:
        windows = np.lib.stride_tricks.sliding_window_view(read, WINDOW, axis=1)
        rolling = np.stack([windows.mean(axis=(1, 2)), windows.std(axis=2, ddof=1).mean(axis=1)])
    return np.column_stack(
        [
            read.mean(axis=1),
            *rolling,
            read.min(axis=1),
            read.max(axis=1),
            ((read < low) | (read > high)).mean(axis=1),
            np.full(len(read), float(read.shape[1])),
        ]
    )

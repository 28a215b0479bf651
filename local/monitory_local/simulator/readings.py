"""An hour of a simulated machine's readings, as arrays: the same plan, machine and hour give the same numbers."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from monitory.clock import HOURS_PER_DAY
from monitory_local.simulator import faults
from monitory_local.simulator.faults import Fault
from monitory_local.simulator.signals import Mode, Signal, default_signals
from monitory_local.simulator.wear import Life, MachineLives, Plan, State

SECONDS_PER_HOUR = 3600
WEAR_REACH = 0.7
"""How much of the way from mean to limit wear has gone just before the failure."""

_MEMORY_SECONDS = 40.0  # after which a reading's noise has lost its memory: an hour's mean is 7 times tighter
WANDER_MEMORY_HOURS = 10.0
WANDER = 0.07  # slow changes of the process, in standard deviations of readings
_OFFSET = 0.1  # differences between machines, the same
_LOAD = 0.2  # the day's course in what follows the load, the same
_FOLLOW_LOAD = frozenset({"temperature", "active_power", "reactive_power"})
_SAFE = 2.3  # deviations from the mean that no hour's level exceeds without a failure; limits lie at 3
_SILENCES_PER_DAY = 0.1

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SensorHour:
    """One sensor's readings of an hour.

    Attributes:
        signal: which sensor.
        microseconds: since the hour's start, increasing.
        values: in the sensor's unit, as many.
        spikes: which of them are spikes.
    """

    signal: Signal
    microseconds: npt.NDArray[np.int64]
    values: Floats
    spikes: npt.NDArray[np.bool_]


class MachineReadings:
    """What the sensors of one machine read, hour by hour."""

    def __init__(self, plan: Plan, number: int) -> None:
        """The machine of that number, counted from 0."""
        self.lives = MachineLives(plan, number)
        self.plan = plan
        self.number = number
        self.signals = default_signals()
        self.count = int(SECONDS_PER_HOUR // plan.rate_seconds)
        self.memory = math.exp(-plan.rate_seconds / _MEMORY_SECONDS)
        self.offsets = np.random.default_rng([plan.seed, number, 2]).normal(0, _OFFSET, len(self.signals))
        self.offsets += [self.lives.kind.shifts.get(signal.name, 0.0) for signal in self.signals]
        self._wander = lru_cache(maxsize=2)(self._draw_wander)

    def hour(self, hour: int) -> list[SensorHour]:
        """The readings of an hour; none while the machine is off and silent."""
        state = self.lives.truth(hour).state
        life = self.lives.life(hour)
        if state is State.OFF and life.silent:
            return []
        draw = np.random.default_rng([self.plan.seed, self.number, 3, hour])
        count = self.count
        levels = self.levels(hour, life, state)
        noise = self._noise(draw, count)
        silent = set() if state is State.FAILING else self.silent(hour)
        lies = self.faults(hour)
        step = SECONDS_PER_HOUR * 1_000_000 // count
        sensors = []
        for index, signal in enumerate(self.signals):
            # each sensor has its own phase, and none is exact
            phase = int(draw.integers(step // 2))
            times = phase + step * np.arange(count) + draw.integers(0, max(1, step // 4), count)
            if state is State.OFF:
                values = signal.at_rest + 0.002 * signal.deviation * np.abs(noise[index])
                spikes = np.zeros(count, dtype=np.bool_)
            else:
                values = signal.mean + signal.deviation * (levels[index] + noise[index])
                spikes = draw.random(count) < self.plan.spike_share
                values[spikes] = signal.ceiling * draw.uniform(0.8, 1.0, int(spikes.sum()))
            if index not in silent:
                values = np.round(np.clip(values, signal.floor, signal.ceiling), signal.decimals)
                if index in lies:
                    values = faults.reported(values, lies[index], signal)
                sensors.append(SensorHour(signal, times, values, spikes))
        return sensors

    def levels(self, hour: int, life: Life, state: State) -> Floats:
        """Each sensor's mean in this hour, in standard deviations from the sensor's usual mean."""
        age = hour - self.plan.start_hour
        levels: Floats = self.offsets + self._wander(_months(age))[age] + self.load(hour)
        wear = life.wear(hour)
        for index, signal in enumerate(self.signals):
            reach = _reach(signal, upwards=life.mode.upwards)
            if signal.name == life.mode.worn:
                levels[index] += wear * self.full_wear(signal.name, life.mode)
                levels[index] = np.clip(levels[index], -_SAFE, _SAFE)
                if state is State.FAILING:
                    levels[index] = reach + math.copysign(life.excess, reach)
            elif life.mode.also and signal.name == life.mode.also[0]:
                levels[index] += wear * self.full_wear(signal.name, life.mode) * life.mode.also[1]
        return levels

    def load(self, hour: int) -> Floats:
        """What the day's course adds to each sensor, in standard deviations."""
        load = _LOAD * math.sin(math.tau * (hour % HOURS_PER_DAY - 8) / HOURS_PER_DAY)  # highest at 14 o'clock
        follows = np.array([signal.name in _FOLLOW_LOAD for signal in self.signals])
        return load * follows

    def full_wear(self, sensor: str, mode: Mode) -> float:
        """How far wear alone would have moved a sensor just before the failure, in standard deviations."""
        signal = next(signal for signal in self.signals if signal.name == sensor)
        return WEAR_REACH * _reach(signal, upwards=mode.upwards)

    def _noise(self, draw: np.random.Generator, count: int) -> Floats:
        """Mean-reverting noise of unit deviation, sensors by readings; each hour begins afresh.

        A first-order autoregression, x[t] = m x[t-1] + e[t], as the circular convolution of white noise with the
        powers of m: all of the hour in one Fourier transform.
        """
        kernel = ar1_kernel(self.memory, count)
        white = draw.standard_normal((len(self.signals), count))
        noise: Floats = np.fft.irfft(np.fft.rfft(white) * np.fft.rfft(kernel), count)
        return noise

    def _draw_wander(self, months: int) -> Floats:
        """The slow changes of the factory's first months, hours by sensors; more months begin with the same."""
        draw = np.random.default_rng([self.plan.seed, self.number, 4])
        memory = math.exp(-1 / WANDER_MEMORY_HOURS)
        white = draw.standard_normal((months * 30 * HOURS_PER_DAY, len(self.signals)))
        wander = white.copy()
        for hour in range(1, len(wander)):
            wander[hour] = memory * wander[hour - 1] + math.sqrt(1 - memory**2) * white[hour]
        scaled: Floats = WANDER * wander
        return scaled

    def silent(self, hour: int) -> set[int]:
        """Which sensors say nothing in this hour."""
        found = set()
        day = hour // HOURS_PER_DAY
        for drawn_day in (day - 1, day):  # a silence may last past midnight
            draw = np.random.default_rng([self.plan.seed, self.number, 5, drawn_day])
            if draw.random() < _SILENCES_PER_DAY:
                index = int(draw.integers(len(self.signals)))
                start = drawn_day * HOURS_PER_DAY + int(draw.integers(HOURS_PER_DAY))
                if start <= hour < start + int(draw.integers(2, 13)):
                    found.add(index)
        return found

    def faults(self, hour: int) -> dict[int, Fault]:
        """Which sensors lie in this hour, and how."""
        plan = self.plan
        hours = range(hour, hour + 1)
        episodes = faults.episodes(plan.seed, self.number, plan.fault_share, len(self.signals), hours)
        return {episode.sensor: episode.fault for episode in episodes}


def ar1_kernel(memory: float, count: int) -> Floats:
    """The powers of a first-order autoregression's memory, scaled to noise of unit deviation, shape (count,)."""
    powers = memory ** np.arange(count)
    kernel: Floats = powers / np.sqrt(np.sum(powers**2))
    return kernel


def _reach(signal: Signal, *, upwards: bool) -> float:
    """From the mean to the alert limit, in standard deviations, with its sign."""
    return ((signal.high if upwards else signal.low) - signal.mean) / signal.deviation


def _months(hours: int) -> int:
    return hours // (30 * HOURS_PER_DAY) + 1

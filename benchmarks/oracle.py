"""The best that hourly means can tell of a simulated machine, to those who know how it was simulated.

An oracle: Bayes' rule over failure modes, lengths of life and shapes of wear, with the simulator's own distributions,
given the start of the life, the machine's offsets and every hourly mean since. What it doesn't know is drawn: noise,
and slow changes of the process, which a Kalman filter removes (Kalman, "A New Approach to Linear Filtering and
Prediction Problems", 1960). Its answer is the posterior median, which has the least mean absolute error; no model that
is learnt from the same means can be expected to do better.
"""

import math
from collections.abc import Sequence

import numpy as np

from monitory.clock import HOURS_PER_DAY
from monitory.features.hour_row import Columns
from monitory.sensors import SensorSet
from monitory_local.simulator import readings
from monitory_local.simulator.readings import MachineReadings
from monitory_local.simulator.signals import MODES, Mode
from monitory_local.simulator.wear import SHAPES, SHORTEST_LIFE_HOURS
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.hour_table import HourTable

_LENGTHS, _SHAPES = 120, 6


def answers(
    machines: Sequence[MachineReadings],
    table: HourTable,
    sensors: SensorSet,
    machine: Ints,
    hour: Ints,
    cap_days: float,
) -> Floats:
    """The oracle's RUL in days for hours of running machines, shape (n,).

    Args:
        machines: of the factory, in the table's order; gradual wear only.
        table: their hour rows.
        sensors: the sensor set of the rows.
        machine, hour: which are asked for, shape (n,).
        cap_days: the largest RUL that is told.
    """
    told = np.full(len(hour), np.nan)
    for number, one in enumerate(machines):
        wanted = np.flatnonzero(machine == number)
        rows = table.machine == number
        means = table.values[rows][:, Columns(sensors).indices("mean")]
        residuals = _residuals(one, table.hour[rows], means)
        variances = _noise(one, table.hour[rows], residuals)
        for start, asked in _by_life(one, hour, wanted):
            seen = (table.hour[rows] >= start) & (table.hour[rows] <= hour[asked].max())
            ages = table.hour[rows][seen] - start
            days = _medians(one, ages, residuals[seen], variances, hour[asked] - start)
            told[asked] = np.minimum(days, cap_days)
    return told


def _by_life(machine: MachineReadings, hour: Ints, wanted: Ints) -> list[tuple[int, Ints]]:
    """The wanted rows by the start of the life that they belong to."""
    starts = np.array([machine.lives.life(at).start for at in hour[wanted].tolist()], dtype=np.int64)
    return [(start, wanted[starts == start]) for start in np.unique(starts).tolist()]


def _residuals(machine: MachineReadings, hour: Ints, means: Floats) -> Floats:
    """Hourly means in standard deviations less all that is constant: offset, spikes and the day's course of load."""
    signals = machine.signals
    share = machine.plan.spike_share
    spike = np.array([0.9 * s.ceiling for s in signals])
    mean, deviation = (np.array([getattr(s, name) for s in signals]) for name in ("mean", "deviation"))
    without_spikes = (means - share * spike) / (1 - share)
    load = np.array([machine.load(at) for at in hour.tolist()])
    residuals: Floats = (without_spikes - mean) / deviation - machine.offsets - load
    return residuals


def _noise(machine: MachineReadings, hour: Ints, residuals: Floats) -> Floats:
    """The variance of an hourly mean's noise by sensor, from differences of neighbouring hours."""
    runs = np.array([machine.lives.runs(at) for at in hour.tolist()])
    neighbours = (np.diff(hour) == 1) & runs[1:] & runs[:-1]
    wander = readings.WANDER**2 * (1 - math.exp(-1 / readings.WANDER_MEMORY_HOURS))
    spread: Floats = np.nanvar(np.diff(residuals, axis=0)[neighbours], axis=0) / 2 - wander
    return np.maximum(spread, 1e-3)


def _medians(machine: MachineReadings, ages: Ints, residuals: Floats, variances: Floats, asked: Ints) -> Floats:
    """Posterior medians of the RUL in days at some ages of one life, from its residuals up to each."""
    mean_hours = machine.lives.mean_hours
    spread = machine.plan.life_spread
    mu = math.log(mean_hours) - spread**2 / 2
    z = np.linspace(-3.2, 3.2, _LENGTHS)
    lengths = np.maximum(np.exp(mu + spread * z), SHORTEST_LIFE_HOURS)
    shapes = np.linspace(*SHAPES, _SHAPES)
    length, shape = (grid.ravel() for grid in np.meshgrid(lengths, shapes, indexing="ij"))
    log_prior = np.repeat(-(z**2) / 2, _SHAPES)
    evidence = np.zeros((len(MODES), len(length)))
    wear = np.clip((ages[:, None] + 0.5) / length, 0.0, 1.0) ** shape
    filters = [_Filter(float(variance)) for variance in variances]
    medians = np.full(len(asked), np.nan)
    position = {name: index for index, name in enumerate(signal.name for signal in machine.signals)}
    slopes = [_slopes(machine, mode) for mode in MODES]
    previous = None
    for row, age in enumerate(ages.tolist()):
        steps = 1 if previous is None else age - previous
        previous = age
        parts = [one.step(residuals[row, index], wear[row], steps) for index, one in enumerate(filters)]
        for number, slope in enumerate(slopes):
            for name, reach in slope.items():
                data, template, variance = parts[position[name]]
                evidence[number] += (reach * data * template - (reach * template) ** 2 / 2) / variance
        for at in np.flatnonzero(asked == age).tolist():
            log_posterior = log_prior + np.where(length > age, 0.0, -np.inf) + evidence
            weight = np.exp(log_posterior - log_posterior.max()).sum(axis=0)
            medians[at] = _median(length - age, weight) / HOURS_PER_DAY
    return medians


def _slopes(machine: MachineReadings, mode: Mode) -> dict[str, float]:
    """By how many standard deviations a mode moves each sensor from new to the failure."""
    moved = {mode.worn: machine.full_wear(mode.worn, mode)}
    if mode.also:
        moved[mode.also[0]] = machine.full_wear(mode.also[0], mode) * mode.also[1]
    return moved


def _median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


class _Filter:
    """One sensor's Kalman filter, for its residuals and for what each wear would make of them."""

    def __init__(self, noise: float) -> None:
        self.noise = noise
        self.level: Floats | None = None
        self.data = 0.0
        self.variance = readings.WANDER**2

    def step(self, residual: float, wear: Floats, hours: int) -> tuple[float, Floats, float]:
        """The parts of a residual and of the wears that nothing before predicted, and their variance."""
        memory = math.exp(-hours / readings.WANDER_MEMORY_HOURS)
        level = np.zeros_like(wear) if self.level is None else memory * self.level
        data = memory * self.data
        variance = memory**2 * self.variance + (1 - memory**2) * readings.WANDER**2
        if math.isnan(residual):
            self.level, self.data, self.variance = level, data, variance
            return 0.0, np.zeros_like(wear), 1.0
        total = variance + self.noise
        gain = variance / total
        new_data, new_wear = residual - data, wear - level
        self.level, self.data = level + gain * new_wear, data + gain * new_data
        self.variance = (1 - gain) * variance
        return new_data, new_wear, total

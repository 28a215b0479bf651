"""Sensors that lie: for some hours a sensor reports what isn't so, while its machine goes on as ever."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from monitory.clock import HOURS_PER_DAY
from monitory_local.simulator.signals import Signal

_LONGEST_HOURS = 12
SENTINELS = (-999.0, 65535.0)
IMPLAUSIBLE = 1e20


class Fault(StrEnum):
    """What a lying sensor reports."""

    SENTINEL = "sentinel"
    STUCK = "stuck"
    QUANTISED = "quantised"
    IMPLAUSIBLE = "implausible"


@dataclass(frozen=True)
class Episode:
    """A fault of one sensor, from its first hour to the first one after it; `sensor` is its place among the signals."""

    sensor: int
    fault: Fault
    start: int
    stop: int


def episodes(seed: int, number: int, share: float, sensors: int, hours: range) -> list[Episode]:
    """The faults of a machine that touch some hours.

    Args:
        seed, number: of the factory and the machine.
        share: of days on which a fault begins, 0..1.
        sensors: how many there are.
        hours: which.
    """
    if not share or not hours:
        return []
    found = []
    for day in range((hours.start - _LONGEST_HOURS) // HOURS_PER_DAY, (hours.stop - 1) // HOURS_PER_DAY + 1):
        draw = np.random.default_rng([seed, number, 9, day])
        if draw.random() >= share:
            continue
        sensor, fault = int(draw.integers(sensors)), list(Fault)[int(draw.integers(len(Fault)))]
        start = day * HOURS_PER_DAY + int(draw.integers(HOURS_PER_DAY))
        stop = start + int(draw.integers(1, _LONGEST_HOURS + 1))
        if start < hours.stop and stop > hours.start:
            found.append(Episode(sensor, fault, start, stop))
    return found


def reported(values: npt.NDArray[np.float64], fault: Fault, signal: Signal) -> npt.NDArray[np.float64]:
    """What a lying sensor makes of its readings, shape (n,)."""
    if fault is Fault.STUCK:
        return np.full_like(values, values[0])
    if fault is Fault.QUANTISED:
        steps: npt.NDArray[np.float64] = np.round(np.round(values / signal.deviation) * signal.deviation, 6)
        return steps
    if fault is Fault.IMPLAUSIBLE:
        return np.full_like(values, IMPLAUSIBLE)
    low, high = SENTINELS
    return np.full_like(values, high if signal.ceiling < high else low)


def is_rejected(fault: Fault) -> bool:
    """Whether the product takes the readings for impossible, so that the sensor counts as silent."""
    return fault in (Fault.SENTINEL, Fault.IMPLAUSIBLE)

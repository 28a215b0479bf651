"""The lives of simulated machines: when they fail, why, and what is true of them at any hour.

A life ends in a failure of one to three hours, in which readings stay outside the worn sensor's alert limit;
repair takes some hours more, then a new life begins. Everything follows from the plan's seed.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from monitory.clock import HOURS_PER_DAY
from monitory_local.simulator.signals import MODES, Mode

SHORTEST_LIFE_HOURS = 60
WORN_FROM = 0.2
"""The wear from which on a machine counts as worn."""

_LIFE_SPREAD = 0.3  # sigma of the lognormal distribution of lives


@dataclass(frozen=True)
class Plan:
    """What decides everything about a simulated factory.

    Attributes:
        start_hour: its first hour, see monitory.clock.
        machines: how many.
        seed: of all randomness.
        life_days: mean life of a machine, in days.
        rate_seconds: between two readings of a sensor.
        spike_share: share of single readings that are spikes.
    """

    start_hour: int
    machines: int = 20
    seed: int = 0
    life_days: float = 6.0
    rate_seconds: float = 5.0
    spike_share: float = 0.02


class State(StrEnum):
    """What a machine does in an hour."""

    HEALTHY = "healthy"
    WORN = "worn"
    FAILING = "failing"
    OFF = "off"


@dataclass(frozen=True)
class Life:
    """From one repair to the next.

    Attributes:
        start: first hour of running.
        failure: first hour of the failure.
        repair: first hour of standing still.
        end: first hour of the next life.
        mode: what wears out.
        shape: exponent of the drift; above 1 it accelerates.
        excess: how far beyond the limit readings lie on average while it fails, in standard deviations.
        silent: no object at all is written during repair; otherwise the sensors go on and read nearly nothing.
    """

    start: int
    failure: int
    repair: int
    end: int
    mode: Mode
    shape: float
    excess: float
    silent: bool

    def wear(self, hour: int) -> float:
        """How much of the drift has happened by the middle of an hour: 0 at the start, 1 at the failure."""
        age = (hour + 0.5 - self.start) / (self.failure - self.start)
        return math.pow(min(max(age, 0.0), 1.0), self.shape)


@dataclass(frozen=True)
class Truth:
    """What is true of a machine in an hour.

    Attributes:
        zone_id: its zone.
        equip_id: its name.
        hour: see monitory.clock.
        state: what it does.
        rul_days: days from the start of this hour to the start of the next failure; 0 in a failure's first hour,
            None in its later ones and while the machine is off.
        wear: 0 when new, 1 from the failure to the end of the repair.
        worn_sensor: feature name of the sensor that wear moves most, once the machine is worn.
    """

    zone_id: str
    equip_id: str
    hour: int
    state: State
    rul_days: float | None
    wear: float
    worn_sensor: str | None


class MachineLives:
    """The lives of one machine, drawn as far as anybody asks."""

    def __init__(self, plan: Plan, number: int) -> None:
        """The lives of the machine of that number, counted from 0; zones have ten machines."""
        self.zone_id = f"ZONE-{number // 10 + 1:03d}"
        self.equip_id = f"EQUIP-{number + 1:03d}"
        self._mean_hours = plan.life_days * HOURS_PER_DAY
        self._random = np.random.default_rng([plan.seed, number, 1])
        self._plan = plan
        self._lives: list[Life] = []

    def life(self, hour: int) -> Life:
        """The life that an hour belongs to, its failure and repair included.

        Raises:
            ValueError: the hour lies before the factory's first.
        """
        if hour < self._plan.start_hour:
            raise ValueError(f"hour {hour} is before the factory's first, {self._plan.start_hour}")
        while not self._lives or self._lives[-1].end <= hour:
            self._lives.append(self._next_life())
        return next(life for life in reversed(self._lives) if life.start <= hour)

    def failures(self, first: int, last: int) -> list[int]:
        """The first hours of the failures that start from `first` to `last`, both included."""
        self.life(last)
        return [life.failure for life in self._lives if first <= life.failure <= last]

    def truth(self, hour: int) -> Truth:
        """What is true of the machine in an hour of its history or its future."""
        life = self.life(hour)
        wear = life.wear(hour)
        rul = (life.failure - hour) / HOURS_PER_DAY if hour <= life.failure else None
        if hour >= life.repair:
            state = State.OFF
        elif hour >= life.failure:
            state = State.FAILING
        else:
            state = State.WORN if wear >= WORN_FROM else State.HEALTHY
        worn = life.mode.worn if state in (State.WORN, State.FAILING) else None
        return Truth(self.zone_id, self.equip_id, hour, state, rul, wear, worn)

    def _next_life(self) -> Life:
        draw = self._random
        mu = math.log(self._mean_hours) - _LIFE_SPREAD**2 / 2
        length = max(SHORTEST_LIFE_HOURS, round(draw.lognormal(mu, _LIFE_SPREAD)))
        # the factory was not opened on the first day that we look at
        first_start = self._plan.start_hour - round(draw.uniform(0.0, 0.9) * length)
        start = self._lives[-1].end if self._lives else first_start
        failure = start + length
        repair = failure + int(draw.integers(1, 4))
        return Life(
            start=start,
            failure=failure,
            repair=repair,
            end=repair + int(draw.integers(2, 11)),
            mode=MODES[int(draw.integers(len(MODES)))],
            shape=draw.uniform(1.1, 1.8),
            excess=draw.uniform(0.7, 1.3),
            silent=bool(draw.random() < 0.5),
        )

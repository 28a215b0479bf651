"""The lives of simulated machines: when they fail, why, and what is true of them at any hour.

A life ends in a failure of one to three hours, in which readings stay outside the worn sensor's alert limit, or in
maintenance some time before it. The machine stands still for some hours, then a new life begins. Everything follows
from the plan's seed.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from monitory.clock import HOURS_PER_DAY
from monitory_local.simulator.classes import class_of
from monitory_local.simulator.signals import MODES, Mode
from monitory_local.simulator.triage import Ending, endings

SHORTEST_LIFE_HOURS = 60
SHAPES = (1.1, 1.8)
"""Exponents of wear, uniformly drawn."""

WORN_FROM = 0.2
"""The wear from which on a machine counts as worn."""

_PREVENTED_DAYS = (0.5, 3.0)  # maintenance comes so long before the failure that it prevents, but not before half-life
_TRIAGE_REST_HOURS = 24  # a machine that is to run at the triage's hour has run again for as long
_ABRUPT_HOURS = (6, 36)  # how long abrupt wear shows before the failure


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
        life_spread: of lives, as sigma of a lognormal distribution.
        maintained_share: share of lives that maintenance ends before the failure.
        abrupt_share: share of lives whose wear shows in the last hours only.
        classes: kinds of machines, see `classes`; the machines belong to them in turns.
        fault_share: share of machine-days on which a sensor begins to lie, see `faults`.
        triage_hour: by then the factory is in the state that `triage` describes; None leaves it to chance.
    """

    start_hour: int
    machines: int = 20
    seed: int = 0
    life_days: float = 6.0
    rate_seconds: float = 5.0
    spike_share: float = 0.02
    life_spread: float = 0.3
    maintained_share: float = 0.0
    abrupt_share: float = 0.0
    classes: int = 1
    fault_share: float = 0.0
    triage_hour: int | None = None


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
        failure: first hour of the failure, or of the one that maintenance prevents.
        repair: first hour of standing still.
        end: first hour of the next life.
        mode: what wears out.
        shape: exponent of the drift; above 1 it accelerates.
        excess: how far beyond the limit readings lie on average while it fails, in standard deviations.
        silent: no object at all is written during repair; otherwise the sensors go on and read nearly nothing.
        onset: first hour of wear.
        maintained: the life ends in maintenance, from `repair` to `end`, and the failure doesn't happen.
    """

    start: int
    failure: int
    repair: int
    end: int
    mode: Mode
    shape: float
    excess: float
    silent: bool
    onset: int
    maintained: bool = False

    def wear(self, hour: int) -> float:
        """How much of the drift has happened by the middle of an hour: 0 at the onset, 1 at the failure."""
        age = (hour + 0.5 - self.onset) / (self.failure - self.onset)
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
            None in its later ones and while the machine is off. Before maintenance: to the failure that it prevents.
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
        self.kind = class_of(number, plan.classes)
        self.mean_hours = plan.life_days * self.kind.life_factor * HOURS_PER_DAY
        self._random = np.random.default_rng([plan.seed, number, 1])
        self._endings = np.random.default_rng([plan.seed, number, 7])  # apart: lengths and modes don't depend on them
        self._plan = plan
        self._lives: list[Life] = []
        self._planned: list[Ending] = []
        if plan.triage_hour is not None:
            self._planned = endings(number, plan.machines, plan.classes, plan.triage_hour)

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

    def lives(self, first: int, last: int) -> list[Life]:
        """The lives that run in the hours from `first` to `last`, both included."""
        self.life(last)
        return [life for life in self._lives if life.start <= last and life.end > first]

    def failures(self, first: int, last: int) -> list[int]:
        """The first hours of the failures that start from `first` to `last`, both included."""
        self.life(last)
        return [life.failure for life in self._lives if not life.maintained and first <= life.failure <= last]

    def maintenances(self, first: int, last: int) -> list[tuple[int, int]]:
        """First hour and first hour after it of each maintenance that starts from `first` to `last`, both included."""
        self.life(last)
        return [(life.repair, life.end) for life in self._lives if life.maintained and first <= life.repair <= last]

    def runs(self, hour: int) -> bool:
        """Whether the machine runs and does not fail in an hour."""
        return self.truth(hour).state in (State.HEALTHY, State.WORN)

    def truth(self, hour: int) -> Truth:
        """What is true of the machine in an hour of its history or its future."""
        life = self.life(hour)
        wear = life.wear(hour)
        rul = (life.failure - hour) / HOURS_PER_DAY if hour <= min(life.failure, life.repair - 1) else None
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
        spread = self._plan.life_spread
        mu = math.log(self.mean_hours) - spread**2 / 2
        length = max(SHORTEST_LIFE_HOURS, round(draw.lognormal(mu, spread)))
        # the factory was not opened on the first day that we look at
        first_start = self._plan.start_hour - round(draw.uniform(0.0, 0.9) * length)
        start = self._lives[-1].end if self._lives else first_start
        failure = start + length
        repair = failure + int(draw.integers(1, 4))
        standstill = int(draw.integers(2, 11))
        luck = self._endings
        maintained = bool(luck.random() < self._plan.maintained_share)
        early = luck.uniform(*_PREVENTED_DAYS) * HOURS_PER_DAY
        if maintained:
            repair = failure - min(round(early), length // 2)
        abrupt = bool(luck.random() < self._plan.abrupt_share)
        late = int(luck.integers(*_ABRUPT_HOURS))
        end = repair + standstill
        planned = self._planned_ending(start, failure)
        if planned:
            failure, repair, end, maintained = planned.failure, planned.repair, planned.end, planned.maintained
        return Life(
            start=start,
            failure=failure,
            repair=repair,
            end=end,
            onset=failure - late if abrupt else start,
            maintained=maintained,
            mode=MODES[int(draw.integers(len(MODES)))],
            shape=draw.uniform(*SHAPES),
            excess=draw.uniform(0.7, 1.3),
            silent=bool(draw.random() < 0.5) and not planned,
        )

    def _planned_ending(self, start: int, failure: int) -> Ending | None:
        """What the triage says of a life; None where it may fail as drawn: before the hour, with a life to follow, or
        late enough after it.
        """
        planned = next((ending for ending in self._planned if ending.end > start), None)
        if planned is None or self._plan.triage_hour is None:
            return None
        shortest = max(SHORTEST_LIFE_HOURS, round(self.mean_hours / 2))  # of the planned one: not among the odd ones
        leaves_time = failure + _TRIAGE_REST_HOURS <= min(planned.failure - shortest, self._plan.triage_hour)
        is_late = planned.at_least and failure >= planned.failure
        return None if leaves_time or is_late else planned

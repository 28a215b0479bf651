"""What a simulated week's cases come to, beside the truth that the simulator knows."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from benchmarks.sides import median, percentile
from monitory.alerts.case import Cause, Change, Outcome, Transition
from monitory.alerts.rule import LIMITS_DAYS, Rule
from monitory.clock import HOURS_PER_DAY
from monitory.machine import Machine
from monitory.scoring import prediction_log
from monitory.storage.port import Storage
from monitory_local.simulator.wear import MachineLives, State

FALSE_FACTOR = 2.0
"""A case is false if the machine has more than this multiple of its level's days left."""

RULE = Rule()


class Message(NamedTuple):
    """A transition, and the newest hour of the lake when it was sent."""

    hour: int
    transition: Transition


class Step(NamedTuple):
    """The level of a machine's case of wear from the run after an hour on; 0 without a case."""

    hour: int
    level: int


class Line(msgspec.Struct):
    """What is needed of a line of the prediction log."""

    zone_id: str = msgspec.field(name="zoneId")
    equip_id: str = msgspec.field(name="equipId")
    predictions: list[float]
    state: str


Steps = Mapping[Machine, Sequence[Step]]
Predicted = Mapping[Machine, Mapping[int, Line]]


def machine_of(lives: MachineLives) -> Machine:
    """The machine that has the lives."""
    return Machine(lives.zone_id, lives.equip_id)


def writes(lives: MachineLives, hour: int) -> bool:
    """Whether a machine has objects of an hour: some write none while they stand still."""
    return not (lives.life(hour).silent and lives.truth(hour).state is State.OFF)


def logged(models: Storage, lake: str, hours: range) -> Predicted:
    """The lines of the log of a lake, given by its fingerprint, by machine and hour.

    Raises:
        RuntimeError: a machine has two lines of an hour.
    """
    lines: defaultdict[Machine, dict[int, Line]] = defaultdict(dict)
    for hour in hours:
        for text in prediction_log.read(models, lake, hour):
            line = msgspec.json.decode(text, type=Line)
            of_machine = lines[Machine(line.zone_id, line.equip_id)]
            if hour in of_machine:
                raise RuntimeError(f"{line.equip_id} has two lines of hour {hour}")
            of_machine[hour] = line
    return lines


def levels(messages: Sequence[Message]) -> Steps:
    """How the level of each machine's case of wear went, by the transitions."""
    steps: defaultdict[Machine, list[Step]] = defaultdict(list)
    for hour, transition in messages:
        case = transition.case
        if case.cause is Cause.WEAR:
            steps[case.machine].append(Step(hour, 0 if case.is_closed else case.level))
    return steps


def forewarning(lives: Sequence[MachineLives], steps: Steps, hours: range, level: int) -> dict[str, object]:
    """How many failures a case of the level preceded, and by how many hours."""
    seen_for = hours.start + LIMITS_DAYS[level - 1] * HOURS_PER_DAY
    caught = missed = 0
    leads = []
    for one in lives:
        for failure in one.failures(hours.start, hours[-1]):
            since = _standing_since(steps.get(machine_of(one), ()), failure, level)
            caught, missed = caught + (since is not None), missed + (since is None)
            if failure >= seen_for:
                leads.append(0 if since is None else failure - since - 1)
    return {
        "failures": caught + missed,
        "caught": caught,
        "missed": missed,
        "with_leads": len(leads),
        "median_lead_hours": median(leads) if leads else None,
        "low_lead_hours": percentile(leads, 0.1) if leads else None,
    }


def rises(steps: Steps, hours: range, level: int) -> Iterator[tuple[Machine, int]]:
    """Machine and hour of each case that reached a level by predictions, not by the failure itself."""
    for machine, of_machine in steps.items():
        for before, after in pairwise([Step(0, 0), *of_machine]):
            if after.hour in hours and before.level < level <= after.level < RULE.failing_level:
                yield machine, after.hour


def crossings(predicted: Predicted, hours: range, limit: float) -> int:
    """How often a running machine's prediction fell to a limit from one hour to the next."""
    count = 0
    for of_machine in predicted.values():
        for hour, line in of_machine.items():
            before = of_machine.get(hour - 1) if hour in hours else None
            if before and {before.state, line.state}.isdisjoint({"failing", "off"}):
                count += before.predictions[0] > limit >= line.predictions[0]
    return count


def closed(lives: Sequence[MachineLives], messages: Sequence[Message], hours: range) -> dict[str, object]:
    """Outcomes of cases of wear, beside the stops that should have led to them."""
    first, last, steps = hours.start, hours[-1], levels(messages)
    outcomes = Counter(
        transition.case.outcome
        for _, transition in messages
        if transition.change is Change.CLOSED and transition.case.cause is Cause.WEAR
    )
    over = served = 0
    for one in lives:
        ends = {life.failure: life.end for life in one.lives(first, last)}
        over += sum(ends[failure] + RULE.recent - 1 <= last for failure in one.failures(first, last))
        served += sum(
            _standing_since(steps.get(machine_of(one), ()), start, 1) is not None
            for start, _ in one.maintenances(first, last)
        )
    return {
        **{str(outcome): outcomes[outcome] for outcome in Outcome},
        "failures_over": over,
        "maintenance_with_a_case": served,
    }


def _standing_since(steps: Sequence[Step], stop: int, level: int) -> int | None:
    """The hour from which on a case of at least the level stood until the hour before a stop; None without one."""
    since = None
    for hour, standing in steps:
        if hour >= stop:
            break
        if standing < level:
            since = None
        elif since is None:
            since = hour
    return since

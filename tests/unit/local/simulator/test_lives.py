"""What happens to a machine: lives, wear, classes, and the state of the factory at a triage."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from monitory_local.simulator.readings import MachineReadings
from monitory_local.simulator.signals import MODES
from monitory_local.simulator.wear import MachineLives, Plan, State
from tests.support.factory import HOURS, PLAN, START


def test_rul_falls_by_an_hour_an_hour_to_zero_at_the_failure() -> None:
    for number in range(PLAN.machines):
        lives = MachineLives(PLAN, number)
        known = [lives.truth(hour) for hour in HOURS]
        for truth, following in pairwise(known):
            if truth.rul_days is not None and following.rul_days is not None and truth.rul_days > 0:
                assert following.rul_days == pytest.approx(truth.rul_days - 1 / 24)
        assert [truth.hour for truth in known if truth.rul_days == 0] == lives.failures(HOURS.start, HOURS.stop - 1)
        running = {State.HEALTHY, State.WORN}
        assert all(truth.rul_days is not None for truth in known if truth.state in running)
        assert all(truth.rul_days is None for truth in known if truth.state is State.OFF)


def test_lives_differ_so_that_age_alone_does_not_tell_them() -> None:
    plan = Plan(START, machines=20)
    lives = [MachineLives(plan, number).life(START + 200) for number in range(plan.machines)]
    lengths = [life.failure - life.start for life in lives]
    assert 2 * min(lengths) < max(lengths)
    assert {life.mode for life in lives} == set(MODES)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("machines", "classes"), [(6, 1), (16, 3), (20, 3)])
def test_a_triage_has_machines_in_every_state_and_most_of_them_healthy(seed: int, machines: int, classes: int) -> None:
    plan = Plan(START, machines, seed, life_days=90, classes=classes, triage_hour=HOURS.stop)
    lives = [MachineLives(plan, number) for number in range(machines)]
    newest = [machine.truth(HOURS.stop - 1) for machine in lives]
    states = Counter(truth.state for truth in newest)
    assert (states[State.FAILING], states[State.OFF]) == (1, 1)
    left = [truth.rul_days for truth in newest if truth.rul_days is not None]
    assert sum(days < 7 for days in left) == machines // 6
    assert sum(days >= 12 for days in left) >= machines / 2
    works = [work for machine in lives for work in machine.maintenances(HOURS.start, HOURS.stop)]
    assert sorted(HOURS.stop - first for first, _ in works) == [9, 7 * 24]
    assert all(machine.truth(HOURS.stop + 200).hour for machine in lives)  # and life goes on


def test_lives_before_a_triage_are_drawn_as_ever() -> None:
    plan = Plan(START, machines=20, life_days=6)
    triage = Plan(START, machines=20, life_days=6, triage_hour=HOURS.stop)
    until = HOURS.stop - 16 * 24
    for number in range(20):
        expected = MachineLives(plan, number).failures(HOURS.start, until)
        assert MachineLives(triage, number).failures(HOURS.start, until) == expected


def test_classes_of_machines_live_for_other_times_at_other_set_points() -> None:
    plan = Plan(START, machines=30, life_days=40, classes=3)
    lengths: dict[str, list[int]] = {}
    for number in range(plan.machines):
        lives = MachineLives(plan, number)
        lengths.setdefault(lives.kind.name, []).extend(
            life.failure - life.start for life in lives.lives(START, START + 9000)
        )
    means = {name: float(np.mean(hours)) / 24 for name, hours in lengths.items()}
    assert means == pytest.approx({"press": 40, "pump": 5, "fan": 80}, rel=0.15)
    pump, press = MachineReadings(plan, 1), MachineReadings(Plan(START, machines=30, life_days=40), 1)
    one, usual = ({s.signal.name: s.values.mean() for s in machine.hour(START)} for machine in (pump, press))
    assert one["pressure"] - usual["pressure"] > 2
    assert one["active_power"] < usual["active_power"]

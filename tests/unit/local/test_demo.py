"""What the demo says of its factory, whatever the seed."""

import re

import pytest

from monitory.clock import HOURS_PER_DAY
from monitory_local.demo import maintained
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan

START = 496_800
UNTIL = START + 38 * HOURS_PER_DAY


@pytest.mark.parametrize("seed", range(3))
def test_one_machine_was_maintained_a_week_ago_and_one_stands_still_for_it(seed: int) -> None:
    producer = Producer(Plan(START, seed=seed, life_days=20, triage_hour=UNTIL))
    assert re.findall(r"EQUIP-\d+", maintained(producer, UNTIL)) == ["EQUIP-020", "EQUIP-002"]


def test_a_factory_whose_machines_nobody_maintains_says_so() -> None:
    assert maintained(Producer(Plan(START, machines=3)), UNTIL) == "No machine was maintained in the last week."

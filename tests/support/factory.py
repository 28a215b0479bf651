"""A small simulated factory: four machines for four weeks."""

import json
from datetime import date
from typing import Any

from monitory.clock import first_hour
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.records import failure_log
from monitory_local.simulator.wear import Plan

START = first_hour(date(2026, 2, 1))
DAYS = 28
HOURS = range(START, START + DAYS * 24)
PLAN = Plan(START, machines=4, rate_seconds=30)


def log_lines(producer: Producer, hours: range) -> list[dict[str, Any]]:
    """The lines of the failure log."""
    return [json.loads(line) for line in failure_log(producer, hours).splitlines()]

"""The factory's log as its people keep it: failures, maintenance, inspections and false alarms, as NDJSON.

A line has `zoneId`, `equipId`, `kind`, `start` and `end` (the factory's wall clock, the first hour and the first one
after it; `end` is null for what goes on), `failureMode` and `note`. Failures repeat their start as `time`, which logs
had before they had kinds.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from monitory.clock import hour_start
from monitory_local.simulator import faults
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.readings import MachineReadings

FAILURE, MAINTENANCE, INSPECTION, FALSE_ALARM = "failure", "maintenance", "inspection", "false_alarm"


class Record(NamedTuple):
    """A line of the log; `start` and `end` are hours, see monitory.clock, and `end` is None for what goes on."""

    start: int
    zone_id: str
    equip_id: str
    kind: str
    end: int | None
    failure_mode: str | None
    note: str


def records(producer: Producer, hours: range) -> list[Record]:
    """What has begun in the hours, as it is known at their end, in order of time."""
    lines = (record for machine in producer.machines for record in _of_machine(machine, hours))
    return sorted(lines, key=lambda record: (record.start, record.zone_id, record.equip_id, record.kind))


def failure_log(producer: Producer, hours: range) -> bytes:
    """The log of the hours as NDJSON."""
    return "".join(json.dumps(_line(record)) + "\n" for record in records(producer, hours)).encode()


def _of_machine(machine: MachineReadings, hours: range) -> Iterator[Record]:
    names = machine.lives.zone_id, machine.lives.equip_id

    def record(kind: str, start: int, end: int, mode: str | None, note: str) -> Iterator[Record]:
        if start in hours:
            yield Record(start, *names, kind, end if end <= hours.stop else None, mode, note)

    for life in machine.lives.lives(hours.start, hours.stop - 1):
        looked_at = (life.start + life.repair) // 2
        yield from record(INSPECTION, looked_at, looked_at + 1, None, "nothing to do")
        if life.maintained:
            yield from record(MAINTENANCE, life.repair, life.end, life.mode.name, f"{life.mode.name} renewed in time")
        else:
            yield from record(FAILURE, life.failure, life.end, life.mode.name, f"{life.mode.worn} beyond its limit")
    plan = machine.plan
    for lie in faults.episodes(plan.seed, machine.number, plan.fault_share, len(machine.signals), hours):
        note = f"{machine.signals[lie.sensor].name} sensor: {lie.fault}"
        yield from record(FALSE_ALARM, lie.start, lie.stop, None, note)


def _line(record: Record) -> dict[str, str | None]:
    start = _wall_clock(record.start)
    line = {
        "zoneId": record.zone_id,
        "equipId": record.equip_id,
        "kind": record.kind,
        "start": start,
        "end": None if record.end is None else _wall_clock(record.end),
        "failureMode": record.failure_mode,
        "note": record.note,
    }
    return line | {"time": start} if record.kind == FAILURE else line


def _wall_clock(hour: int) -> str:
    return hour_start(hour).replace(tzinfo=None).isoformat()

"""Decides what a run has to do: which days it lists, which machines it scores, which hours it logs. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from monitory import clock
from monitory.errors import InvalidIdentifier
from monitory.features.hour_row import HourRow
from monitory.history.machine_history import SETTLE, days_in_reach, fingerprint, newest_days
from monitory.lake_listing import LakeObject
from monitory.machine import Machine, machine
from monitory.scoring.fleet import LOGGED_HOURS, MachineState

RELIST_AFTER = timedelta(hours=6)
"""How often a past day is listed again, for late and replaced objects; one such day a run."""


class Task(NamedTuple):
    """A machine to score.

    Attributes:
        machine: which.
        state: what is stored of it.
        listed: its objects on the days that were listed, none on some of them.
    """

    machine: Machine
    state: MachineState
    listed: Mapping[date, Sequence[LakeObject]]


def days_to_list(read: Mapping[date, datetime], now: datetime, max_age: timedelta) -> list[date]:
    """The dates to list: where the newest hours are, what has not been read since it was over, one other past day.

    Args:
        read: when all objects of a date had been read, by date.
        now: the present, aware.
        max_age: of the newest reading.
    """
    days = set(newest_days(now, max_age))
    overdue: list[tuple[datetime, date]] = []
    for day in days_in_reach(now, max_age):
        over = datetime.combine(day + timedelta(days=1), datetime.min.time(), clock.zone()) + SETTLE
        if day not in read or read[day] < over:
            days.add(day)
        elif now - read[day] > RELIST_AFTER:
            overdue.append((read[day], day))
    if overdue:
        days.add(min(overdue)[1])
    return sorted(days)


def tasks(
    states: Mapping[str, MachineState], listing: Mapping[date, Mapping[Machine, Sequence[LakeObject]]], basis: str
) -> list[Task]:
    """The machines whose objects, model or failures are others than they were, the longest waiting first.

    Args:
        states: what is stored of machines, by name.
        listing: all objects of the listed days.
        basis: the present model and failures.
    """
    owners = {owner for of_day in listing.values() for owner in of_day} | set(_machines(states))
    planned = []
    for owner in sorted(owners):
        state = states.get(str(owner), MachineState())
        listed = {day: of_day.get(owner, ()) for day, of_day in listing.items()}
        is_new = any(fingerprint(objects) != state.days.get(day, "") for day, objects in listed.items())
        if is_new or (state.hour and state.basis != basis):
            planned.append(Task(owner, state, listed))
    return sorted(planned, key=lambda task: task.state.scored_at)


def due_hours(rows: Iterable[HourRow], state: MachineState, since: int) -> list[int]:
    """The hours of a machine's rows, oldest first, that lack their line in the prediction log, and the newest.

    Args:
        rows: its rows up to the present.
        state: what is stored of it.
        since: the first hour that is logged.
    """
    hours = [row.hour for row in rows]
    first = max(since, hours[-1] - LOGGED_HOURS + 1)
    return [hour for hour in hours if hour == hours[-1] or (hour >= first and hour not in state.logged)]


def _machines(states: Iterable[str]) -> Iterable[Machine]:
    for name in states:
        zone_id, _, equip_id = name.partition("/")
        try:
            yield machine(zone_id, equip_id)
        except InvalidIdentifier:
            continue

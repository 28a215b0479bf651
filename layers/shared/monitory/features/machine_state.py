"""When a machine ran and when it did not: failures, maintenance and standstill, from the readings and the logbook.

Training and serving both use `timeline`, on the same rows. A failure lasts from its first hour until the machine runs
again; an hour of running is one in which it is neither off nor in an excursion. What a failure is, the logbook decides
if its file lists failures, otherwise the readings do (`excursion`), except in the hours of a false alarm; failures that
people recorded one by one count beside them. Maintenance that begins during a failure, or soon after it, is its repair.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from monitory.features.excursion import Excursion
from monitory.features.hour_row import off_rule
from monitory.logbook.logbook import Downtime, MachineLog
from monitory.sensors import SensorSet

REPAIR_HOURS = 6
"""Failures, or a failure and maintenance, so many hours apart or fewer are one failure."""


class Stop(NamedTuple):
    """A failure or maintenance: its first and its last hour (so far), see `clock`, and the failure mode if known."""

    first: int
    last: int
    failure_mode: str = ""


class Timeline(NamedTuple):
    """A machine's stops in order of time, and of which rows it was off."""

    failures: list[Stop]
    maintenance: list[Stop]
    off: list[bool]

    def failure_at(self, hour: int) -> Stop | None:
        """The failure that an hour belongs to."""
        return next((stop for stop in self.failures if stop.first <= hour <= stop.last), None)

    def maintenance_at(self, hour: int) -> Stop | None:
        """The maintenance that an hour belongs to."""
        return next((stop for stop in self.maintenance if stop.first <= hour <= stop.last), None)

    @property
    def last_hours(self) -> list[int]:
        """The last hour of each stop, ascending: from the next one on the machine runs again."""
        return sorted(stop.last for stop in (*self.failures, *self.maintenance))


def timeline(
    hours: Sequence[int],
    rows: Sequence[Sequence[float]],
    sensors: SensorSet,
    excursion: Excursion | None,
    log: MachineLog,
) -> Timeline:
    """The stops of a machine in the time of its rows, and in the logbook before and after.

    Args:
        hours: ascending, see `clock`, at least one; missing hours stay missing.
        rows: the values of their hour rows, see `hour_row.Columns`.
        sensors: the sensor set of the rows.
        excursion: the failure rule; None where no training has left one.
        log: the machine's part of the logbook.
    """
    is_off = off_rule(sensors)
    off = [is_off(values) for values in rows]
    failing = excursion.failing(hours, rows, sensors) if excursion else [False] * len(rows)
    denied = [alarm for alarm in log.false_alarms if alarm.after is not None]
    for at, hour in enumerate(hours):
        failing[at] = failing[at] and not off[at] and not any(alarm.covers(hour) for alarm in denied)
    running = _Running(hours, [not (fails or still) for fails, still in zip(failing, off, strict=True)])
    failures = [running.stop(downtime) for downtime in log.failures]
    if not log.lists_failures:
        seen = _joined([Stop(hour, hour) for hour, fails in zip(hours, failing, strict=True) if fails])
        failures += [
            running.until_it_runs(stop)
            for stop in seen
            if not any(_is_denied_by(stop, alarm) for alarm in log.false_alarms)
        ]
    return _without_repairs(_joined(sorted(failures)), [running.stop(downtime) for downtime in log.maintenance], off)


def _is_denied_by(stop: Stop, alarm: Downtime) -> bool:
    """Whether a false alarm without an end is about a failure; one with an end is about its hours."""
    return alarm.after is None and stop.first <= alarm.first <= stop.last


class _Running:
    """In which hours a machine runs."""

    def __init__(self, hours: Sequence[int], running: Sequence[bool]) -> None:
        """`running` says it of each hour."""
        self._running = [hour for hour, runs in zip(hours, running, strict=True) if runs]
        self._first, self._newest = hours[0], hours[-1]

    def stop(self, downtime: Downtime) -> Stop:
        """A downtime as a stop; one without an end lasts until the machine runs again."""
        if downtime.after is not None:
            return Stop(downtime.first, downtime.after - 1, downtime.failure_mode)
        return self.until_it_runs(Stop(downtime.first, downtime.first, downtime.failure_mode))

    def until_it_runs(self, stop: Stop) -> Stop:
        """A stop that lasts until the hour before the machine runs again, or until the newest where it does not."""
        if not self._first - REPAIR_HOURS <= stop.last <= self._newest:
            return stop  # no rows tell
        at = bisect_right(self._running, stop.last)
        return stop._replace(last=self._running[at] - 1 if at < len(self._running) else self._newest)


def _joined(stops: Sequence[Stop]) -> list[Stop]:
    """Stops in order, those at most `REPAIR_HOURS` apart as one."""
    joined: list[Stop] = []
    for stop in stops:
        if joined and stop.first - joined[-1].last <= REPAIR_HOURS:
            before = joined[-1]
            mode = before.failure_mode or stop.failure_mode
            joined[-1] = Stop(before.first, max(before.last, stop.last), mode)
        else:
            joined.append(stop)
    return joined


def _without_repairs(failures: list[Stop], maintenance: list[Stop], off: list[bool]) -> Timeline:
    """Failures with the maintenance that repairs them, and the other maintenance."""
    failures = list(failures)
    others: list[Stop] = []
    firsts = [failure.first for failure in failures]
    for stop in _joined(maintenance):
        at = bisect_right(firsts, stop.first) - 1
        if at >= 0 and stop.first - failures[at].last <= REPAIR_HOURS:
            failures[at] = failures[at]._replace(last=max(failures[at].last, stop.last))
        else:
            others.append(stop)
    return Timeline(failures, others, off)

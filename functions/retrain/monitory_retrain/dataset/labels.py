"""Remaining useful life of hour rows.

When a machine failed, was maintained or stood still, `monitory.features.machine_state` says. A run is a machine's hours
between two of its stops (failures and maintenance). The RUL of an hour is (hour of the machine's next failure - hour) /
24 days, at most the cap. A failure ends a run at its first hour; maintenance ends it without a failure, so what is seen
ends there. After either the clock starts when the machine runs again. What has no exact label is left out and counted
by its reason, never guessed:

- `down`: during a failure, after its first hour;
- `off`: the machine did not run (`hour_row.off_rule`), or was maintained;
- `censored`: no failure was seen afterwards and the time seen is shorter than the cap.

Where the logbook lists no failures, a machine that isn't heard for `GAP_HOURS` may have failed unseen, so what is seen
ends there.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from monitory.clock import HOURS_PER_DAY
from monitory.features.excursion import Excursion
from monitory.features.machine_state import Stop, timeline
from monitory.logbook.logbook import Logbook, shared_ids
from monitory.machine import Machine
from monitory.sensors import SensorSet
from monitory.settings import RetrainSettings
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.hour_table import HourTable

GAP_HOURS = 48
"""Between two hour rows of a machine; a shorter silence, a day that the stream lost say, hides no failure."""

DOWN, OFF, CENSORED = "down", "off", "censored"

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of a table's rows.

    Attributes:
        rul: days, shape (n,); NaN where there's no exact label.
        seen: days, shape (n,): the exact label or, without one, for how long the machine was seen to run on.
        label_available_at: the hour at whose end a label is known: the failure's hour, or when the cap is reached.
            Shape (n,); meaningless where rul is NaN.
        life: number of the run that a row belongs to, unique over machines, shape (n,).
        last_failure: the machine's last hour of failure or maintenance before each row, shape (n,); -1 where none is
            known.
        failures: hours at which failures began, by machine.
        maintenance: hours at which maintenance ended a run, by machine.
        failure_modes: of failures whose mode the log names, by machine and first hour.
        from_log: the logbook says what a failure is, not the readings.
        last_hours: each machine's last hour of failure or maintenance, where it has one.
        left_out: rows without a label, by reason.
        running: which rows are of running machines, neither down nor off, shape (n,); drift looks at all of these.
    """

    rul: Floats
    seen: Floats
    label_available_at: Ints
    life: Ints
    last_failure: Ints
    failures: dict[Machine, list[int]]
    maintenance: dict[Machine, list[int]]
    last_hours: dict[Machine, int]
    left_out: Counter[str]
    running: npt.NDArray[np.bool_]
    failure_modes: dict[Machine, dict[int, str]] = field(default_factory=dict)
    from_log: bool = False

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Which rows have a label."""
        return ~np.isnan(self.rul)


def label_by(
    settings: RetrainSettings,
    table: HourTable,
    sensors: SensorSet,
    logbook: Logbook | None = None,
    earlier: Mapping[Machine, int] | None = None,
) -> Labels:
    """Label with the cap and the rule for failures that the settings give; see `label`."""
    return label(
        table,
        sensors,
        cap_days=settings.max_rul_days,
        share=settings.excursion_share,
        count=settings.excursion_sensors,
        logbook=logbook,
        earlier=earlier,
    )


def label(
    table: HourTable,
    sensors: SensorSet,
    *,
    cap_days: float,
    share: float,
    count: int,
    logbook: Logbook | None = None,
    earlier: Mapping[Machine, int] | None = None,
) -> Labels:
    """Label all rows of a table.

    Args:
        table: hour rows, ordered by machine and hour.
        sensors: the sensor set of the rows.
        cap_days: the largest RUL that is told.
        share: of an hour's readings that must lie outside a sensor's alert limits, 0..1.
        count: sensors that must do so.
        logbook: failures, maintenance and false alarms; where it lists failures, excursions alone mean nothing.
        earlier: machines' last hours of failure before the table begins, where they are known.
    """
    n = len(table)
    rul, seen_days = np.full(n, np.nan), np.full(n, np.nan)
    label_available_at, life = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    last_failure = np.full(n, -1, dtype=np.int64)
    failures: dict[Machine, list[int]] = {}
    maintenance: dict[Machine, list[int]] = {}
    failure_modes: dict[Machine, dict[int, str]] = {}
    last_hours: dict[Machine, int] = {}
    left_out: Counter[str] = Counter()
    running = np.ones(n, dtype=np.bool_)
    excursion, logbook = Excursion(share, count), logbook or Logbook()
    shared = shared_ids(table.machines)
    cap_hours = cap_days * HOURS_PER_DAY
    lives = 0
    for machine, rows in table.by_machine():
        hours = table.hour[rows]
        stops = timeline(hours.tolist(), table.values[rows].tolist(), sensors, excursion, logbook.of(machine, shared))
        begins, works = _firsts(stops.failures), _firsts(stops.maintenance)
        failures[machine] = begins[(begins >= hours[0]) & (begins <= hours[-1])].tolist()
        maintenance[machine] = works[(works >= hours[0]) & (works <= hours[-1])].tolist()
        failure_modes[machine] = {stop.first: stop.failure_mode for stop in stops.failures if stop.failure_mode}
        following = np.searchsorted(begins, hours)  # the failure at or after each hour
        work = np.searchsorted(works, hours)  # the maintenance at or after each hour
        next_failure, next_work = np.r_[begins, _NEVER][following], np.r_[works, _NEVER][work]
        life[rows] = lives + following + work
        lives += len(begins) + len(works) + 1
        down = _within(hours, stops.failures, first_too=False)
        idle = (np.array(stops.off) | _within(hours, stops.maintenance)) & ~down
        ends = np.array(stops.last_hours, dtype=np.int64)
        if (ends <= hours[-1]).any():
            last_hours[machine] = int(ends[ends <= hours[-1]].max())
        known = (earlier or {}).get(machine, -1)
        last_failure[rows] = np.r_[known, ends][np.searchsorted(ends, hours)]  # strictly before each hour
        has_next = next_failure < next_work
        to_failure = np.where(has_next, next_failure - hours, np.inf)
        watched = hours[-1] if logbook.lists_failures else _heard_until(hours)
        seen = np.minimum(watched, next_work) - hours
        failure_seen = has_next if logbook.lists_failures else to_failure <= seen
        exact = (failure_seen | (seen >= cap_hours)) & ~down & ~idle
        rul[rows] = np.where(exact, np.minimum(to_failure, cap_hours) / HOURS_PER_DAY, np.nan)
        seen_days[rows] = np.clip(np.minimum(to_failure, seen), 0.0, cap_hours) / HOURS_PER_DAY
        label_available_at[rows] = hours + np.minimum(to_failure, np.ceil(cap_hours)).astype(np.int64)
        running[rows] = ~down & ~idle
        left_out[DOWN] += int(down.sum())
        left_out[OFF] += int(idle.sum())
        left_out[CENSORED] += int((~exact & ~down & ~idle).sum())
    return Labels(
        rul,
        seen_days,
        label_available_at,
        life,
        last_failure,
        failures,
        maintenance,
        last_hours,
        +left_out,
        running,
        failure_modes,
        logbook.lists_failures,
    )


def _firsts(stops: list[Stop]) -> Ints:
    return np.array([stop.first for stop in stops], dtype=np.int64)


def _within(hours: Ints, stops: list[Stop], *, first_too: bool = True) -> npt.NDArray[np.bool_]:
    """Which hours belong to a stop, with or without its first one."""
    within = np.zeros(len(hours), dtype=np.bool_)
    for stop in stops:
        within |= (hours >= stop.first + (not first_too)) & (hours <= stop.last)
    return within


def _heard_until(hours: Ints) -> Ints:
    """The last hour before each hour's next gap of more than GAP_HOURS, shape (n,)."""
    ends = np.flatnonzero(np.r_[np.diff(hours) > GAP_HOURS, True])
    return hours[ends[np.searchsorted(ends, np.arange(len(hours)))]]

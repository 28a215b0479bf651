"""Failures and remaining useful life of hour rows.

A failure is what a failure log says or, without one, a *sustained* excursion: in an hour, at least `share` of a
sensor's readings lie outside its alert limits, for at least `sensors` sensors. Single spikes are noise and don't
reach the share. Excursions less than `REPAIR_HOURS` apart are one failure, which begins with the first.

The RUL of an hour is (hour of the machine's next failure - hour) / 24 days, at most the cap. After a failure the
clock starts anew. What has no exact label is left out and counted by its reason, never guessed:

- `down`: during a failure, after its first hour;
- `off`: the machine did not run (`rows.off_rule`);
- `censored`: no failure was seen afterwards and the time seen is shorter than the cap.

Without a failure log a machine that isn't heard for `GAP_HOURS` may have failed unseen, so what is seen ends there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitory.clock import HOURS_PER_DAY
from monitory.features.hour_row import COUNT, ENOUGH_READINGS, MAX, MIN, OUTSIDE, PER_SENSOR, idle_power
from monitory.machine import Machine
from monitory.sensors import SensorSet
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.hour_table import HourTable

REPAIR_HOURS = 6

GAP_HOURS = 48
"""Between two hour rows of a machine; a shorter silence, a day that the stream lost say, hides no failure."""

DOWN, OFF, CENSORED = "down", "off", "censored"


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of a table's rows.

    Attributes:
        rul: days, shape (n,); NaN where there's no exact label.
        seen: days, shape (n,): the exact label or, without one, for how long the machine was seen to run on.
        label_available_at: the hour at whose end a label is known: the failure's hour, or when the cap is reached.
            Shape (n,); meaningless where rul is NaN.
        life: number of the run between two failures that a row belongs to, unique over machines, shape (n,).
        last_failure: the machine's last hour of failure before each row, shape (n,); -1 where none is known.
        failures: hours at which failures began, by machine.
        last_hours: each machine's last hour of failure, where it has one.
        left_out: rows without a label, by reason.
        running: which rows are of running machines, neither down nor off, shape (n,); drift looks at all of these.
    """

    rul: Floats
    seen: Floats
    label_available_at: Ints
    life: Ints
    last_failure: Ints
    failures: dict[Machine, list[int]]
    last_hours: dict[Machine, int]
    left_out: Counter[str]
    running: npt.NDArray[np.bool_]

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Which rows have a label."""
        return ~np.isnan(self.rul)


def label(
    table: HourTable,
    sensors: SensorSet,
    *,
    cap_days: float,
    share: float,
    count: int,
    log: Mapping[str, Sequence[int]] | None = None,
    earlier: Mapping[Machine, int] | None = None,
    maintenance: Mapping[Machine, Sequence[tuple[int, int]]] | None = None,
) -> Labels:
    """Label all rows of a table.

    Args:
        table: hour rows, ordered by machine and hour.
        sensors: the sensor set that they were made with.
        cap_days: the largest RUL that is told.
        share: of an hour's readings that must lie outside a sensor's alert limits, 0..1.
        count: sensors that must do so.
        log: failure hours by equipId; where given, excursions alone mean nothing.
        earlier: machines' last hours of failure before the table begins, where they are known.
        maintenance: first hour of work and first hour after it, by machine: the run ends at the one without a failure,
            the clock starts at the other.
    """
    n = len(table)
    rul = np.full(n, np.nan)
    seen_days = np.full(n, np.nan)
    label_available_at = np.zeros(n, dtype=np.int64)
    life = np.zeros(n, dtype=np.int64)
    last_failure = np.full(n, -1, dtype=np.int64)
    failures: dict[Machine, list[int]] = {}
    last_hours: dict[Machine, int] = {}
    left_out: Counter[str] = Counter()
    running = np.ones(n, dtype=np.bool_)
    outside = table.values[:, _columns_of(sensors, OUTSIDE)] >= share
    excursion = outside.sum(axis=1) >= count
    off = _off(table.values, sensors)
    lives = 0
    for machine, rows in table.slices():
        hours = table.hour[rows]
        if log is None:
            begins, ends = _runs(hours[excursion[rows]])
        else:
            begins = np.array(sorted(log.get(machine.equip_id, ())), dtype=np.int64)
            begins, ends = _runs(begins)
            ends = _end_of_excursion(ends, hours, excursion[rows])
        failures[machine] = begins[(begins >= hours[0]) & (begins <= hours[-1])].tolist()
        following = np.searchsorted(begins, hours)  # the failure at or after each hour
        works = np.array(sorted((maintenance or {}).get(machine, ())), dtype=np.int64).reshape(-1, 2)
        work = np.searchsorted(works[:, 0], hours)  # the work at or after each hour
        next_work = np.r_[works[:, 0], np.iinfo(np.int64).max][work]
        life[rows] = lives + following + work
        lives += len(begins) + len(works) + 1
        down = np.zeros(len(hours), dtype=bool)
        for begin, end in zip(begins, ends, strict=True):
            down |= (hours > begin) & (hours <= end)
        bad = np.sort(np.r_[hours[excursion[rows]] if log is None else ends, works[:, 1] - 1])
        if len(bad):
            last_hours[machine] = int(bad.max())
        before = np.searchsorted(bad, hours)  # hours of failure strictly before each hour
        known = (earlier or {}).get(machine, -1)
        last_failure[rows] = np.r_[known, bad][before]
        maintained = np.zeros(len(hours), dtype=bool)
        for begin, end in works.tolist():
            maintained |= (hours >= begin) & (hours < end)
        idle = (off[rows] | maintained) & ~down
        has_next = (following < len(begins)) & (np.r_[begins, np.iinfo(np.int64).max][following] < next_work)
        to_failure = np.full(len(hours), np.inf)
        to_failure[has_next] = begins[following[has_next]] - hours[has_next]
        cap_hours = cap_days * HOURS_PER_DAY
        seen = np.minimum(_heard_until(hours) if log is None else hours[-1], next_work) - hours
        failure_seen = to_failure <= seen if log is None else has_next
        exact = (failure_seen | (seen >= cap_hours)) & ~down & ~idle
        rul[rows] = np.where(exact, np.minimum(to_failure, cap_hours) / HOURS_PER_DAY, np.nan)
        seen_days[rows] = np.clip(np.minimum(to_failure, seen), 0.0, cap_hours) / HOURS_PER_DAY
        label_available_at[rows] = hours + np.minimum(to_failure, np.ceil(cap_hours)).astype(np.int64)
        running[rows] = ~down & ~idle
        left_out[DOWN] += int(down.sum())
        left_out[OFF] += int(idle.sum())
        left_out[CENSORED] += int((~exact & ~down & ~idle).sum())
    return Labels(rul, seen_days, label_available_at, life, last_failure, failures, last_hours, +left_out, running)


def _heard_until(hours: Ints) -> Ints:
    """The last hour before each hour's next gap of more than GAP_HOURS, shape (n,)."""
    ends = np.flatnonzero(np.r_[np.diff(hours) > GAP_HOURS, True])
    return hours[ends[np.searchsorted(ends, np.arange(len(hours)))]]


def _columns_of(sensors: SensorSet, offset: int) -> list[int]:
    return [index * len(PER_SENSOR) + offset for index in range(len(sensors.sensors))]


def _off(values: Floats, sensors: SensorSet) -> npt.NDArray[np.bool_]:
    """`rows.off_rule` for all rows of a table."""
    low, high, counts = (values[:, _columns_of(sensors, offset)] for offset in (MIN, MAX, COUNT))
    heard = counts > 1
    off: npt.NDArray[np.bool_] = (counts >= ENOUGH_READINGS).any(axis=1) & (~heard | (low == high)).all(axis=1)
    idle = idle_power(sensors)
    return off | (values[:, idle.column] <= idle.limit) if idle else off


def _runs(hours: Ints) -> tuple[Ints, Ints]:
    """First and last hour of each group of hours that are less than REPAIR_HOURS apart."""
    if not len(hours):
        return hours, hours
    breaks = np.flatnonzero(np.diff(hours) > REPAIR_HOURS)
    return hours[np.r_[0, breaks + 1]], hours[np.r_[breaks, len(hours) - 1]]


def _end_of_excursion(ends: Ints, hours: Ints, excursion: npt.NDArray[np.bool_]) -> Ints:
    """A logged failure lasts as long as the excursion that goes on from it."""
    extended = ends.copy()
    for at, end in enumerate(ends):
        for hour in hours[excursion & (hours > end)]:
            if hour - extended[at] > REPAIR_HOURS:
                break
            extended[at] = hour
    return extended

"""Hours with data by machine and day; of a day that is still running, its hours to come are no gap."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from monitory.clock import first_hour
from monitory_retrain.dataset.completeness import completeness
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.report import canvas, figures, presence
from tests.support import reports

LAST = reports.LAST
NOON = first_hour(LAST) + 12


def take(table: HourTable, rows: npt.NDArray[np.bool_]) -> HourTable:
    columns = {name: getattr(table, name)[rows] for name in ("machine", "hour", "values", "readings", "last")}
    return replace(table, **columns)


def until(hour: int) -> HourTable:
    """The hours of all machines before an hour."""
    table = reports.table(machines=2)
    return take(table, table.hour < hour)


def test_hours_of_the_running_day_that_are_still_to_come_are_no_gap() -> None:
    hours = completeness(until(NOON), reports.DAYS, NOON)
    assert hours.expected.tolist() == [24] * 15 + [12]
    assert hours.missing[0] == 24  # the day without data
    assert "The last day is still running: its hours to come are no gap." in map(str, presence.gaps(hours))


def test_an_object_of_the_newest_hours_may_be_late_for_all_machines_but_not_for_one() -> None:
    table = until(NOON)
    late = take(table, (table.machine == 0) | (table.hour < NOON - 3))
    assert completeness(table, reports.DAYS, NOON + 2).expected[-1] == 12
    assert completeness(late, reports.DAYS, NOON).missing[1] >= 24 + 3


def test_a_running_day_without_any_data_yet_hides_no_gap_before_it() -> None:
    midnight = first_hour(LAST)
    hours = completeness(until(midnight - 6), reports.DAYS, midnight + 1)
    assert hours.expected[-2:].tolist() == [24, 0]
    assert hours.missing[0] == 24 + 6
    assert not any(str(LAST) in str(sentence) for sentence in presence.gaps(hours))
    assert figures.completeness(hours, "") is not None


def test_days_that_are_over_are_expected_whole() -> None:
    later = first_hour(LAST + timedelta(days=1))
    for present in (None, later):
        hours = completeness(until(NOON), reports.DAYS, present)
        assert hours.expected.tolist() == [24] * 16
        assert hours.missing[0] == 24 + 12


def test_the_share_of_hours_with_data_is_of_those_that_can_be() -> None:
    days = [LAST - timedelta(days=1), LAST]
    assert presence.present(completeness(until(NOON), days, NOON)) > 0.9
    assert presence.present(completeness(until(NOON), days)) < 0.8
    assert presence.present(completeness(until(NOON), [date(2020, 1, 1)])) == 0


def test_a_running_day_is_drawn_as_far_as_it_has_gone() -> None:
    bars = figures._colour_bars(np.array([24, 24, 5]), np.array([24, 24, 5]))
    assert list(bars) == [canvas.FULL]
    ((start, width),) = bars[canvas.FULL]
    assert start + width < 2 + 6 / 24
    assert figures._colour_bars(np.array([24, 0]), np.array([24, 0])) == {canvas.FULL: [(0.04, 0.92)]}
    assert list(figures._colour_bars(np.array([24, 2, 0]), np.array([24, 24, 24]))) == [
        canvas.FULL,
        canvas.SOME,
        canvas.NONE,
    ]

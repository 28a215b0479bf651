"""When a machine fails, is maintained and runs again, by its readings and by the log."""

import pytest

from monitory.features.excursion import Excursion
from monitory.features.hour_row import Columns
from monitory.features.machine_state import Stop, Timeline, timeline
from monitory.logbook.logbook import Downtime, MachineLog
from monitory.sensors import load

SENSORS = load()
COLUMNS = Columns(SENSORS)
RULE = Excursion(0.5, 1)
NO_LOG = MachineLog()


def row(state: str) -> list[float]:
    """An hour that runs (`.`), is beyond a limit (`F`) or off (`o`)."""
    values = [0.0] * len(COLUMNS)
    for sensor in SENSORS.sensors:
        for statistic, value in (("mean", sensor.usual), ("min", 1.0), ("max", 2.0), ("count", 60.0)):
            values[COLUMNS.index(sensor.name, statistic)] = value
    if state == "F":
        values[COLUMNS.index("temperature", "outside")] = 0.9
    if state == "o":
        values[COLUMNS.index("active_power", "mean")] = 12.0
    return values


def stops(hours: str, log: MachineLog = NO_LOG) -> Timeline:
    """Of hours from 100 on; a space is an hour without data."""
    present = [(100 + at, state) for at, state in enumerate(hours) if state != " "]
    return timeline([hour for hour, _ in present], [row(state) for _, state in present], SENSORS, RULE, log)


@pytest.mark.parametrize(
    ("hours", "failures"),
    [
        ("......", []),
        ("..F...", [Stop(102, 102)]),
        ("..FFF...", [Stop(102, 104)]),
        ("..FF", [Stop(102, 103)]),
        ("..FFooo..", [Stop(102, 106)]),  # until it runs again
        ("..FF    ..", [Stop(102, 107)]),
        ("..FFoo", [Stop(102, 105)]),
        ("F.....F...", [Stop(100, 106)]),
        ("F......F..", [Stop(100, 100), Stop(107, 107)]),
        ("..ooo..", []),
    ],
)
def test_a_failure_lasts_until_the_machine_runs_again(hours: str, failures: list[Stop]) -> None:
    assert stops(hours).failures == failures


@pytest.mark.parametrize(
    ("hours", "downtime", "failure"),
    [
        ("..........", Downtime(103, 105), Stop(103, 104)),
        ("..........", Downtime(103), Stop(103, 103)),
        ("...FFo....", Downtime(103), Stop(103, 105)),  # without an end: until the readings are normal
        ("...FFFFFF.", Downtime(103, 105), Stop(103, 104)),  # the log's end counts
        ("FF........", Downtime(98), Stop(98, 101)),
        ("..........", Downtime(50), Stop(50, 50)),
        ("..........", Downtime(500), Stop(500, 500)),
    ],
)
def test_a_logged_failure_lasts_as_long_as_the_log_says(hours: str, downtime: Downtime, failure: Stop) -> None:
    assert stops(hours, MachineLog(failures=(downtime,), lists_failures=True)).failures == [failure]


def test_a_log_without_failures_leaves_them_to_the_readings() -> None:
    work = MachineLog(maintenance=(Downtime(109, 111),))
    assert stops("..F..........", work)[:2] == ([Stop(102, 102)], [Stop(109, 110)])
    elsewhere = MachineLog(lists_failures=True)
    assert stops("..F..........", elsewhere).failures == []


def test_maintenance_that_follows_a_failure_is_its_repair() -> None:
    log = MachineLog((Downtime(102, 103, "bearing"),), (Downtime(105, 112), Downtime(130, 133)), lists_failures=True)
    found = stops("." * 50, log)
    assert found.failures == [Stop(102, 111, "bearing")]
    assert found.maintenance == [Stop(130, 132)]
    assert found.last_hours == [111, 132]
    assert found.failure_at(111) == Stop(102, 111, "bearing")
    assert found.failure_at(112) is None
    assert found.maintenance_at(130) == Stop(130, 132)


def test_maintenance_without_an_end_lasts_while_the_machine_is_off() -> None:
    assert stops(".....ooo...", MachineLog(maintenance=(Downtime(104),))).maintenance == [Stop(104, 107)]


@pytest.mark.parametrize("alarm", [Downtime(102, 104), Downtime(103), Downtime(90, 200)])
def test_a_false_alarm_is_no_failure(alarm: Downtime) -> None:
    assert stops("..FF......", MachineLog(false_alarms=(alarm,))).failures == []


def test_a_false_alarm_of_another_time_undoes_nothing() -> None:
    assert stops("..FF......", MachineLog(false_alarms=(Downtime(104, 106),))).failures == [Stop(102, 103)]
    assert stops("..FF......", MachineLog(false_alarms=(Downtime(102, 103),))).failures == [Stop(103, 103)]


def test_failures_that_are_recorded_by_themselves_count_beside_those_in_the_readings() -> None:
    log = MachineLog(failures=(Downtime(110, 112, "bearing"),))
    assert stops("..FF..............", log).failures == [Stop(102, 103), Stop(110, 111, "bearing")]


def test_a_record_of_a_failure_that_the_readings_show_names_its_mode() -> None:
    log = MachineLog(failures=(Downtime(103, None, "bearing"),))
    assert stops("..FFF......", log).failures == [Stop(102, 104, "bearing")]

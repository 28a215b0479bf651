"""Failures, RUL, and what is left out with its reason."""

from dataclasses import replace
from datetime import datetime

import numpy as np

from monitory import clock, sensors
from monitory.features.hour_row import COUNT, MAX, MIN, OUTSIDE, PER_SENSOR
from monitory.logbook.entry import Kind, LogEntry
from monitory.logbook.logbook import Logbook
from monitory.machine import Machine
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.labels import Labels, label
from monitory_retrain.dataset.split import folds

SENSORS = sensors.load()
MACHINE = Machine("ZONE-001", "EQUIP-001")
VIBRATION = SENSORS.names.index("vibration") * len(PER_SENSOR)
POWER = SENSORS.names.index("active_power") * len(PER_SENSOR)


def table(hours: int, *, failing: tuple[int, ...] = (), off: tuple[int, ...] = (), share: float = 0.9) -> HourTable:
    width = len(PER_SENSOR) * len(SENSORS.sensors) + 1
    values = np.zeros((hours, width))
    for index, sensor in enumerate(SENSORS.sensors):
        at = index * len(PER_SENSOR)
        middle = (sensor.low + sensor.high) / 2
        values[:, at], values[:, at + MIN], values[:, at + MAX] = middle, middle - 1, middle + 1
        values[:, at + COUNT] = 60
    values[list(failing), VIBRATION + OUTSIDE] = share
    values[list(off), POWER] = 12.0
    zeros = np.zeros(hours, dtype=np.int64)
    return HourTable([MACHINE], zeros, np.arange(1000, 1000 + hours), values, zeros + 360, zeros)


def labelled(made: HourTable, cap_days: float = 30.0, logbook: Logbook | None = None) -> Labels:
    return label(made, SENSORS, cap_days=cap_days, share=0.5, count=1, logbook=logbook)


def entry(first: int, kind: Kind = Kind.FAILURE, after: int | None = None, equip_id: str = "EQUIP-001") -> LogEntry:
    end = None if after is None else wall_clock(after)
    return LogEntry(equip_id, None, kind, wall_clock(first), end)


def wall_clock(hour: int) -> datetime:
    return clock.hour_start(hour).replace(tzinfo=None)


def failures(*hours: int, equip_id: str = "EQUIP-001") -> Logbook:
    return Logbook(entry(hour, equip_id=equip_id) for hour in hours)


def test_rul_counts_down_to_the_failure_and_starts_anew() -> None:
    found = labelled(table(100, failing=(48, 49, 90)))
    assert found.failures == {MACHINE: [1048, 1090]}
    assert found.rul[[0, 24, 48]].tolist() == [2.0, 1.0, 0.0]
    assert np.isnan(found.rul[49])
    assert found.rul[50] == 40 / 24
    assert found.life[0] == found.life[48] != found.life[50]
    assert found.left_out == {"down": 1, "censored": 9}


def test_what_is_right_censored_is_no_cap() -> None:
    found = labelled(table(100))
    assert np.isnan(found.rul).all()
    assert found.left_out == {"censored": 100}


def test_a_healthy_time_as_long_as_the_cap_is_an_exact_label() -> None:
    found = labelled(table(100), cap_days=2.0)
    assert found.rul[:52].tolist() == [2.0] * 52
    assert np.isnan(found.rul[52:]).all()
    assert found.label_available_at[0] == 1048


def test_what_lies_behind_a_long_silence_is_no_label_without_a_failure_log() -> None:
    full = table(160, failing=(150,))
    heard = np.r_[0:40, 100:160]
    made = HourTable(
        full.machines, full.machine[heard], full.hour[heard], full.values[heard], full.readings[heard], full.last[heard]
    )
    found = labelled(made)
    assert np.isnan(found.rul[:40]).all()
    assert found.rul[40] == 50 / 24
    assert labelled(made, cap_days=1.0).rul[:16].tolist() == [1.0] * 16
    assert labelled(made, logbook=failures(1150)).rul[0] == 150 / 24


def test_a_lost_day_hides_nothing() -> None:
    full = table(100, failing=(90,))
    heard = np.r_[0:40, 64:100]
    made = HourTable(
        full.machines, full.machine[heard], full.hour[heard], full.values[heard], full.readings[heard], full.last[heard]
    )
    assert labelled(made).rul[0] == 90 / 24


def test_a_log_s_failures_of_other_times_are_not_counted() -> None:
    found = labelled(table(100), logbook=failures(10, 500, 1050, 9000))
    assert found.failures == {MACHINE: [1050]}
    assert found.rul[60] == 30.0


def test_spikes_are_no_failure() -> None:
    assert labelled(table(100, failing=(50,), share=0.05)).failures == {MACHINE: []}


def test_excursions_close_together_are_one_failure() -> None:
    assert labelled(table(100, failing=(50, 53, 58))).failures == {MACHINE: [1050]}
    assert labelled(table(100, failing=(50, 60))).failures == {MACHINE: [1050, 1060]}


def test_a_machine_that_is_off_has_no_label() -> None:
    found = labelled(table(100, failing=(60,), off=(10, 11)))
    assert found.left_out["off"] == 2
    assert np.isnan(found.rul[10])
    assert found.rul[12] == 2.0


def test_a_failure_log_decides_alone() -> None:
    found = labelled(table(100, failing=(30,)), logbook=failures(1070))
    assert found.failures == {MACHINE: [1070]}
    assert found.rul[46] == 1.0
    assert labelled(table(100, failing=(30,)), logbook=failures(1070, equip_id="OTHER")).failures == {MACHINE: []}


def test_maintenance_ends_a_run_without_a_failure_and_starts_the_clock() -> None:
    found = labelled(table(200), logbook=Logbook([entry(1040, Kind.MAINTENANCE, 1046), entry(1150)]))
    assert np.isnan(found.rul[:46]).all()
    assert found.seen[[0, 39]].tolist() == [40 / 24, 1 / 24]  # it ran on for so long
    assert not found.running[40:46].any()
    assert found.rul[46] == 104 / 24
    assert found.last_failure[[40, 46, 150]].tolist() == [-1, 1045, 1045]
    assert len({int(run) for run in found.life[[0, 46, 151]]}) == 3
    assert (found.failures, found.maintenance) == ({MACHINE: [1150]}, {MACHINE: [1040]})
    assert found.last_hours == {MACHINE: 1150}


def test_maintenance_alone_leaves_failures_to_the_readings() -> None:
    found = labelled(table(200, failing=(120, 121)), logbook=Logbook([entry(1040, Kind.MAINTENANCE, 1046)]))
    assert found.failures == {MACHINE: [1120]}
    assert found.rul[72] == 2.0
    assert np.isnan(found.rul[39])


def test_a_failure_lasts_until_the_machine_runs_again() -> None:
    found = labelled(table(100, failing=(40, 41), off=(42, 43, 44)))
    assert found.left_out["down"] == 4
    assert found.last_failure[45] == 1044
    logged = labelled(table(100), logbook=Logbook([entry(1040, after=1048)]))
    assert (logged.left_out["down"], logged.last_failure[48]) == (7, 1047)


def test_a_false_alarm_is_no_label() -> None:
    alarm = Logbook([entry(1039, Kind.FALSE_ALARM, 1043)])
    assert labelled(table(100, failing=(40, 41, 80)), logbook=alarm).failures == {MACHINE: [1080]}


def test_an_equip_id_of_two_zones_needs_its_zone_in_the_log() -> None:
    one = table(100)
    both = hour_table.join([one, replace(one, machines=[Machine("ZONE-002", "EQUIP-001")])], one.values.shape[1])
    assert labelled(both, logbook=failures(1050)).failures == {machine: [] for machine in both.machines}
    with_zone = Logbook([entry(1050)._replace(zone_id="ZONE-002")])
    assert labelled(both, logbook=with_zone).failures == {both.machines[0]: [], both.machines[1]: [1050]}


def test_hours_since_failure_know_of_earlier_failures() -> None:
    made = table(100, failing=(48,))
    found = label(made, SENSORS, cap_days=30, share=0.5, count=1, earlier={MACHINE: 990})
    assert found.last_failure[[0, 48, 49]].tolist() == [990, 990, 1048]
    assert labelled(made).last_failure[0] == -1
    assert found.last_hours == {MACHINE: 1048}


def test_folds_keep_lives_together() -> None:
    life = np.repeat(np.arange(20), np.arange(5, 25))
    fold = folds(life, 5, seed=1)
    assert all(len(set(fold[life == one].tolist())) == 1 for one in range(20))
    sizes = np.bincount(fold)
    assert len(sizes) == 5
    assert sizes.max() - sizes.min() <= 24
    assert (folds(life, 5, seed=1) == fold).all()

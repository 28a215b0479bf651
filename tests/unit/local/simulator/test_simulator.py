"""The simulated factory writes the producer's format, and what it says is true shows in the readings."""

import json
from collections import Counter
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitory import sensors
from monitory.clock import date_of_hour, first_hour, hour_of
from monitory.decoding.rejects import UNKNOWN_SENSOR
from monitory.features.hour_row import COUNT, PER_SENSOR
from monitory.machine import Machine
from monitory.readings.by_hour import ReadingsByHour
from monitory.readings.objects import ObjectKey
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import S3
from monitory_local.simulator.__main__ import main
from monitory_local.simulator.faults import Fault
from monitory_local.simulator.hours import machine_hours
from monitory_local.simulator.lake import truths, write_hours
from monitory_local.simulator.producer import LakeFile, Producer
from monitory_local.simulator.readings import MachineReadings, SensorHour
from monitory_local.simulator.records import failure_log
from monitory_local.simulator.signals import MODES, default_signals
from monitory_local.simulator.wear import MachineLives, Plan, State

START = first_hour(date(2026, 2, 1))
DAYS = 28
HOURS = range(START, START + DAYS * 24)
PLAN = Plan(START, machines=4, rate_seconds=30)


def _files(producer: Producer, hours: range) -> list[LakeFile]:
    return [file for number in range(producer.plan.machines) for hour in hours for file in producer.files(number, hour)]


def _outside(machine: MachineReadings, hour: int) -> dict[str, float]:
    """Share of readings outside the alert limits, by sensor."""
    return {
        sensor.signal.name: float(np.mean((sensor.values < sensor.signal.low) | (sensor.values > sensor.signal.high)))
        for sensor in machine.hour(hour)
    }


def test_the_same_plan_writes_the_same_bytes_and_another_seed_does_not() -> None:
    hours = range(START, START + 6)
    once = _files(Producer(PLAN), hours)
    again = _files(Producer(PLAN), hours)
    other = _files(Producer(Plan(START, machines=4, rate_seconds=30, seed=1)), hours)
    assert once == again
    assert {file.key for file in once}.isdisjoint(file.key for file in other)


def test_an_hour_does_not_depend_on_which_hours_were_asked_before() -> None:
    late = START + 40 * 24
    fresh = Producer(PLAN)
    used = Producer(PLAN)
    for hour in range(START, START + 30):
        list(used.files(0, hour))
    assert list(fresh.files(0, late)) == list(used.files(0, late))


def test_every_line_is_a_reading_of_the_contract() -> None:
    files = _files(Producer(PLAN), range(START, START + 24))
    types = Counter[str]()
    for file in files:
        prefix, day, zone, equip, name = file.key.split("/")
        assert prefix == "EQUIPMENT"
        assert name.startswith("equip-")
        assert name.endswith(".json")
        assert file.body.endswith(b"\n\n")  # at least one blank line
        lines = file.body.decode().rstrip("\n").split("\n")
        for line in lines:
            reading = json.loads(line)
            assert list(reading) == ["zoneId", "equipId", "sensorId", "sensorType", "val", "category", "faulty", "time"]
            assert zone == f"zone_id={reading['zoneId']}"
            assert equip == f"equip_id={reading['equipId']}"
            assert reading["category"] == "EQUIPMENT"
            assert isinstance(reading["val"], float)
            time = datetime.fromisoformat(reading["time"])
            assert time.tzinfo is None
            assert day == f"date={time.date()}"
            types[reading["sensorType"]] += 1
        assert lines == sorted(lines, key=lambda line: str(json.loads(line)["time"]))
    assert set(types) == {signal.lake_name for signal in default_signals()} | {"current", "dust", "voc"}


def test_the_product_reads_every_line_and_rejects_the_extra_sensors_only() -> None:
    for file in _files(Producer(PLAN), range(START, START + 5)):
        _, day, zone, equip, _ = file.key.split("/")
        owner = Machine(zone.removeprefix("zone_id="), equip.removeprefix("equip_id="))
        readings = ReadingsByHour(sensors.load())
        readings.add(ObjectKey(file.key, owner, date.fromisoformat(day.removeprefix("date="))), [file.body])
        assert set(readings.rejected) == {UNKNOWN_SENSOR}
        assert len(readings.hours) == 1


def test_a_split_hour_repeats_lines_and_loses_none() -> None:
    producer = Producer(PLAN)
    hours = [(number, hour) for number in range(PLAN.machines) for hour in HOURS]
    split = next(files for files in (list(producer.files(*one)) for one in hours) if len(files) == 2)
    first, second = ([line for line in file.body.split(b"\n") if line] for file in split)
    expected = {sensor.signal.lake_name: len(sensor.values) for sensor in _hour_of(producer, first[0])}
    counted = Counter(json.loads(line)["sensorType"] for line in set(first) | set(second))
    assert set(first) & set(second)
    assert {name: counted[name] for name in expected} == expected


def _hour_of(producer: Producer, line: bytes) -> list[SensorHour]:
    reading = json.loads(line)
    machine = next(m for m in producer.machines if m.lives.equip_id == reading["equipId"])
    return machine.hour(hour_of(datetime.fromisoformat(reading["time"])))


def test_rul_falls_by_an_hour_an_hour_to_zero_at_the_failure() -> None:
    for number in range(PLAN.machines):
        lives = MachineLives(PLAN, number)
        known = [lives.truth(hour) for hour in HOURS]
        for truth, following in pairwise(known):
            if truth.rul_days is not None and following.rul_days is not None and truth.rul_days > 0:
                assert following.rul_days == pytest.approx(truth.rul_days - 1 / 24)
        assert [truth.hour for truth in known if truth.rul_days == 0] == lives.failures(HOURS.start, HOURS.stop - 1)
        running = {State.HEALTHY, State.WORN}
        assert all(truth.rul_days is not None for truth in known if truth.state in running)
        assert all(truth.rul_days is None for truth in known if truth.state is State.OFF)


def test_readings_stay_outside_the_worn_sensors_limit_in_a_failure_and_nowhere_else() -> None:
    failing, other = [], []
    for number in range(PLAN.machines):
        machine = MachineReadings(PLAN, number)
        for hour in HOURS:
            truth = machine.lives.truth(hour)
            outside = _outside(machine, hour)
            if truth.state is State.FAILING:
                assert truth.worn_sensor
                failing.append(outside[truth.worn_sensor])
            elif outside:
                other.append(max(outside.values()))
    assert len(failing) > 10
    assert min(failing) >= 0.55
    assert max(other) < 0.5


def test_wear_drives_its_sensor_further_than_any_other() -> None:
    near, found = 0, 0
    for number in range(PLAN.machines):
        machine = MachineReadings(PLAN, number)
        for hour in HOURS:
            truth = machine.lives.truth(hour)
            if truth.state is not State.WORN or truth.wear < 0.7:
                continue
            drift = {
                sensor.signal.name: abs(float(np.median(sensor.values)) - sensor.signal.mean) / sensor.signal.deviation
                for sensor in machine.hour(hour)
            }
            if truth.worn_sensor in drift:
                near += 1
                found += max(drift, key=lambda name: drift[name]) == truth.worn_sensor
    assert near > 50
    assert found / near > 0.95


def test_spikes_have_their_share_and_their_range() -> None:
    plan = Plan(START, machines=1, rate_seconds=10, spike_share=0.03)
    machine = MachineReadings(plan, 0)
    spikes = readings = 0
    for hour in range(START, START + 100):
        if machine.lives.truth(hour).state is State.OFF:
            continue
        for sensor in machine.hour(hour):
            spikes += int(sensor.spikes.sum())
            readings += len(sensor.values)
            share_of_range = sensor.values[sensor.spikes] / sensor.signal.ceiling
            assert share_of_range.size == 0 or 0.799 < share_of_range.min() <= share_of_range.max() <= 1
    assert spikes / readings == pytest.approx(0.03, abs=0.003)


def test_a_machine_that_is_off_is_silent_or_draws_no_power() -> None:
    seen = Counter[str]()
    for number in range(PLAN.machines):
        machine = MachineReadings(PLAN, number)
        for hour in HOURS:
            if machine.lives.truth(hour).state is State.OFF:
                power = [s.values.max() for s in machine.hour(hour) if s.signal.name == "active_power"]
                assert all(value < 500 for value in power)
                seen["flat" if power else "silent"] += 1
    assert seen["flat"] > 10
    assert seen["silent"] > 10


def test_sensors_fall_silent_for_hours_but_never_in_a_failure() -> None:
    silent_hours = 0
    for number in range(PLAN.machines):
        machine = MachineReadings(PLAN, number)
        for hour in HOURS:
            sensors_of_hour = machine.hour(hour)
            if machine.lives.truth(hour).state is State.FAILING:
                assert len(sensors_of_hour) == len(default_signals())
            elif sensors_of_hour:
                silent_hours += len(sensors_of_hour) < len(default_signals())
    assert silent_hours > 20


def test_lives_differ_so_that_age_alone_does_not_tell_them() -> None:
    plan = Plan(START, machines=20)
    lives = [MachineLives(plan, number).life(START + 200) for number in range(plan.machines)]
    lengths = [life.failure - life.start for life in lives]
    assert 2 * min(lengths) < max(lengths)
    assert {life.mode for life in lives} == set(MODES)


def test_the_lake_in_s3_holds_what_was_written_and_the_failure_log_names_each_failure(s3: S3, lake_bucket: str) -> None:
    producer = Producer(Plan(START, machines=2, rate_seconds=300))
    hours = range(START, START + 12 * 24)
    storage = S3Storage(lake_bucket, region="ap-northeast-2")
    steps = []
    written = write_hours(storage, producer, hours, lambda: steps.append(1))
    listed = list(storage.list("EQUIPMENT"))
    assert len(steps) == 2 * len(hours)
    assert written.objects == len(listed)
    assert written.size == sum(entry.size for entry in listed)
    log = [line for line in _log(producer, hours) if line["kind"] == "failure"]
    zero = [(t.equip_id, date_of_hour(t.hour)) for t in truths(producer, hours) if t.rul_days == 0]
    assert sorted((entry["equipId"], date.fromisoformat(entry["start"][:10])) for entry in log) == sorted(zero)


def test_the_program_writes_a_month_its_truth_and_its_failure_log(
    s3: S3, lake_bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "truth.ndjson"
    main(
        [
            "--month",
            "2026-02",
            "--machines",
            "1",
            "--rate",
            "600",
            "--truth",
            str(truth),
            "--failure-log-key",
            "log.json",
        ]
    )
    storage = S3Storage(lake_bucket, region="ap-northeast-2")
    days = {entry.key.split("/")[1] for entry in storage.list("EQUIPMENT")}
    known = [json.loads(line) for line in truth.read_text().splitlines()]
    assert days <= {f"date=2026-02-{day:02d}" for day in range(1, 29)}
    assert len(days) >= 27
    assert [known[0]["hour"], known[-1]["hour"]] == ["2026-02-01T00:00:00", "2026-02-28T23:00:00"]
    failures = [line["hour"] for line in known if line["rulDays"] == 0]
    log = [json.loads(line) for line in storage.get("log.json").body.splitlines()]
    assert failures == [line["time"] for line in log if line["kind"] == "failure"]
    assert f"s3://{lake_bucket}/EQUIPMENT/" in capsys.readouterr().out


def _log(producer: Producer, hours: range) -> list[dict[str, Any]]:
    return [json.loads(line) for line in failure_log(producer, hours).splitlines()]


def test_the_log_tells_failures_maintenance_and_inspections_as_they_are_known_at_the_time() -> None:
    producer = Producer(Plan(START, machines=10, rate_seconds=600, maintained_share=0.5, fault_share=0.05))
    log = _log(producer, HOURS)
    assert set(log[0]) >= {"zoneId", "equipId", "kind", "start", "end", "failureMode", "note"}
    assert {line["kind"] for line in log} == {"failure", "maintenance", "inspection", "false_alarm"}
    assert [line["start"] for line in log] == sorted(line["start"] for line in log)
    machines = {machine.lives.equip_id: machine.lives for machine in producer.machines}
    for line in log:
        if line["kind"] not in ("failure", "maintenance"):
            continue
        hour = hour_of(datetime.fromisoformat(line["start"]))
        before, begun = (machines[line["equipId"]].truth(at) for at in (max(hour - 1, START), hour))
        if line["kind"] == "failure":
            assert (begun.state, line["time"]) == (State.FAILING, line["start"])
            assert begun.worn_sensor == next(mode.worn for mode in MODES if mode.name == line["failureMode"])
        else:
            assert before.state in (State.HEALTHY, State.WORN)
            assert begun.state is State.OFF
            assert "time" not in line
    assert sum(line["end"] is not None for line in log) > 20
    first_week = _log(producer, HOURS[: 7 * 24])
    assert {line["start"] for line in first_week} < {line["start"] for line in log}
    assert all((line["end"] or "") <= "2026-02-08T00:00:00" for line in first_week)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("machines", "classes"), [(6, 1), (16, 3), (20, 3)])
def test_a_triage_has_machines_in_every_state_and_most_of_them_healthy(seed: int, machines: int, classes: int) -> None:
    plan = Plan(START, machines, seed, life_days=90, classes=classes, triage_hour=HOURS.stop)
    lives = [MachineLives(plan, number) for number in range(machines)]
    newest = [machine.truth(HOURS.stop - 1) for machine in lives]
    states = Counter(truth.state for truth in newest)
    assert (states[State.FAILING], states[State.OFF]) == (1, 1)
    left = [truth.rul_days for truth in newest if truth.rul_days is not None]
    assert sum(days < 7 for days in left) == machines // 6
    assert sum(days >= 12 for days in left) >= machines / 2
    works = [work for machine in lives for work in machine.maintenances(HOURS.start, HOURS.stop)]
    assert sorted(HOURS.stop - first for first, _ in works) == [9, 7 * 24]
    assert all(machine.truth(HOURS.stop + 200).hour for machine in lives)  # and life goes on


def test_lives_before_a_triage_are_drawn_as_ever() -> None:
    plan = Plan(START, machines=20, life_days=6)
    triage = Plan(START, machines=20, life_days=6, triage_hour=HOURS.stop)
    until = HOURS.stop - 16 * 24
    for number in range(20):
        expected = MachineLives(plan, number).failures(HOURS.start, until)
        assert MachineLives(triage, number).failures(HOURS.start, until) == expected


@pytest.mark.parametrize(
    ("rate", "readings"), [(3600, 1), (1800, 2), (1200, 3), (600, 6), (300, 12), (5, 720), (1, 3600)]
)
def test_a_sensor_speaks_from_once_an_hour_to_once_a_second(rate: float, readings: int) -> None:
    producer = Producer(Plan(START, machines=1, rate_seconds=rate))
    lines = [json.loads(line) for file in producer.files(0, START) for line in set(file.body.split(b"\n")) if line]
    counted = Counter(line["sensorType"] for line in lines)
    assert {counted[signal.lake_name] for signal in default_signals()} == {readings}
    rows = machine_hours(producer.machines[0], range(START, START + 5), sensors.load())
    assert np.nanmax(rows.values[:, COUNT]) == readings
    assert np.isnan(rows.values[:, PER_SENSOR.index("_rollstd")]).all() == (readings < 5)


def test_sensors_lie_in_four_ways_while_the_machine_goes_on() -> None:
    plan = Plan(START, machines=4, rate_seconds=60, fault_share=0.5, spike_share=0.0)
    honest = Plan(START, machines=4, rate_seconds=60, spike_share=0.0)
    lies = Counter[Fault]()
    for number in range(plan.machines):
        machine, other = MachineReadings(plan, number), MachineReadings(honest, number)
        for hour in HOURS[: 5 * 24]:
            lying = machine.faults(hour)
            true = {one.signal.name: one.values for one in other.hour(hour)}
            assert len(true) == len(machine.hour(hour))
            for index, sensor in enumerate(machine.signals):
                values = next((one.values for one in machine.hour(hour) if one.signal is sensor), None)
                if values is None:
                    continue
                if index not in lying:
                    assert np.array_equal(values, true[sensor.name])
                    continue
                fault = lying[index]
                lies[fault] += 1
                if fault in (Fault.SENTINEL, Fault.IMPLAUSIBLE):
                    assert not any(sensors.load().sensors[index].is_plausible(value) for value in values)
                elif fault is Fault.STUCK:
                    assert len(set(values)) == 1
                else:
                    assert np.abs(values - true[sensor.name]).max() <= 0.51 * sensor.deviation
    assert min(lies[fault] for fault in Fault) > 5


def test_classes_of_machines_live_for_other_times_at_other_set_points() -> None:
    plan = Plan(START, machines=30, life_days=40, classes=3)
    lengths: dict[str, list[int]] = {}
    for number in range(plan.machines):
        lives = MachineLives(plan, number)
        lengths.setdefault(lives.kind.name, []).extend(
            life.failure - life.start for life in lives.lives(START, START + 9000)
        )
    means = {name: float(np.mean(hours)) / 24 for name, hours in lengths.items()}
    assert means == pytest.approx({"press": 40, "pump": 5, "fan": 80}, rel=0.15)
    pump, press = MachineReadings(plan, 1), MachineReadings(Plan(START, machines=30, life_days=40), 1)
    one, usual = ({s.signal.name: s.values.mean() for s in machine.hour(START)} for machine in (pump, press))
    assert one["pressure"] - usual["pressure"] > 2
    assert one["active_power"] < usual["active_power"]


@pytest.mark.parametrize(
    "argument",
    [
        "--rate=3601",
        "--maintained=1.5",
        "--classes=4",
        "--rate=0",
        "--spikes=0.5",
        "--machines=0",
        "--life-days=-1",
        "--month=2026-13",
    ],
)
def test_impossible_arguments_are_refused(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([argument])
    assert exit_.value.code == 2
    assert argument.split("=")[0] in capsys.readouterr().err

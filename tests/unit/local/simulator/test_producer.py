"""The simulated factory writes the producer's format."""

import json
from collections import Counter
from datetime import date, datetime

import numpy as np
import pytest

from monitory import sensors
from monitory.clock import hour_of
from monitory.decoding.rejects import UNKNOWN_SENSOR
from monitory.features.hour_row import COUNT, PER_SENSOR
from monitory.machine import Machine
from monitory.readings.by_hour import ReadingsByHour
from monitory.readings.objects import ObjectKey
from monitory_local.simulator.hours import machine_hours
from monitory_local.simulator.producer import LakeFile, Producer
from monitory_local.simulator.readings import SensorHour
from monitory_local.simulator.signals import default_signals
from monitory_local.simulator.wear import Plan
from tests.support.factory import HOURS, PLAN, START


def _files(producer: Producer, hours: range) -> list[LakeFile]:
    return [file for number in range(producer.plan.machines) for hour in hours for file in producer.files(number, hour)]


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

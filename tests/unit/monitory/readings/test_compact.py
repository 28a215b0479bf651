"""Very many readings: packed, they say what they say in lists."""

import random
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitory import clock
from monitory.features import hour_row
from monitory.lake import Lake, MachineDay
from monitory.readings import by_hour, compact
from monitory.readings.by_hour import ReadingsByHour
from monitory.readings.compact import Packed, SensorIds
from monitory.readings.sensor_readings import SensorReadings
from monitory.sensors import load
from tests.support.fakes import MemoryStorage
from tests.support.samples import DAY, MACHINE, SOURCE, TEN, lake_key, ndjson, reading

SENSORS = load()
HOUR = clock.hour_of(TEN)

one = st.tuples(st.integers(0, 3_599_999_999), st.sampled_from([-1.5, 0.0, 2.0, 1e99]), st.sampled_from("cab"))
many = st.lists(one | st.sampled_from([(7, 2.0, "b"), (7, 2.0, "a"), (7, 0.0, "b")]), max_size=60)


@pytest.fixture(autouse=True)
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs and parts so small that a test has many."""
    monkeypatch.setattr(compact, "_RUN", 7)
    monkeypatch.setattr(compact, "_PART", 5)
    monkeypatch.setattr(hour_row, "_PART", 3)


def filled(column: SensorReadings, given_readings: list[tuple[int, float, str]]) -> SensorReadings:
    for micros, value, sensor_id in given_readings:
        column.extend([TEN + timedelta(microseconds=micros)], [value], [sensor_id], ordered=True)
    return column


@given(many, st.integers(0, 60), st.booleans())
def test_packed_readings_are_settled_as_lists_are(found: list[tuple[int, float, str]], at: int, in_order: bool) -> None:
    if in_order:
        found = sorted({micros: (micros, value, name) for micros, value, name in found}.values())
    plain, small = filled(SensorReadings(), found), filled(SensorReadings(), found[:at])
    small.pack(HOUR, SensorIds())
    filled(small, found[at:])
    assert (len(small), small.ordered) == (len(plain), plain.ordered)
    assert list(small.settled_values()) == plain.settled_values()
    assert [item for times, _, _ in small.parts() for item in times] == plain.times
    assert [item for _, _, ids in small.parts() for item in ids] == plain.ids
    assert not found or small.last == plain.last
    filled(small, found[:3])
    filled(plain, found[:3])
    assert list(small.settled_values()) == plain.settled_values()


def lines(count: int, seed: int) -> list[dict[str, object]]:
    chance = random.Random(seed)
    sensors = ["temp", "humid", "active_power", "dust"]
    return [
        reading(
            chance.choice([chance.gauss(70, 20), 50]),
            chance.choice([number * 3, number, 7500]),
            chance.choice(sensors),
            sensorId=chance.choice("abc"),
        )
        for number in range(count)
    ]


def day_of(*objects: bytes) -> bytes:
    storage = MemoryStorage()
    for number, body in enumerate(objects):
        storage.put(lake_key(DAY, str(number)), body)
    lake = Lake(storage, "EQUIPMENT", SENSORS)
    return msgspec.msgpack.encode(lake.refresh(MachineDay(), lake.machine_day(MACHINE, DAY)))


@pytest.mark.parametrize("seed", range(8))
def test_a_day_is_the_same_to_the_last_bit(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One object, and hours that two objects share: in lists, or packed from the first or the second object on."""
    first, second = ndjson(lines(400, seed)), ndjson(lines(300, seed + 100))
    expected = [day_of(first), day_of(first, second)]
    for limit in (0, len(first) - 1, len(first) + 1):
        monkeypatch.setattr(by_hour, "LOOSE_BYTES", limit)
        assert [day_of(first), day_of(first, second)] == expected


def test_more_sensors_than_a_machine_can_have_are_counted_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_hour, "LOOSE_BYTES", 0)
    monkeypatch.setattr(compact, "MAX_SENSOR_IDS", 3)
    found = ReadingsByHour(SENSORS)
    odd = [reading(1.0, 8000, "humid", sensorId="late"), reading(2.0, 60, sensorId="x" * 257)]
    found.add(SOURCE, [ndjson([reading(float(n), n, sensorId=f"s{n % 5}") for n in range(10)] + odd)])
    assert list(found.hours[HOUR]["temperature"].settled_values()) == [0.0, 1.0, 2.0, 5.0, 6.0, 7.0]
    assert found.rejected == {"too_many_sensors": 6}
    assert list(found.hours) == [HOUR]
    pooled = ReadingsByHour(SENSORS)
    pooled.absorb(found, [HOUR])
    assert len(pooled.hours[HOUR]["temperature"].settled_values()) == 6


def test_ids_that_were_long_ago_refused_stay_so() -> None:
    ids = SensorIds()
    with patch.object(compact, "MAX_SENSOR_IDS", 1):
        column = Packed(HOUR, ids)
        column.append([TEN, TEN + timedelta(seconds=1)], [1.0, 2.0], ["a", "b"])
        column.append([TEN + timedelta(seconds=2)], [3.0], ["b"])
    assert (list(column.values), ids.refused, ids.names()) == ([1.0], 2, ["a"])


def test_a_large_object_is_packed_while_it_is_read() -> None:
    def chunks() -> Iterator[bytes]:
        for part in range(20):
            yield ndjson([reading(1.0, part * 100 + n / 10) for n in range(1000)]).ljust(1 << 20)

    found = ReadingsByHour(SENSORS)
    found.add(SOURCE, chunks())
    column = found.hours[HOUR]["temperature"]
    assert column.packed is not None
    assert (column.times, len(column.settled_values())) == ([], 20_000)

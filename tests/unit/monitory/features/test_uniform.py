"""Objects whose lines are all alike: what the C path takes, and that nobody sees a difference."""

import json
import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitory import clock, sensors
from monitory.features import uniform
from monitory.features.uniform import UniformHour, UniformObjects
from monitory.lake import Lake, MachineDay
from monitory.layout.lake_layout import DEFAULT_LAYOUT
from tests.support.fakes import MemoryStorage
from tests.support.samples import DAY, MACHINE, SOURCE, TEN, fill_hours, hour_of_readings, lake_key, ndjson, reading
from tests.support.uniform import LAYOUTS, check, is_taken, mutants

SENSORS = sensors.load()
COMPILED = uniform.library() is not None
compiled = pytest.mark.skipif(not COMPILED, reason="the C part is not compiled: make native")
Change = Callable[[dict[str, Any]], dict[str, Any]]


def an_hour(seconds: int = 10) -> list[dict[str, Any]]:
    """An hour as the producer writes it, with a sensor outside the set; more than 64 KB in all."""
    lines = hour_of_readings(TEN + timedelta(microseconds=500), every_seconds=seconds, value=lambda n: 50.25 + n % 7)
    lines[7:7] = [reading(1.5, 12.25, "voc"), reading(1, 13.25, "humidd")]
    return lines


def read(body: bytes) -> UniformHour | None:
    return UniformObjects(SENSORS, DEFAULT_LAYOUT).read(SOURCE, body)


def lakes(monkeypatch: pytest.MonkeyPatch, storage: MemoryStorage) -> tuple[Lake, Lake]:
    """The same lake with the C part and without."""
    with_it = Lake(storage, "EQUIPMENT", SENSORS)
    monkeypatch.setattr(uniform, "library", lambda: None)
    return with_it, Lake(storage, "EQUIPMENT", SENSORS)


@compiled
def test_an_hour_has_the_bits_that_python_computes() -> None:
    assert is_taken(ndjson(an_hour()), DEFAULT_LAYOUT, str(DAY))


@compiled
def test_readings_of_other_sensors_are_counted_and_one_is_named_if_it_resembles_a_sensor() -> None:
    found = read(ndjson(an_hour()))
    assert found
    assert found.rejects.counts == {"unknown_sensor": 2}
    assert found.rejects.samples == {"unknown_sensor": "humidd; did you mean humid?"}


def deviations() -> dict[str, Change]:
    """Changes of a line that make an object another kind."""
    return {
        "a text": lambda one: one | {"val": "50.25"},
        "null": lambda one: one | {"val": None},
        "an exponent": lambda one: one | {"val": 1e-7},
        "minus zero": lambda one: one | {"val": -0.0},
        "implausible": lambda one: one | {"val": 1e9},
        "an offset": lambda one: one | {"time": f"{one['time']}+09:00"},
        "another hour": lambda one: one | {"time": one["time"].replace("T10", "T11")},
        "another date": lambda one: one | {"time": one["time"].replace("-20T", "-19T")},
        "a leap second": lambda one: one | {"time": "2026-11-20T10:30:60"},
        "nine digits": lambda one: one | {"time": "2026-11-20T10:30:00.123456789"},
        "out of order": lambda one: one | {"time": "2026-11-20T10:30:00.000500"},
        "another machine": lambda one: one | {"equipId": "EQUIP-002"},
        "another field": lambda one: one | {"quality": 1},
        "another value of it": lambda one: one | {"faulty": 1},
        "no field": lambda one: {name: value for name, value in one.items() if name != "sensorId"},
        "another alphabet": lambda one: one | {"sensorId": "온도"},
        "an escape": lambda one: one | {"sensorId": 'a"b'},
    }


@compiled
@pytest.mark.parametrize("at", [0, 5, -1])
@pytest.mark.parametrize("change", deviations().values(), ids=deviations())
def test_an_object_of_another_kind_is_left_to_python(change: Change, at: int) -> None:
    lines = an_hour()
    assert read(ndjson(lines))
    lines[at] = change(lines[at])
    assert read(ndjson(lines)) is None


@compiled
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"\n", b"{", b"{}\n", b'{"a":1}\n{"a":1}\n', b"[]\n"),
        *(ndjson(an_hour())[:-200], b"\xef\xbb\xbf" + ndjson(an_hour())),
    ],
    ids=range(8),
)
def test_what_is_no_such_object_is_left_to_python(body: bytes) -> None:
    assert read(body) is None


@compiled
def test_a_field_in_a_field_is_not_taken_for_the_lines_own() -> None:
    nested = [{"meta": {"val": 70.0}} | one for one in an_hour()]
    assert read(ndjson(nested)) is None


@compiled
@pytest.mark.parametrize("layout", LAYOUTS)
def test_mutants_that_are_taken_have_the_bits_that_python_computes(layout: Any) -> None:
    seed = random.Random(1)
    taken = [is_taken(body, layout, str(DAY)) for _ in range(20) for body in mutants(seed, layout, str(DAY))]
    assert any(taken)
    assert not all(taken)


def test_a_seed_of_the_fuzzer_passes() -> None:
    for number in range(5):
        check(bytes([number]))


@pytest.mark.parametrize("zone", [clock.DEFAULT_ZONE, "Australia/Lord_Howe"])
def test_a_lake_gives_the_same_with_it_and_without(
    zone: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: clock.set_zone(clock.DEFAULT_ZONE))
    clock.set_zone(zone)
    storage = MemoryStorage()
    fill_hours(storage, [TEN + timedelta(hours=hour) for hour in range(4)])  # small ones
    whole = an_hour()
    storage.put(lake_key(DAY, "clean"), ndjson(whole))
    later = [line | {"time": line["time"].replace("T10", "T15")} for line in whole]
    storage.put(lake_key(DAY, "half"), ndjson(later[:1100]))
    storage.put(lake_key(DAY, "other-half"), ndjson(later[1000:]))
    storage.put(lake_key(DAY, "odd"), ndjson([line | {"val": "x"} for line in later[:3]] + later))
    with_it, without = lakes(monkeypatch, storage)
    listed = with_it.machine_day(MACHINE, DAY)
    assert repr(with_it.refresh(MachineDay(), listed)) == repr(without.refresh(MachineDay(), listed))


@compiled
def test_a_large_object_of_a_lake_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = MemoryStorage()
    storage.put(lake_key(DAY, "clean"), ndjson(an_hour()))
    lake = Lake(storage, "EQUIPMENT", SENSORS)
    monkeypatch.setattr("monitory.lake.ReadingsByHour.add", pytest.fail)
    assert len(lake.refresh(MachineDay(), lake.machine_day(MACHINE, DAY)).hours) == 1


def test_without_a_library_every_object_is_left_to_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(uniform, "_LIBRARY", tmp_path / "libuniform.so")
    assert uniform.library.__wrapped__() is None
    (tmp_path / "libuniform.so").write_bytes(b"of another processor")
    assert uniform.library.__wrapped__() is None
    monkeypatch.setattr(uniform, "library", lambda: None)
    assert read(ndjson(an_hour())) is None


def columns(lines: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)


@compiled
def test_lines_without_blanks_and_short_hours_are_taken() -> None:
    for count in (1, 4, 5, 6):
        lines = [reading(70.5 + number / 3, number + 0.5) for number in range(count)]
        assert is_taken(columns(lines), DEFAULT_LAYOUT, str(DAY))

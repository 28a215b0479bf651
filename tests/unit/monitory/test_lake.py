"""The lake: its keys, and machine-days brought up to date object by object."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitory import clock, lake_bodies
from monitory.errors import StorageUnavailable
from monitory.lake import Lake, MachineDay, total_rejected
from monitory.lake_listing import sample_evenly
from monitory.machine import Machine
from monitory.sensors import load
from tests.support.fakes import WatchedStorage, down
from tests.support.samples import DAY, MACHINE, TEN, hour_of_readings, lake_key, ndjson, reading

SENSORS = load()
HOUR = clock.hour_of(TEN)


def a_lake(storage: WatchedStorage | None = None, prefix: str = "EQUIPMENT/") -> tuple[Lake, WatchedStorage]:
    storage = storage or WatchedStorage("lake")
    return Lake(storage, prefix, SENSORS), storage


def refreshed(of: Lake, known: MachineDay | None = None) -> MachineDay:
    return of.refresh(known or MachineDay(), of.machine_day(MACHINE, DAY))


def same(one: MachineDay, other: MachineDay) -> bool:
    """Equal to the last bit; missing values are equal to each other. What is kept to save requests doesn't matter."""
    return msgspec.msgpack.encode((one.objects, one.hours)) == msgspec.msgpack.encode((other.objects, other.hours))


def test_a_machine_s_folder_is_its_own() -> None:
    of, storage = a_lake()
    for machine in (MACHINE, Machine("ZONE-001", "EQUIP-0010"), Machine("ZONE-0010", "EQUIP-001")):
        storage.put(lake_key(DAY, "a", machine), b"x")
    storage.put(lake_key(DAY + timedelta(days=1), "b"), b"x")
    storage.put(lake_key(DAY, "empty"), b"")
    found = of.machine_day(MACHINE, DAY)
    assert [(item.key, item.machine, item.day, item.size) for item in found] == [(lake_key(DAY, "a"), MACHINE, DAY, 1)]


def test_a_day_has_all_machines_and_leaves_out_what_is_not_of_the_layout() -> None:
    of, storage = a_lake()
    other = Machine("ZONE-002", "E.1")
    for key in (lake_key(DAY, "a"), lake_key(DAY, "b"), lake_key(DAY, "c", other)):
        storage.put(key, b"x")
    base = f"EQUIPMENT/date={DAY}"
    for stray in (
        "_SUCCESS",
        "zone_id=ZONE-001/x.json",
        "zone_id=ZONE-001/equip_id=E/_temporary/0/x.json",
        "zone_id=a*b/equip_id=E/x.json",
        "zone_id=/equip_id=E/x.json",
        "zone_id=.hidden/equip_id=E/x.json",
        "equip_id=E/zone_id=Z/x.json",
    ):
        storage.put(f"{base}/{stray}", b"x")
    unplaced: list[str] = []
    found = of.day(DAY, unplaced)
    assert [key.removeprefix(f"{base}/") for key in unplaced] == [
        "equip_id=E/zone_id=Z/x.json",
        "zone_id=.hidden/equip_id=E/x.json",
        "zone_id=/equip_id=E/x.json",
        "zone_id=ZONE-001/x.json",
        "zone_id=a*b/equip_id=E/x.json",
    ]
    assert {machine: len(items) for machine, items in found.items()} == {MACHINE: 2, other: 1}


def test_a_key_that_cannot_be_asked_for_is_reported_with_its_machine() -> None:
    of, storage = a_lake()
    storage.put(lake_key(DAY, "a"), ndjson(hour_of_readings(TEN)))
    odd = f"{lake_key(DAY, 'a').rpartition('/')[0]}//x\n.json"
    storage.put(odd, b"x")
    listed = of.machine_day(MACHINE, DAY)
    assert of.day(DAY) == {MACHINE: listed}
    content = of.refresh(MachineDay(), listed)
    assert [hour.hour for hour in content.hours] == [HOUR]
    assert [seen.unreadable for seen in content.objects] == [f"{odd!r} cannot be read: it cannot be asked for", None]
    storage.calls.clear()
    assert same(of.refresh(content, listed), content)
    assert storage.calls["get"] == 0


@pytest.mark.parametrize("prefix", ["EQUIPMENT", "EQUIPMENT/", "some/where/else/"])
def test_the_prefix_may_end_in_a_slash_or_not(prefix: str) -> None:
    of, storage = a_lake(prefix=prefix)
    key = f"{prefix.rstrip('/')}/date={DAY}/zone_id={MACHINE.zone_id}/equip_id={MACHINE.equip_id}/equip-x-0.json"
    storage.put(key, b"x")
    assert [item.key for item in of.machine_day(MACHINE, DAY)] == [key]
    assert list(of.day(DAY)) == [MACHINE]


def test_an_hour_is_dated_by_its_readings_and_not_by_its_object_s_name() -> None:
    of, storage = a_lake()
    for name, hour in (("zzz", 3), ("aaa", 17), ("mmm", 0)):
        storage.put(lake_key(DAY, name), ndjson(hour_of_readings(datetime(2026, 11, 20, hour))))
    hours = refreshed(of).hours
    first = clock.first_hour(DAY)
    assert [hour.hour for hour in hours] == [first, first + 3, first + 17]
    assert [hour.last.hour for hour in hours] == [0, 3, 17]
    assert {hour.readings for hour in hours} == {72}


def test_only_what_is_new_or_changed_is_read() -> None:
    of, storage = a_lake()
    for hour in range(5):
        storage.put(lake_key(DAY, str(hour)), ndjson(hour_of_readings(datetime(2026, 11, 20, hour))))
    known = refreshed(of)
    storage.calls.clear()
    assert same(refreshed(of, known), known)
    assert storage.calls["get"] == 0
    storage.put(lake_key(DAY, "5"), ndjson(hour_of_readings(datetime(2026, 11, 20, 5))))
    storage.put(lake_key(DAY, "0"), ndjson(hour_of_readings(datetime(2026, 11, 20, 0), value=float)))
    known = refreshed(of, known)
    assert storage.calls["get"] == 2
    assert len(known.hours) == 6
    assert same(known, refreshed(of))


def test_a_split_hour_is_put_together() -> None:
    of, storage = a_lake()
    readings = hour_of_readings(TEN)
    storage.put(lake_key(DAY, "whole"), ndjson(readings))
    whole = refreshed(of)
    of, storage = a_lake()
    storage.put(lake_key(DAY, "b"), ndjson(readings[:40]))
    late = refreshed(of)
    storage.put(lake_key(DAY, "a"), ndjson(readings[30:]))  # the restart repeats ten readings
    split = refreshed(of, late)
    assert repr(split.hours) == repr(whole.hours)
    assert split.hours[0].readings == 72
    assert late.hours[0].readings == 40


def test_a_deleted_object_takes_its_readings_with_it() -> None:
    of, storage = a_lake()
    readings = hour_of_readings(TEN)
    storage.put(lake_key(DAY, "a"), ndjson(readings[:36]))
    storage.put(lake_key(DAY, "b"), ndjson(readings[36:]))
    storage.put(lake_key(DAY, "c"), ndjson(hour_of_readings(TEN + timedelta(hours=1))))
    known = refreshed(of)
    del storage.objects[lake_key(DAY, "b")], storage.objects[lake_key(DAY, "c")]
    known = refreshed(of, known)
    assert [(hour.hour, hour.readings) for hour in known.hours] == [(HOUR, 36)]
    assert same(known, refreshed(of))


def test_an_object_that_is_gone_before_it_is_read_is_as_if_it_had_never_been() -> None:
    of, storage = a_lake()
    storage.put(lake_key(DAY, "a"), ndjson([reading()]))
    storage.put(lake_key(DAY, "b"), ndjson(hour_of_readings(TEN + timedelta(hours=1))))
    listed = of.machine_day(MACHINE, DAY)
    del storage.objects[lake_key(DAY, "b")]
    assert same(of.refresh(MachineDay(), listed), refreshed(of))


def test_what_cannot_be_read_is_remembered_with_its_reason_and_not_read_again() -> None:
    of, storage = a_lake()
    storage.put(lake_key(DAY, "bad"), b"gibberish")
    storage.put(lake_key(DAY, "good"), ndjson([reading(), reading(sensor="dust")]))
    known = refreshed(of)
    bad, good = known.objects
    assert bad.unreadable is not None
    assert lake_key(DAY, "bad") in bad.unreadable
    assert (good.unreadable, good.rejected) == (None, {"unknown_sensor": 1})
    assert total_rejected(known.objects) == {"unknown_sensor": 1, "not_json": 1}
    storage.calls.clear()
    refreshed(of, known)
    assert storage.calls["get"] == 0
    storage.put(lake_key(DAY, "bad"), ndjson([reading(5.0, 1)]))
    assert refreshed(of, known).hours[0].readings == 2


def test_a_failing_store_is_said_so() -> None:
    of, storage = a_lake()
    storage.put(lake_key(DAY, "a"), ndjson([reading()]))
    listed = of.machine_day(MACHINE, DAY)
    storage.before = down
    with pytest.raises(StorageUnavailable):
        of.refresh(MachineDay(), listed)
    with ThreadPoolExecutor(2) as executor, pytest.raises(StorageUnavailable):
        of.refresh(MachineDay(), listed * 2, executor)


def test_half_an_object_is_no_object() -> None:
    of, storage = a_lake()
    storage.put(lake_key(DAY, "a"), ndjson(hour_of_readings(TEN)))
    listed = [item._replace(size=item.size + 1) for item in of.machine_day(MACHINE, DAY)]
    with pytest.raises(StorageUnavailable, match="it was listed with"):
        of.refresh(MachineDay(), listed)


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_large_objects_are_streamed_and_small_ones_read_ahead(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    monkeypatch.setattr(lake_bodies, "WHOLE_BYTES", 20_000)
    monkeypatch.setattr(lake_bodies, "CHUNK_BYTES", 1000)
    of, storage = a_lake()
    for hour in range(20):
        every = 300 if hour % 3 else 60
        storage.put(
            lake_key(DAY, str(hour)), ndjson(hour_of_readings(datetime(2026, 11, 20, hour), every_seconds=every))
        )
    listed = of.machine_day(MACHINE, DAY)
    if workers:
        with ThreadPoolExecutor(workers) as executor:
            made = of.refresh(MachineDay(), listed, executor)
    else:
        made = of.refresh(MachineDay(), listed)
    assert [hour.readings for hour in made.hours] == [72 if hour % 3 else 360 for hour in range(20)]
    assert storage.calls["stream"] == 7
    assert storage.calls["get"] == 13


Step = Callable[[WatchedStorage, random.Random], None]


def _write(storage: WatchedStorage, chance: random.Random) -> None:
    lines: list[dict[str, Any]] = []
    for start in chance.choices([TEN + timedelta(hours=n) for n in range(4)], k=chance.randint(0, 2)):
        readings = hour_of_readings(start, sensors=("temp", "humid"), value=lambda n: chance.choice([n, 1.1, 70.3]))
        lines += chance.sample(readings, chance.randint(1, 24))
    storage.put(lake_key(DAY, chance.choice("abcd")), ndjson(lines) if lines else b"nothing")


def _delete(storage: WatchedStorage, chance: random.Random) -> None:
    storage.objects.pop(lake_key(DAY, chance.choice("abcd")), None)


@settings(max_examples=40)
@given(st.lists(st.sampled_from([_write, _write, _delete]), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_bringing_up_to_date_gives_what_building_anew_gives(steps: list[Step], chance: random.Random) -> None:
    of, storage = a_lake()
    known = MachineDay()
    for step in steps:
        step(storage, chance)
        if chance.random() < 0.6:
            known = refreshed(of, known)
            assert same(known, refreshed(of))
    assert same(refreshed(of, known), refreshed(of))


@given(st.integers(0, 200), st.integers(1, 50))
def test_a_sample_is_spread_evenly(available: int, count: int) -> None:
    chosen: list[Any] = sample_evenly(list(range(available)), count)  # type: ignore[arg-type]
    assert len(chosen) == min(available, count)
    assert chosen == sorted(set(chosen))
    gaps = {after - before for before, after in pairwise(chosen)}
    assert max(gaps, default=1) - min(gaps, default=1) <= 1
    assert not chosen or (chosen[0] == 0 and available - chosen[-1] <= available // count + 1)


@pytest.mark.parametrize("day", [date(2028, 2, 29), date(2026, 12, 31)])
def test_rare_days_have_their_folders(day: date) -> None:
    of, storage = a_lake()
    start = datetime(day.year, day.month, day.day, 23)
    storage.put(lake_key(day, "a"), ndjson(hour_of_readings(start)))
    assert [hour.hour for hour in of.refresh(MachineDay(), of.machine_day(MACHINE, day)).hours] == [
        clock.hour_of(start)
    ]

"""A machine's recent hours: what is read when."""

from datetime import datetime, timedelta

import pytest

from monitory import clock
from monitory.features import vector
from monitory.lake import MachineDay
from monitory.machine import Machine
from tests.support.histories import ask, rebuilt, same
from tests.support.predicting import NOW, World
from tests.support.samples import MACHINE, lake_key


def test_the_history_ends_in_the_newest_hour_and_has_no_gaps(world: World) -> None:
    recent = ask(world)
    newest = clock.hour_of(NOW) - 1
    assert [row.hour for row in recent.rows] == list(range(newest - 28, newest + 1))
    assert (recent.newest.hour, recent.newest.readings) == (newest, 72)
    assert (recent.rejected, recent.unreadable, recent.future_hours) == ({}, [], 0)


def test_the_steady_state_is_one_listing_one_object_and_one_read_and_write_of_the_cache(world: World) -> None:
    ask(world)
    world.write(NOW)
    world.reset_calls()
    later = NOW + timedelta(hours=1)
    assert ask(world, later).newest.hour == clock.hour_of(NOW)
    assert world.lake_storage.calls == {"list": 1, "get": 1}
    assert world.model_storage.calls == {"get": 1, "put": 1}
    world.reset_calls()
    ask(world, later + timedelta(minutes=5))
    assert world.lake_storage.calls == {"list": 1}
    assert world.model_storage.calls == {}


def test_another_container_reads_the_cache_instead_of_the_lake(world: World) -> None:
    first = ask(world)
    world.rows = world.new_rows()
    world.reset_calls()
    for calls in ({"get": 1}, {}):
        world.model_storage.calls.clear()
        assert same(ask(world), first)
        assert world.model_storage.calls == calls
    assert world.lake_storage.calls == {"list": 2}


def test_a_container_that_is_behind_takes_what_another_one_has_read(world: World) -> None:
    ask(world)
    behind = world.rows
    world.write(NOW)
    world.rows = world.new_rows()
    later = NOW + timedelta(hours=1)
    ahead = ask(world, later)
    world.rows = behind
    world.reset_calls()
    assert same(ask(world, later), ahead)
    assert world.lake_storage.calls == {"list": 1}
    assert world.model_storage.calls == {"get": 1}


def test_a_late_object_of_today_is_seen_at_once(world: World) -> None:
    first = ask(world)
    world.write(NOW - timedelta(hours=2), name="late", value=float)
    assert not same(ask(world), first)
    assert same(ask(world), rebuilt(world))


def test_rows_are_those_of_the_lake_itself(world: World) -> None:
    recent = ask(world)
    lake = world.rows._lake
    days = [lake.refresh(MachineDay(), lake.machine_day(MACHINE, NOW.date() - timedelta(days=n))) for n in (1, 0)]
    assert repr(recent.rows) == repr([hour for day in days for hour in day.hours])


def test_around_midnight_both_days_are_looked_at(world: World) -> None:
    just_after = datetime(2026, 11, 21, 0, 10, tzinfo=clock.KST)
    world.write_hours(range(2, 8), just_after)
    ask(world, just_after)
    late = world.write(just_after - timedelta(hours=1))
    assert "date=2026-11-20" in late
    world.reset_calls()
    assert ask(world, just_after + timedelta(minutes=1)).newest.hour == clock.hour_of(just_after) - 1
    assert world.lake_storage.calls == {"list": 2, "get": 1}
    world.write(just_after)
    recent = ask(world, just_after + timedelta(hours=1))
    assert recent.newest.hour == clock.first_hour(just_after.date())


def test_after_midnight_an_unchanged_day_is_not_written_again_and_again(world: World) -> None:
    night = datetime(2026, 11, 21, 1, 10, tzinfo=clock.KST)
    world.write_hours(range(1, 8), night)
    ask(world, night)
    world.reset_calls()
    for minute in range(1, 5):
        ask(world, night + timedelta(minutes=minute))
    assert world.model_storage.calls == {}


def test_a_late_object_of_a_day_that_is_over_is_found_within_hours(world: World) -> None:
    ask(world)
    world.write(NOW - timedelta(hours=31))
    assert len(ask(world, NOW + timedelta(minutes=30)).rows) == 29
    late = NOW + timedelta(hours=6, minutes=30)
    world.write(late - timedelta(hours=1))
    assert len(ask(world, late).rows) == 31


def test_a_replaced_and_a_deleted_object_change_the_rows(world: World) -> None:
    before = ask(world)
    world.write(NOW - timedelta(hours=2), value=float)
    del world.lake_storage.objects[lake_key(NOW.date(), f"{(NOW - timedelta(hours=3)):%H}")]
    recent = ask(world)
    assert len(recent.rows) == len(before.rows) - 1
    assert recent.rows[-2] != before.rows[-2]
    assert same(recent, rebuilt(world))


def test_as_many_days_are_kept_as_features_need(world: World) -> None:
    world.write_hours(range(1, vector.HISTORY_HOURS + 30, 5))
    hours = [row.hour for row in ask(world).rows]
    newest = clock.hour_of(NOW) - 1
    assert [hour for hour in hours if hour > newest - vector.HISTORY_HOURS] == [
        clock.hour_of(NOW) - age
        for age in reversed(range(1, vector.HISTORY_HOURS + 1))
        if age < 30 or (age - 1) % 5 == 0
    ]


def test_machines_in_memory_are_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitory_predict.cache.lru.MAX_MACHINES", 3)
    for number in range(6):
        machine = Machine("Z", f"E{number}")
        world.write(NOW - timedelta(hours=1), machine=machine)
        ask(world, machine=machine)
    assert [machine.equip_id for machine in world.rows._entries.machines()] == ["E3", "E4", "E5"]

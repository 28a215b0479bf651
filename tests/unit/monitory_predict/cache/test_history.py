"""A machine's recent hours: what is read when, and what the caller is told where there is nothing."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest

from monitory import clock
from monitory.errors import NoData, StaleData, StorageUnavailable
from monitory.features import vector
from monitory.history import stored_history
from monitory.history.machine_history import History
from monitory.history.stored_history import CachedHistory
from monitory.lake import MachineDay
from monitory.machine import Machine
from monitory_predict.cache import history
from tests.support.fakes import down
from tests.support.predicting import NOW, World
from tests.support.samples import MACHINE, lake_key, ndjson, reading

CACHE_KEY_START = "cache/recent/"


@pytest.fixture
def world() -> World:
    made = World()
    made.write_hours(range(1, 30))
    return made


def ask(world: World, now: datetime = NOW, machine: Machine = MACHINE) -> History:
    return world.rows.history_at(machine, now)


def cache_key(world: World) -> str:
    (key,) = [key for key in world.model_storage.objects if key.startswith(CACHE_KEY_START)]
    return key


def same(one: History, other: History) -> bool:
    return repr((one.rows, one.newest)) == repr((other.rows, other.newest))


def rebuilt(world: World) -> History:
    """What a container says that knows nothing and finds no cache."""
    fresh = World()
    fresh.lake_storage.objects = world.lake_storage.objects
    return fresh.rows.history_at(MACHINE, NOW)


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


DAMAGE = [
    b"",
    b"{",
    b"\xff\xff",
    b"\x80",
    b"\x91",
    msgspec.msgpack.encode({"days": [{"day": "2026-11-20"}]}),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_is_made_anew(world: World, damage: bytes) -> None:
    first = ask(world)
    key = cache_key(world)
    whole = world.model_storage.objects[key].body
    world.model_storage.put(key, damage)
    world.rows = world.new_rows()
    assert same(ask(world), first)
    assert world.model_storage.objects[key].body == whole


def a_row_too_short(content: MachineDay) -> MachineDay:
    first, *others = content.hours
    return msgspec.structs.replace(content, hours=(msgspec.structs.replace(first, values=first.values[:-1]), *others))


def an_hour_of_another_day(content: MachineDay) -> MachineDay:
    first, *others = content.hours
    return msgspec.structs.replace(content, hours=(msgspec.structs.replace(first, hour=first.hour - 24), *others))


def an_hour_twice(content: MachineDay) -> MachineDay:
    return msgspec.structs.replace(content, hours=(content.hours[0], *content.hours))


@pytest.mark.parametrize("spoilt", [a_row_too_short, an_hour_of_another_day, an_hour_twice])
def test_a_cache_whose_rows_are_none_is_made_anew(world: World, spoilt: Callable[[MachineDay], MachineDay]) -> None:
    before = ask(world)
    key = cache_key(world)
    memory = msgspec.msgpack.decode(world.model_storage.get(key).body, type=CachedHistory)
    *days, last = memory.days
    days.append(msgspec.structs.replace(last, content=spoilt(last.content)))
    world.model_storage.put(key, msgspec.msgpack.encode(CachedHistory(tuple(days))))
    world.rows = world.new_rows()
    assert same(ask(world), before)
    world.rows = world.new_rows()
    world.reset_calls()
    assert same(ask(world), before)
    assert "get" not in world.lake_storage.calls, "what was made anew was kept"


def test_a_cache_that_would_fill_the_memory_is_not_decoded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ask(world)
    size = len(world.model_storage.get(cache_key(world)).body)
    monkeypatch.setattr(stored_history, "MAX_CACHE_BYTES", size - 1)
    world.rows = world.new_rows()
    world.reset_calls()
    assert same(ask(world), before)
    assert world.lake_storage.calls["get"] > 0


def test_a_lost_cache_is_made_anew(world: World) -> None:
    first = ask(world)
    del world.model_storage.objects[cache_key(world)]
    assert same(world.new_rows().history_at(MACHINE, NOW), first)
    assert cache_key(world)


def test_a_lost_cache_is_made_of_what_is_held(world: World) -> None:
    first = ask(world)
    del world.model_storage.objects[cache_key(world)]
    assert same(ask(world), first)
    world.write(NOW)
    world.reset_calls()
    later = NOW + timedelta(hours=1)
    newer = ask(world, later)
    assert len(newer.rows) == len(first.rows) + 1
    assert world.lake_storage.calls == {"list": 1, "get": 1}
    assert same(world.new_rows().history_at(MACHINE, later), newer)


def test_two_containers_that_race_for_the_cache_both_answer_right(world: World) -> None:
    first, second = world.new_rows(), world.new_rows()
    first.history_at(MACHINE, NOW)
    world.write(NOW)
    later = NOW + timedelta(hours=1)
    slow_put, go = threading.Event(), threading.Event()

    def hold_one_write(verb: str, key: str) -> None:
        if verb == "put" and not slow_put.is_set():
            slow_put.set()
            go.wait(5)

    world.model_storage.before = hold_one_write
    answers: list[History] = []
    thread = threading.Thread(target=lambda: answers.append(first.history_at(MACHINE, later)))
    thread.start()
    slow_put.wait(5)
    answers.append(second.history_at(MACHINE, later))
    go.set()
    thread.join()
    assert same(*answers)
    assert same(world.new_rows().history_at(MACHINE, later), answers[0])


@pytest.mark.parametrize("verb", ["get", "put"])
def test_a_cache_that_fails_costs_only_time(world: World, verb: str) -> None:
    first = ask(world)
    world.model_storage.before = lambda used, key: down(used, key) if used == verb else None
    world.write(NOW)
    later = NOW + timedelta(hours=1)
    assert len(ask(world, later).rows) == len(first.rows) + 1
    world.rows = world.new_rows()
    assert len(ask(world, later).rows) == len(first.rows) + 1


def test_a_cache_that_hangs_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(world)
    monkeypatch.setattr("monitory_predict.cache.history.CACHE_SECONDS", 0.05)
    ended = threading.Event()

    def hang(verb: str, key: str) -> None:
        ended.wait(5)

    world.model_storage.before = hang
    assert same(ask(world), first)
    world.rows = world.new_rows()
    assert same(ask(world), first)
    ended.set()


def test_a_lake_that_fails_is_said_so(world: World) -> None:
    world.lake_storage.before = down
    with pytest.raises(StorageUnavailable):
        ask(world)


def test_readings_from_the_future_are_left_out_and_counted(world: World) -> None:
    world.write(NOW + timedelta(hours=2))
    recent = ask(world)
    assert recent.newest.hour == clock.hour_of(NOW) - 1
    assert recent.future_hours == 1


def test_a_machine_whose_clock_is_ahead_is_told_from_one_that_is_silent() -> None:
    world = World()
    world.write(NOW + timedelta(hours=2))
    with pytest.raises(NoData, match="all 1 hours with readings of ZONE-001/EQUIP-001 are in the future"):
        ask(world)


@pytest.mark.parametrize("minutes", [0, 1, 119])
def test_readings_within_the_limit_are_recent(minutes: int) -> None:
    world = World()
    world.write(NOW - timedelta(hours=1))
    last = datetime(2026, 11, 20, 11, 55, tzinfo=clock.KST)
    assert ask(world, last + timedelta(hours=3) - timedelta(minutes=minutes)).newest.readings == 72


def test_older_ones_are_stale_and_their_age_is_said() -> None:
    world = World()
    world.write(NOW - timedelta(hours=1))
    with pytest.raises(StaleData, match=r"is 4 h 26 min old \(2026-11-20T11:55:00 KST\); .*older than 3 h are not"):
        ask(world, datetime(2026, 11, 20, 16, 20, 30, tzinfo=clock.KST))


def test_a_machine_that_has_been_silent_for_days_is_told_since_when() -> None:
    world = World()
    world.write(NOW - timedelta(days=20))
    with pytest.raises(
        NoData, match=r"since 2026-10-31 \(20 days ago\); looked in s3://lake/EQUIPMENT/date=\*/zone_id"
    ):
        ask(world)


def test_an_unknown_machine_is_told_where_was_looked_and_leaves_nothing_behind() -> None:
    world = World()
    with pytest.raises(NoData, match=r"no readings of Z/E in the last 30 days; .*zone_id=Z/equip_id=E"):
        ask(world, machine=Machine("Z", "E"))
    assert world.model_storage.objects == {}


def test_a_machine_without_data_is_looked_for_in_the_newest_folders_only_until_something_turns_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = Machine("Z", "E")
    for seconds, listings in ((0.0, 30), (600.0, 30), (600.0, 1), (600.0, 1)):
        monkeypatch.setattr(history, "ABSENT_SECONDS", seconds)
        world.reset_calls()
        with pytest.raises(NoData, match="no readings of Z/E in the last 30 days"):
            ask(world, machine=nobody)
        assert world.lake_storage.calls == {"list": listings}
    world.write(NOW - timedelta(hours=1), machine=nobody)
    assert len(ask(world, machine=nobody).rows) == 1


def test_objects_in_which_nothing_is_readable_are_told_of(world: World) -> None:
    bad = lake_key(NOW.date(), "bad")
    world.lake_storage.put(bad, b"gibberish")
    assert bad in ask(world).unreadable[0]
    alone = World()
    alone.lake_storage.put(bad, b"gibberish")
    with pytest.raises(NoData, match=bad.replace(".", r"\.")):
        ask(alone)


def test_objects_without_a_wanted_reading_are_told_of() -> None:
    world = World()
    world.lake_storage.put(lake_key(NOW.date(), "dust"), ndjson([reading(sensor="dust")]))
    with pytest.raises(NoData, match="no readings of ZONE-001/EQUIP-001 in 1 objects"):
        ask(world)


def test_rejected_lines_are_those_of_the_newest_hour_s_objects(world: World) -> None:
    for hour, bad in ((NOW - timedelta(hours=1), b"x\nx\n"), (NOW - timedelta(hours=2), b"y\n")):
        key = lake_key(hour.date(), f"{hour:%H}")
        world.lake_storage.put(key, bad + world.lake_storage.objects[key].body)
    assert ask(world).rejected == {"not_json": 2}


def test_the_stored_form_is_that_of_earlier_versions(world: World) -> None:
    ask(world)
    stored = msgspec.msgpack.decode(world.model_storage.get(cache_key(world)).body)
    assert stored.keys() == {"days"}
    assert {key for day in stored["days"] for key in day} == {"day", "listed", "content"}


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

"""What the caller is told where readings are missing, old, ahead of time or unreadable."""

from datetime import datetime, timedelta

import pytest

from monitory import clock
from monitory.errors import NoData, StaleData, StorageUnavailable
from monitory.machine import Machine
from monitory_predict.cache import history
from tests.support.fakes import down
from tests.support.histories import ask
from tests.support.predicting import NOW, World
from tests.support.samples import lake_key, ndjson, reading


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

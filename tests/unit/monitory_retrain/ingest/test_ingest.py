"""Days of the lake through the cache: what is read, what is kept, and that it makes no difference to the rows."""

from datetime import timedelta

import msgspec
import pytest

from monitory.features import vector
from monitory_retrain.ingest.cache.day_cache import FOLDER
from tests.support.retrain.nights import DAYS, LAKE, MACHINES, SENSORS, World, bits
from tests.support.samples import lake_key


def test_the_first_night_reads_every_object(world: World) -> None:
    found = world.night()
    assert (found.counts.objects, found.counts.read, found.left) == (18, 18, [])
    assert len(found.table) == 18
    assert found.counts.raw_bytes == sum(len(blob.body) for blob in world.lake.objects.values())
    assert sorted(world.cache.objects) == [
        f"{FOLDER}/{vector.SCHEMA}-{SENSORS.fingerprint()}-{LAKE}/{day}.parquet" for day in DAYS
    ]


def test_the_second_night_reads_only_the_new_day(world: World) -> None:
    world.night()
    new = DAYS[-1] + timedelta(days=1)
    for machine in MACHINES:
        world.write(new, 5, machine)
    found = world.night([*DAYS[1:], new])
    assert (found.counts.objects, found.counts.read, world.lake.calls["get"]) == (14, 2, 2)
    assert world.lake.calls["list"] == 3
    assert bits(found) == world.from_scratch([*DAYS[1:], new])


def test_a_night_without_news_writes_nothing(world: World) -> None:
    first = world.night()
    world.cache.calls.clear()
    again = world.night()
    assert (again.counts.read, again.counts.raw_bytes, world.cache.calls["put"]) == (0, 0, 0)
    assert bits(again) == bits(first) == world.from_scratch()


def test_a_late_object_is_picked_up(world: World) -> None:
    world.night()
    world.write(DAYS[0], 4)
    found = world.night()
    assert (found.counts.objects, found.counts.read) == (19, 1)
    assert bits(found) == world.from_scratch()


def test_a_late_object_of_a_known_hour_joins_it(world: World) -> None:
    world.night()
    world.write(DAYS[0], 9, name="late", value=99.0)
    found = world.night()
    assert len(found.table) == 18
    assert world.lake.calls["get"] == 3  # the new one, and then both for the hour that they share
    assert bits(found) == world.from_scratch()


def test_a_replaced_object_is_read_again(world: World) -> None:
    before = world.night()
    world.write(DAYS[1], 9, MACHINES[1], value=70.0)
    found = world.night()
    assert found.counts.read == 1
    assert bits(found) == world.from_scratch() != bits(before)


def test_a_deleted_object_takes_its_hour_with_it(world: World) -> None:
    world.night()
    del world.lake.objects[world.key(DAYS[1], 9)]
    found = world.night()
    assert (len(found.table), found.counts.read) == (17, 0)
    assert bits(found) == world.from_scratch()


def test_a_machine_that_is_gone_takes_its_rows_with_it(world: World) -> None:
    world.night()
    for key in [key for key in world.lake.objects if "EQUIP-002" in key]:
        del world.lake.objects[key]
    found = world.night()
    assert found.table.machines == [MACHINES[0]]
    assert bits(found) == world.from_scratch()


def test_a_day_that_goes_on_is_never_final(world: World) -> None:
    today = DAYS[-1] + timedelta(days=1)
    for hour in range(4):
        world.write(today, hour)
        found = world.night([*DAYS, today])
        assert found.counts.read == (19 if hour == 0 else 1)
        assert len(found.table) == 19 + hour
    assert bits(found) == world.from_scratch([*DAYS, today])


def test_another_sensor_set_has_a_cache_of_its_own(world: World) -> None:
    world.night()
    other = msgspec.structs.replace(SENSORS, sensors=SENSORS.sensors[:2], power_factor=None)
    found = world.ingest(other).days(DAYS, refresh=None, in_time=lambda: True)
    assert found.counts.read == 18
    assert found.table.values.shape[1] == 14
    assert len({key.split("/")[2] for key in world.cache.objects}) == 2
    assert world.night().counts.read == 0


def test_a_raised_alert_limit_has_a_cache_of_its_own(world: World) -> None:
    world.night()
    first, *others = SENSORS.sensors
    raised = msgspec.structs.replace(SENSORS, sensors=(msgspec.structs.replace(first, high=first.high + 1), *others))
    assert world.ingest(raised).days(DAYS, refresh=None, in_time=lambda: True).counts.read == 18


def test_another_feature_schema_has_a_cache_of_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.night()
    monkeypatch.setattr(vector, "SCHEMA", vector.SCHEMA + 1)
    assert world.night().counts.read == 18


def test_refresh_reads_everything_and_mends_the_cache(world: World) -> None:
    first = world.night()
    for blob_key, blob in list(world.cache.objects.items()):
        world.cache.put(blob_key, world.cache.objects[sorted(world.cache.objects)[0]].body)
        assert blob.body
    found = world.night(refresh=world.cache.now + timedelta(seconds=1))
    assert found.counts.read == 18
    assert bits(found) == bits(first)
    assert bits(world.night()) == bits(first)


def test_unreadable_objects_are_counted_every_night_but_read_once(world: World) -> None:
    world.lake.put(lake_key(DAYS[0], "broken"), b"\xff\xfe no json\n")
    first, second = world.night(), world.night()
    assert first.counts.unreadable == second.counts.unreadable
    assert len(first.counts.unreadable) == 1
    assert second.counts.read == 0
    assert first.counts.rejected == second.counts.rejected


def test_days_without_data_are_named_and_looked_at_again(world: World) -> None:
    empty = DAYS[0] - timedelta(days=1)
    assert world.night([empty, *DAYS]).counts.days_without_data == [empty]
    world.write(empty, 3)
    found = world.night([empty, *DAYS])
    assert (found.counts.days_without_data, found.counts.read) == ([], 1)


def test_a_sample_is_spread_and_leaves_the_cache_alone(world: World) -> None:
    found = world.ingest().sample(DAYS, 6)
    assert found.counts.read == 6
    assert {hour // 24 for hour in found.table.hour.tolist()} == {
        hour // 24 for hour in world.night().table.hour.tolist()
    }
    world.cache.objects.clear()
    world.ingest().sample(DAYS, 100)
    assert not world.cache.objects

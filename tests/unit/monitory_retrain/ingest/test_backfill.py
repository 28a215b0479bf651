"""A backfill: planned, read batch by batch, and then as if one process had read it all."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from monitory.errors import StorageUnavailable
from monitory.machine import Machine
from monitory_retrain.ingest.backfill import batches
from monitory_retrain.ingest.backfill.batches import Batch
from monitory_retrain.ingest.backfill.planner import Plan
from monitory_retrain.ingest.backfill.reader import BatchRead
from monitory_retrain.ingest.cache.day_cache import FOLDER, PIECES
from tests.support.fakes import WatchedStorage
from tests.support.retrain.nights import DAYS, HOURS, MACHINES, World, bits

TODAY = DAYS[-1] + timedelta(days=1)
OTHERS = [Machine("ZONE-003", f"EQUIP-{number}") for number in range(3)]


def plan(world: World, days: list[date] = DAYS, *, today: date = TODAY, refresh: datetime | None = None) -> Plan:
    return world.planner().plan(days, today, refresh=refresh, in_time=lambda: True)


def read(world: World, batch: Batch, in_time: Callable[[], bool] = lambda: True) -> BatchRead:
    return world.reader().read(batch, in_time)


def stored(world: World, folder: str = FOLDER) -> dict[str, bytes]:
    return {key: blob.body for key, blob in world.cache.objects.items() if key.startswith(f"{folder}/")}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, world: World) -> World:
    """A world whose days take several batches."""
    monkeypatch.setattr(batches, "MAX_MACHINE_DAYS", 2)
    for machine in OTHERS:
        for day in DAYS:
            for hour in HOURS:
                world.write(day, hour, machine)
    return world


def test_batches_make_the_bits_of_one_process(small: World) -> None:
    apart = WatchedStorage("apart")
    alone = small.ingest(cache=apart).days(DAYS, refresh=None, in_time=lambda: True)
    planned = plan(small)
    assert [(batch.day, len(batch.machines)) for batch in planned.batches] == [(d, n) for d in DAYS for n in (2, 2, 1)]
    for batch in reversed(planned.batches):
        done = read(small, batch)
        assert (done.left, done.counts.read, done.counts.raw_bytes) == ([], batch.objects, batch.bytes)
    assert not stored(small)
    together = small.night()
    assert (together.counts.read, small.lake.calls["get"]) == (0, 0)
    assert bits(together) == bits(alone)
    assert together.counts.readings == alone.counts.readings
    assert stored(small) == {key: blob.body for key, blob in apart.objects.items()}, "the same bytes in the cache"


def test_after_the_days_are_stored_pieces_are_not_read_again(small: World) -> None:
    for batch in plan(small).batches:
        read(small, batch)
    first = small.night()
    small.cache.calls.clear()
    again = small.night()
    assert bits(again) == bits(first)
    assert (small.cache.calls["get"], small.cache.calls["put"]) == (len(DAYS), 0)


def test_what_is_kept_is_not_planned(world: World) -> None:
    assert [len(batch.machines) for batch in plan(world).batches] == [2, 2, 2]
    read(world, plan(world).batches[0])
    assert [batch.day for batch in plan(world).batches] == DAYS[1:]
    world.night()
    assert plan(world) == Plan([], [])


def test_a_day_that_goes_on_is_not_planned(world: World) -> None:
    assert [batch.day for batch in plan(world, today=DAYS[-1]).batches] == DAYS[:-1]


def test_what_is_new_of_a_machine_that_was_read_is_left_to_the_night(world: World) -> None:
    world.night()
    world.write(DAYS[0], 12)
    assert plan(world).batches == []
    night = world.night()
    assert night.counts.read == 1
    assert bits(night) == world.from_scratch()


def test_a_plan_that_is_out_of_time_says_which_days_it_did_not_look_at(world: World) -> None:
    planned = world.planner().plan(DAYS, TODAY, refresh=None, in_time=lambda: False)
    assert ([batch.day for batch in planned.batches], planned.left) == (DAYS[:1], DAYS[1:])


def test_a_manifest_has_an_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_BATCHES", 1)
    planned = plan(world)
    assert ([batch.day for batch in planned.batches], planned.left) == (DAYS[:1], DAYS[1:])


def test_a_batch_that_is_delivered_twice_is_read_once(world: World) -> None:
    batch = plan(world).batches[0]
    first = read(world, batch)
    written = stored(world, PIECES)
    world.cache.calls.clear()
    again = read(world, batch)
    assert (again.counts.read, world.cache.calls["put"]) == (0, 0)
    assert (again.counts.objects, again.counts.readings) == (first.counts.objects, first.counts.readings)
    assert stored(world, PIECES) == written


def test_two_deliveries_at_once_write_the_same_bytes(world: World) -> None:
    batch = plan(world).batches[0]
    read(world, batch)
    ((key, first),) = stored(world, PIECES).items()
    del world.cache.objects[key]
    read(world, batch)
    assert stored(world, PIECES) == {key: first}


def test_out_of_time_a_batch_keeps_what_it_has_read_and_names_the_rest(world: World) -> None:
    batch = plan(world).batches[0]
    answers = iter([True, False])
    stopped = read(world, batch, lambda: next(answers))
    assert (stopped.left, stopped.counts.read) == (MACHINES[1:], len(HOURS))
    going_on = read(world, batch)
    assert (going_on.left, going_on.counts.read) == ([], len(HOURS))
    assert bits(world.night()) == world.from_scratch()


def test_a_batch_whose_store_fails_has_stored_nothing_and_can_be_repeated(world: World) -> None:
    batch = plan(world).batches[0]
    failing = world.key(DAYS[0], HOURS[-1], MACHINES[1])

    def fail(verb: str, key: str) -> None:
        if key == failing:
            raise StorageUnavailable(key)

    world.lake.before = fail
    with pytest.raises(StorageUnavailable):
        read(world, batch)
    assert not world.cache.objects
    world.lake.before = lambda verb, key: None
    assert read(world, batch).left == []
    assert bits(world.night()) == world.from_scratch()


def test_a_batch_that_nobody_read_is_read_by_the_night(small: World) -> None:
    planned = plan(small).batches
    for batch in planned[1:]:
        read(small, batch)
    night = small.night()
    assert night.counts.read == planned[0].objects
    assert bits(night) == small.from_scratch()


def test_an_object_in_which_nothing_is_readable_costs_itself_only(world: World) -> None:
    poisoned = world.key(DAYS[0], HOURS[0])
    world.lake.put(poisoned, b"\x00\xffno reading at all\n" * 50)
    done = read(world, plan(world).batches[0])
    assert (done.left, done.counts.objects) == ([], 2 * len(HOURS))
    assert [message for message in done.counts.unreadable if poisoned in message]
    night = world.night()
    assert (night.counts.read, len(night.counts.unreadable)) == (2 * 2 * len(HOURS), 1)
    assert bits(night) == world.from_scratch()


def test_an_object_that_changes_after_it_was_read_is_read_again_by_the_night(world: World) -> None:
    for batch in plan(world).batches:
        read(world, batch)
    world.write(DAYS[1], HOURS[1], value=70.0)
    night = world.night()
    assert night.counts.read == 1
    assert bits(night) == world.from_scratch()


def test_machines_and_objects_that_are_gone_are_no_part_of_a_batch(world: World) -> None:
    batch = plan(world).batches[0]
    for hour in HOURS:
        del world.lake.objects[world.key(DAYS[0], hour, MACHINES[1])]
    del world.lake.objects[world.key(DAYS[0], HOURS[0])]
    done = read(world, batch)
    assert (done.left, done.counts.objects) == ([], len(HOURS) - 1)
    assert bits(world.night()) == world.from_scratch()


def test_a_refresh_plans_and_reads_what_was_stored_before(world: World) -> None:
    for batch in plan(world).batches:
        read(world, batch)
    world.night()
    since = world.cache.now.replace(tzinfo=UTC) + timedelta(seconds=1)
    assert plan(world).batches == []
    planned = plan(world, refresh=since).batches
    assert {batch.refresh for batch in planned} == {since}
    world.cache.now = since + timedelta(seconds=1)
    for batch in planned:
        assert read(world, batch).counts.read == batch.objects
        assert read(world, batch).counts.read == 0, "by this refresh it was read"
    assert plan(world, refresh=since).batches == []
    night = world.night(refresh=since)
    assert night.counts.read == 0
    assert bits(night) == world.from_scratch()


def test_history_takes_days_that_only_batches_have_read_and_stores_them_whole(small: World) -> None:
    for batch in plan(small).batches:
        read(small, batch)
    history = small.ingest().history(DAYS[0], DAYS[2], 10_000, lambda: True)
    assert len(history) == 2 * 5 * len(HOURS)
    assert len(stored(small)) == 2
    small.cache.calls.clear()
    assert len(small.ingest().history(DAYS[0], DAYS[2], 10_000, lambda: True)) == len(history)
    assert (small.cache.calls["get"], small.cache.calls["put"]) == (2, 0)


def test_a_damaged_piece_is_read_again(world: World) -> None:
    batch = plan(world).batches[0]
    read(world, batch)
    ((key, _),) = stored(world, PIECES).items()
    world.cache.put(key, b"PAR1")
    assert [again.name for again in plan(world, DAYS[:1]).batches] == [batch.name]
    assert read(world, batch).counts.read == batch.objects
    assert bits(world.night()) == world.from_scratch()

"""A run that ends early, is disturbed or dies loses no finished day."""

from datetime import timedelta

import pytest

from monitory.errors import StorageUnavailable
from tests.support.retrain.nights import DAYS, MACHINES, World, bits


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"no parquet at all" * 99])
def test_a_damaged_cache_is_made_anew(world: World, damage: bytes) -> None:
    first = world.night()
    damaged = sorted(world.cache.objects)[1]
    world.cache.put(damaged, damage)
    found = world.night()
    assert found.counts.read == 6
    assert bits(found) == bits(first)
    assert world.night().counts.read == 0


def test_out_of_time_leaves_days_for_the_next_run(world: World) -> None:
    answers = iter([True] * 3 + [False])  # a day and each of its machines
    stopped = world.night(in_time=lambda: next(answers))
    assert stopped.left == DAYS[1:]
    assert stopped.counts.read == 6
    going_on = world.night()
    assert (going_on.left, going_on.counts.read) == ([], 12)
    assert bits(going_on) == world.from_scratch()


def test_out_of_time_within_a_day_keeps_the_machines_that_were_read(world: World) -> None:
    answers = iter([True] * 5 + [False])
    stopped = world.night(in_time=lambda: next(answers))
    assert (stopped.left, stopped.counts.read) == (DAYS[1:], 9)
    going_on = world.night()
    assert (going_on.left, going_on.counts.read) == ([], 9)
    assert bits(going_on) == world.from_scratch()


def test_out_of_time_before_the_first_machine_of_a_day_says_nothing_of_the_day(world: World) -> None:
    answers = iter([True, False])
    stopped = world.night(in_time=lambda: next(answers))
    assert (stopped.left, stopped.counts.read, stopped.counts.days_without_data) == (DAYS, 0, [])
    assert not world.cache.objects


def test_out_of_time_leaves_a_machine_with_news_for_the_next_run(world: World) -> None:
    world.night()
    for machine in MACHINES:
        world.write(DAYS[0], 9, machine, value=70.0)
    answers = iter([True, True, False])
    stopped = world.night(in_time=lambda: next(answers))
    assert (stopped.left, stopped.counts.read) == (DAYS, 1)
    going_on = world.night()
    assert (going_on.left, going_on.counts.read) == ([], 1)
    assert bits(going_on) == world.from_scratch()


def test_a_refresh_goes_on_where_it_stopped(world: World) -> None:
    world.night()
    since = world.cache.now + timedelta(seconds=1, microseconds=5)
    answers = iter([True] * 5 + [False])  # two days and a machine of the second one
    stopped = world.night(refresh=since, in_time=lambda: next(answers))
    assert (stopped.left, stopped.counts.read) == (DAYS[1:], 9)
    going_on = world.night(refresh=since)
    assert (going_on.left, going_on.counts.read) == ([], 9)
    assert world.night(refresh=since).counts.read == 0
    assert bits(going_on) == world.from_scratch()


def test_a_day_that_comes_back_damaged_ends_the_run_with_its_name(world: World) -> None:
    def damages(verb: str, key: str) -> None:
        if verb == "get" and key in world.cache.objects:
            world.cache.objects[key] = world.cache.objects[key]._replace(body=b"PAR1")

    world.cache.before = damages
    with pytest.raises(StorageUnavailable, match=f"{DAYS[0]}.parquet is damaged"):
        world.night()
    world.cache.before = lambda verb, key: None
    going_on = world.night()
    assert bits(going_on) == world.from_scratch()


@pytest.mark.parametrize("lost", [True, False])
def test_a_day_that_another_run_wrote_or_lost_meanwhile_is_left_for_the_next_run(world: World, lost: bool) -> None:
    def interferes(verb: str, key: str) -> None:
        if verb == "put" and key.endswith(f"{DAYS[2]}.parquet"):
            kept = world.cache.objects.pop(first)
            if not lost:
                world.cache.put(first, kept.body + b" ")

    world.night()
    first = min(world.cache.objects)
    world.cache.before = interferes
    stopped = world.night(refresh=world.cache.now + timedelta(seconds=1))
    assert (stopped.left, len(stopped.table)) == ([DAYS[0]], 0)
    world.cache.before = lambda verb, key: None
    going_on = world.night()
    assert (going_on.left, bits(going_on)) == ([], world.from_scratch())


@pytest.mark.parametrize("reads", [1, 6, 7, 13])
def test_a_run_that_dies_loses_no_finished_day(world: World, reads: int) -> None:
    left = reads

    def dies(verb: str, key: str) -> None:
        nonlocal left
        left -= verb == "get"
        if left < 0:
            raise StorageUnavailable("gone")

    world.lake.before = dies
    with pytest.raises(StorageUnavailable):
        world.night()
    world.lake.before = lambda verb, key: None
    again = world.night()
    assert again.counts.read == 18 - reads // 6 * 6
    assert bits(again) == world.from_scratch()

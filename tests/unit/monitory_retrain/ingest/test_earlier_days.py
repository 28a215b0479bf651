"""History: what is cached of the days before the range."""

from datetime import date, timedelta

from monitory.clock import first_hour
from monitory_retrain.ingest.cache.day_cache import FOLDER
from monitory_retrain.ingest.counts import Counts
from monitory_retrain.ingest.ingest import Ingested
from tests.support.retrain.nights import DAYS, FIRST_DAY, HOURS, MACHINES, World, bits


def test_history_is_what_is_cached_of_earlier_days_and_reads_nothing_raw(world: World) -> None:
    world.night(DAYS[:2])
    world.lake.calls.clear()
    table = world.ingest().history(FIRST_DAY - timedelta(days=90), DAYS[2], 1000, lambda: True)
    assert not world.lake.calls
    assert bits(Ingested(table, Counts(), [])) == world.from_scratch(DAYS[:2])


def test_history_ends_where_the_range_begins_and_at_its_first_date(world: World) -> None:
    world.night()
    ingest = world.ingest()
    rows = len(MACHINES) * len(HOURS)
    assert len(ingest.history(FIRST_DAY, DAYS[2], 1000, lambda: True)) == 2 * rows
    assert len(ingest.history(DAYS[1], DAYS[2], 1000, lambda: True)) == rows
    assert len(ingest.history(DAYS[2], DAYS[2], 1000, lambda: True)) == 0


def test_history_keeps_its_newest_days_where_there_is_no_room_or_no_time_for_all(world: World) -> None:
    world.night()
    ingest, rows = world.ingest(), len(MACHINES) * len(HOURS)
    room = ingest.history(FIRST_DAY, DAYS[2], rows, lambda: True)
    late = ingest.history(FIRST_DAY, DAYS[2], 1000, iter([True, False]).__next__)
    newest = first_hour(DAYS[1])
    for table in (room, late):
        assert len(table) == rows
        assert table.hour.min() >= newest
    assert len(ingest.history(FIRST_DAY, DAYS[2], 0, lambda: True)) == 0


def test_objects_that_are_no_days_have_no_part_in_the_history(world: World) -> None:
    world.night(DAYS[:1])
    folder = next(iter(world.cache.list(FOLDER))).key.rpartition("/")[0]
    world.cache.put(f"{folder}/notes.txt", b"mine")
    world.cache.put(f"{folder}/2026-13-01.parquet", b"no date")
    assert len(world.ingest().history(date(2026, 1, 1), DAYS[2], 1000, lambda: True)) == len(MACHINES) * len(HOURS)

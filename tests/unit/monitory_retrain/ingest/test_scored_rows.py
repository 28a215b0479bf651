"""A night beside the score function: it reads what scoring has not, and a sample of what it has."""

from datetime import datetime, timedelta

import msgspec
import pytest

from monitory import clock
from monitory.features.hour_row import HourRow
from monitory.history.history_store import HistoryStore
from monitory.history.machine_history import refreshed_days
from monitory.history.stored_history import CachedHistory
from monitory.lake import Lake
from monitory.log import Logger
from monitory_retrain.ingest.backfill.planner import Planner
from monitory_retrain.ingest.backfill.reader import BatchReader
from monitory_retrain.ingest.ingest import Ingest, Ingested
from monitory_retrain.ingest.lake_config import ScoredRowsConfig
from tests.support.fakes import WatchedStorage, down
from tests.support.retrain.nights import DAYS, MACHINES, SENSORS, MemorySource, World, bits

LOG = Logger(service="test-retrain", level="CRITICAL")


class Rows(ScoredRowsConfig):
    """The score function's rows in memory."""

    def store(self, lake: Lake) -> HistoryStore:
        return HistoryStore(MemorySource.storages[self.bucket], lake, LOG)


class ScoredWorld(World):
    """The lake, its cache, and the rows that the score function keeps."""

    def score(self) -> None:
        """Keep the rows of every object."""
        rows = MemorySource.storages.setdefault("rows", WatchedStorage("rows"))
        lake = Lake(self.lake, "EQUIPMENT/", SENSORS)
        store = HistoryStore(rows, lake, LOG)
        for machine in MACHINES:
            stored = store.read(machine)
            listed = {day: lake.machine_day(machine, day) for day in DAYS}
            now = clock.aware(datetime.combine(DAYS[-1] + timedelta(days=1), datetime.min.time()))
            days = refreshed_days(lake, stored.history.by_date(), listed, now)
            store.write(machine, stored.etag, CachedHistory(tuple(days.values())))
        self.lake.calls.clear()

    def ingest_beside(self, verify_one_in: int = 0) -> Ingest:
        return Ingest(self.source_beside(verify_one_in), self.cache, LOG, 1)

    def source_beside(self, verify_one_in: int = 0) -> MemorySource:
        MemorySource.storages["lake"] = self.lake
        return MemorySource("lake", "", "EQUIPMENT/", SENSORS, scored_rows=Rows("rows", "", verify_one_in))

    def night_beside(self, verify_one_in: int = 0, refresh: datetime | None = None) -> Ingested:
        return self.ingest_beside(verify_one_in).days(DAYS, refresh=refresh, in_time=lambda: True)

    def falsify(self) -> None:
        """Change the stored rows of the first machine."""
        lake = Lake(self.lake, "EQUIPMENT/", SENSORS)
        store = HistoryStore(MemorySource.storages["rows"], lake, LOG)
        stored = store.read(MACHINES[0])
        days = []
        for day in stored.history.days:
            rows = tuple(HourRow(row.hour, (9.0, *row.values[1:]), row.readings, row.last) for row in day.content.hours)
            days.append(msgspec.structs.replace(day, content=msgspec.structs.replace(day.content, hours=rows)))
        store.write(MACHINES[0], stored.etag, CachedHistory(tuple(days)))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> ScoredWorld:
    monkeypatch.setattr(MemorySource, "storages", {})
    made = ScoredWorld()
    made.score()
    return made


def test_a_night_reads_nothing_raw_and_has_the_bits_of_a_rebuild(world: ScoredWorld) -> None:
    night = world.night_beside()
    assert (night.counts.objects, night.counts.read, night.counts.raw_bytes) == (18, 0, 0)
    assert world.lake.calls["get"] == 0
    assert bits(night) == world.from_scratch()


def test_only_what_scoring_lacks_is_read(world: ScoredWorld) -> None:
    world.write(DAYS[1], 12)
    world.write(DAYS[2], 9, MACHINES[1], value=60.0)  # replaced
    night = world.night_beside()
    assert (night.counts.read, world.lake.calls["get"]) == (2, 2)
    assert bits(night) == world.from_scratch()


def test_an_object_that_is_gone_is_gone(world: ScoredWorld) -> None:
    del world.lake.objects[world.key(DAYS[0], 9)]
    night = world.night_beside()
    assert (night.counts.objects, night.counts.read) == (17, 0)
    assert bits(night) == world.from_scratch()


def test_an_hour_that_two_objects_share_is_the_same(world: ScoredWorld) -> None:
    world.write(DAYS[1], 9, name="b", value=70.0)
    world.score()
    night = world.night_beside()
    assert bits(night) == world.from_scratch()


def test_the_next_night_takes_its_own_cache(world: ScoredWorld) -> None:
    world.night_beside()
    MemorySource.storages["rows"].calls.clear()
    night = world.night_beside()
    assert (night.counts.read, MemorySource.storages["rows"].calls["get"]) == (0, 0)
    assert bits(night) == world.from_scratch()


def test_a_sample_is_read_again_and_is_the_same(world: ScoredWorld) -> None:
    night = world.night_beside(verify_one_in=3)
    assert 0 < night.counts.verified < 18
    assert (night.counts.read, night.counts.differing) == (night.counts.verified, [])
    assert bits(night) == world.from_scratch()


def test_every_object_may_be_read_again(world: ScoredWorld) -> None:
    night = world.night_beside(verify_one_in=1)
    assert (night.counts.read, night.counts.verified) == (18, 18)


def test_rows_that_are_not_those_of_their_objects_are_named_and_not_used(world: ScoredWorld) -> None:
    world.falsify()
    night = world.night_beside(verify_one_in=1)
    assert sorted(night.counts.differing) == sorted(world.key(day, hour) for day in DAYS for hour in (0, 9, 23))
    assert bits(night) == world.from_scratch()


@pytest.mark.parametrize("damage", [b"", b"damaged"])
def test_damaged_rows_are_not_used(world: ScoredWorld, damage: bytes) -> None:
    rows = MemorySource.storages["rows"]
    for key in list(rows.objects):
        rows.put(key, damage)
    night = world.night_beside()
    assert night.counts.read == 18
    assert bits(night) == world.from_scratch()


def test_rows_that_cannot_be_read_cost_reading_the_objects(world: ScoredWorld) -> None:
    MemorySource.storages["rows"].before = down
    night = world.night_beside()
    assert night.counts.read == 18
    assert bits(night) == world.from_scratch()


def test_whoever_asks_for_a_rebuild_gets_one(world: ScoredWorld) -> None:
    night = world.night_beside(refresh=clock.now() + timedelta(days=1))
    assert night.counts.read == 18


def test_without_scoring_everything_is_read(world: ScoredWorld) -> None:
    MemorySource.storages["rows"].objects.clear()
    assert world.night_beside().counts.read == 18


def test_what_is_scored_is_not_planned_to_be_read(world: ScoredWorld) -> None:
    planner = Planner(world.source_beside(), world.cache, LOG)
    today = DAYS[-1] + timedelta(days=1)
    assert planner.plan(DAYS, today, refresh=None, in_time=lambda: True).batches == []
    world.write(DAYS[1], 5)
    (batch,) = planner.plan(DAYS, today, refresh=None, in_time=lambda: True).batches
    assert (batch.day, batch.owners, batch.objects) == (DAYS[1], MACHINES[:1], 4)
    done = BatchReader(world.source_beside(), world.cache, LOG).read(batch, lambda: True)
    assert (done.counts.objects, done.counts.read) == (4, 1), "the scored rows stand for the other objects"
    assert bits(world.night_beside()) == world.from_scratch()


def test_without_scored_rows_a_plan_is_of_all_objects(world: ScoredWorld) -> None:
    MemorySource.storages["rows"].before = down
    planner = Planner(world.source_beside(), world.cache, LOG)
    planned = planner.plan(DAYS, DAYS[-1] + timedelta(days=1), refresh=None, in_time=lambda: True)
    assert sum(batch.objects for batch in planned.batches) == 18

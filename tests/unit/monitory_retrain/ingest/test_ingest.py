"""Days of the lake through the cache: what is read, what is kept, and that it makes no difference to the rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import msgspec
import pytest

from monitory import sensors
from monitory.clock import first_hour
from monitory.errors import StorageUnavailable
from monitory.features import vector
from monitory.lake import Lake
from monitory.layout.lake_layout import DEFAULT_LAYOUT
from monitory.log import logger
from monitory.machine import Machine
from monitory.sensors import SensorSet
from monitory.settings import Settings
from monitory_retrain.ingest import workers
from monitory_retrain.ingest.counts import Counts
from monitory_retrain.ingest.day_cache import FOLDER
from monitory_retrain.ingest.ingest import Ingest, Ingested
from monitory_retrain.ingest.kernels import VECTORISED
from tests.support.fakes import WatchedStorage
from tests.support.samples import hour_of_readings, lake_key, ndjson

FIRST_DAY = date(2026, 11, 18)
DAYS = [FIRST_DAY, FIRST_DAY + timedelta(days=1), FIRST_DAY + timedelta(days=2)]
MACHINES = [Machine("ZONE-001", "EQUIP-001"), Machine("ZONE-002", "EQUIP-002")]
HOURS = (0, 9, 23)
SENSORS = sensors.load()


LAKE = DEFAULT_LAYOUT.fingerprint("lake", "EQUIPMENT/")


class MemorySource(workers.LakeConfig):
    """A lake in memory."""

    storages: dict[str, WatchedStorage] = {}  # noqa: RUF012 -- a tuple has no place for it

    def lake(self) -> Lake:
        return Lake(self.storages[self.bucket], self.prefix, self.sensors, VECTORISED)


@dataclass
class World:
    """A lake of two machines and three days, and its cache."""

    lake: WatchedStorage = field(default_factory=lambda: WatchedStorage("lake"))
    cache: WatchedStorage = field(default_factory=lambda: WatchedStorage("cache"))

    def __post_init__(self) -> None:
        for day in DAYS:
            for machine in MACHINES:
                for hour in HOURS:
                    self.write(day, hour, machine)

    def write(
        self, day: date, hour: int, machine: Machine = MACHINES[0], *, name: str = "a", value: float = 50.0
    ) -> None:
        start = datetime.combine(day, datetime.min.time()) + timedelta(hours=hour)
        lines = hour_of_readings(start, machine=machine, value=lambda n: value + (n * 7 + hour) % 5 / 3)
        self.lake.put(lake_key(day, f"{name}-{hour:02d}", machine), ndjson(lines))

    def key(self, day: date, hour: int, machine: Machine = MACHINES[0]) -> str:
        return lake_key(day, f"a-{hour:02d}", machine)

    def ingest(self, sensor_set: SensorSet = SENSORS, cache: WatchedStorage | None = None) -> Ingest:
        MemorySource.storages["lake"] = self.lake
        source = MemorySource("lake", "", "EQUIPMENT/", sensor_set)
        log = logger("test", Settings(log_level="CRITICAL"))
        return Ingest(source, self.cache if cache is None else cache, log, 1)

    def night(
        self, days: list[date] = DAYS, *, refresh: datetime | None = None, in_time: Callable[[], bool] = lambda: True
    ) -> Ingested:
        self.lake.calls.clear()
        return self.ingest().days(days, refresh=refresh, in_time=in_time)

    def from_scratch(self, days: list[date] = DAYS) -> bytes:
        """The rows that a night without any cache would have."""
        return bits(self.ingest(cache=WatchedStorage()).days(days, refresh=None, in_time=lambda: True))


@pytest.fixture
def world() -> World:
    return World()


def bits(found: Ingested) -> bytes:
    rows = found.table
    parts = (rows.machine, rows.hour, rows.values, rows.readings, rows.last)
    return repr(rows.machines).encode() + b"".join(part.tobytes() for part in parts)


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


# -- history ---------------------------------------------------------------------------------------------------


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

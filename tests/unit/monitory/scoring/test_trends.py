"""The stored trends: what a point stands for, how runs add to them, what damage costs."""

import gzip

import msgspec
import pytest

from monitory.errors import StorageUnavailable
from monitory.scoring import trends
from monitory.scoring.fleet import MachineState, recent_points
from monitory.scoring.trends import KEEP_HOURS, TrendPoint, Trends, thinned
from tests.support.fakes import MemoryStorage, WatchedStorage, beside

LAKE = "1a2b3c4d"
NAME = "ZONE-001/EQUIP-001"
NOW = 498_720


def point(hour: int, days: float = 4.0) -> TrendPoint:
    return TrendPoint(hour, days, 2.5, 6.0, "vibration", -1.5)


def hours(storage: MemoryStorage, name: str = NAME) -> list[int]:
    return [one.hour for one in trends.state_object(LAKE).read(storage).value.points(name)]


def test_of_six_hours_the_earliest_stays_and_of_one_hour_the_later_answer() -> None:
    kept = thinned([point(8), point(14), point(7, 5.0), point(7, 4.5), point(12), point(9)])
    assert [(one.hour, one.days) for one in kept] == [(7, 4.5), (12, 4.0)]


def test_points_are_added_once_and_in_order() -> None:
    storage = MemoryStorage()
    trends.add(storage, LAKE, {NAME: [point(NOW - 12)]}, NOW)
    trends.add(storage, LAKE, {NAME: [point(NOW - 12), point(NOW - 6), point(NOW)], "ZONE-002/B": [point(NOW)]}, NOW)
    before = storage.objects[trends.state_object(LAKE).key].body
    trends.add(storage, LAKE, {NAME: [point(NOW)]}, NOW)
    assert storage.objects[trends.state_object(LAKE).key].body == before
    assert hours(storage) == [NOW - 12, NOW - 6, NOW]
    assert trends.state_object(LAKE).read(storage).value.points(NAME)[-1] == point(NOW)


def test_a_month_is_kept_and_a_machine_without_a_point_in_it_is_left_out() -> None:
    storage = MemoryStorage()
    trends.add(storage, LAKE, {NAME: [point(NOW), point(NOW + 6)], "ZONE-002/GONE": [point(NOW)]}, NOW + 6)
    later = NOW + KEEP_HOURS + 1
    trends.add(storage, LAKE, {NAME: [point(later)]}, later)
    assert hours(storage) == [NOW + 6, later]
    assert set(trends.state_object(LAKE).read(storage).value.machines) == {NAME}


def test_a_writer_that_another_one_overtakes_adds_to_what_that_one_wrote() -> None:
    storage = WatchedStorage()
    other = beside(storage)
    races = iter([{"ZONE-002/B": [point(NOW)]}])

    def other_first(verb: str, key: str) -> None:
        if verb == "put" and (added := next(races, None)):
            trends.add(other, LAKE, added, NOW)

    storage.before = other_first
    trends.add(storage, LAKE, {NAME: [point(NOW)]}, NOW)
    assert hours(storage) == hours(storage, "ZONE-002/B") == [NOW]


def test_trends_that_always_change_are_given_up() -> None:
    storage = WatchedStorage()
    storage.put(trends.state_object(LAKE).key, b"")
    storage.before = lambda verb, key: _change(storage, key) if verb == "put" else None
    with pytest.raises(StorageUnavailable, match="changes whenever"):
        trends.add(storage, LAKE, {NAME: [point(NOW)]}, NOW)


def _change(storage: WatchedStorage, key: str) -> None:
    beside(storage).put(key, storage.objects[key].body + b"x")


@pytest.mark.parametrize(
    "body",
    [b"damaged", b"", gzip.compress(b'{"machines":[]}'), gzip.compress(b"{")[:-4]],
    ids=["no gzip", "empty", "another type", "cut"],
)
def test_a_damaged_object_is_replaced(body: bytes) -> None:
    storage = MemoryStorage()
    storage.put(trends.state_object(LAKE).key, body)
    assert hours(storage) == []
    trends.add(storage, LAKE, {NAME: [point(NOW - 6), point(NOW)]}, NOW)
    assert hours(storage) == [NOW - 6, NOW]


@pytest.mark.parametrize("damaged", [b"null", b'[["x"]]', b"7", b'{"hour":1}'])
def test_one_machines_damaged_points_cost_that_machine_only(damaged: bytes) -> None:
    stored = Trends({NAME: msgspec.Raw(damaged), "ZONE-002/B": msgspec.Raw(b"[[498720,4.0]]")})
    assert stored.points(NAME) == ()
    merged = trends.merge(stored, {NAME: [point(NOW)]}, NOW)
    assert merged.points("ZONE-002/B") == (TrendPoint(NOW, 4.0),)
    assert merged.points(NAME) == (point(NOW),)


def test_the_fleet_state_has_the_points_of_a_day() -> None:
    state = MachineState(points=recent_points(point(hour) for hour in range(NOW - 60, NOW + 3)))
    assert [one.hour for one in state.points] == [NOW - 18, NOW - 12, NOW - 6, NOW]
    assert msgspec.json.decode(msgspec.json.encode(state), type=MachineState) == state
    assert recent_points([]) == ()

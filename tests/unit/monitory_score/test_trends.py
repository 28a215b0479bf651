"""What a run of scoring writes into the trends, and when."""

import gzip
from datetime import timedelta

import msgspec
import pytest

from monitory import clock
from monitory.machine import Machine
from monitory.scoring import fleet, prediction_log, trends
from monitory.scoring.trends import TrendPoint
from tests.support.fakes import down
from tests.support.predicting import NOW, V1, World
from tests.support.samples import MACHINE
from tests.support.scoring import LAKE, answer_of, score, state_of

OTHER = Machine("ZONE-002", "EQUIP-002")
HOUR = timedelta(hours=1)
NEWEST = clock.hour_of(NOW) - 1
KEY = trends.state_object(LAKE).key


@pytest.fixture
def world() -> World:
    made = World()
    made.write_hours(range(1, 30))
    made.write(NOW - HOUR, machine=OTHER)
    made.promote(V1)
    score(made)
    return made


def points(world: World, machine: Machine = MACHINE) -> tuple[TrendPoint, ...]:
    return trends.state_object(LAKE).read(world.model_storage).value.points(str(machine))


def score_hours(world: World, *ahead: int) -> None:
    """Write hours so many after the newest, and score each."""
    for hours in ahead:
        world.write(NOW + (hours - 1) * HOUR)
        score(world, NOW + hours * HOUR)


def test_a_point_is_what_the_answer_says(world: World) -> None:
    answer = answer_of(world.model_storage, OTHER)
    (point,) = points(world, OTHER)
    assert point == TrendPoint(
        NEWEST,
        round(answer["predictions"][0], 2),
        answer["interval"]["low"],
        answer["interval"]["high"],
        *next(((one["sensor"], round(one["days"], 2)) for one in answer["drivers"] if one["days"] < 0), ("", 0.0)),
    )


def test_a_machine_has_a_point_for_each_six_hours_and_each_is_written_once(world: World) -> None:
    writes = []
    world.model_storage.before = lambda verb, key: writes.append(key) if verb == "put" and key == KEY else None
    score_hours(world, *range(1, 9))
    # the first run scored two hours, and noon and six o'clock came later
    assert [point.hour for point in points(world)] == [NEWEST - 1, NEWEST + 1, NEWEST + 7]
    assert [clock.hour_start(point.hour).hour for point in points(world)][1:] == [12, 18]
    assert len(writes) == 2


def test_a_machine_without_new_hours_keeps_its_points(world: World) -> None:
    score_hours(world, 1, 7)
    assert [point.hour for point in points(world, OTHER)] == [NEWEST]


@pytest.mark.parametrize("verb", ["get", "put"])
def test_trends_that_cannot_be_written_are_made_up_for_at_the_next_six_hours(world: World, verb: str) -> None:
    world.model_storage.before = lambda used, key: down(used, key) if (used, key) == (verb, KEY) else None
    score_hours(world, 1)
    assert state_of(world.model_storage, MACHINE).hour == NEWEST + 1, "it is scored all the same"
    world.model_storage.before = lambda used, key: None
    score_hours(world, 2)
    assert [point.hour for point in points(world)] == [NEWEST - 1]
    score_hours(world, 7)
    assert [point.hour for point in points(world)] == [NEWEST - 1, NEWEST + 1, NEWEST + 7]


@pytest.mark.parametrize("body", [None, b"damaged"])
def test_trends_that_are_gone_or_damaged_are_made_again_from_the_log(world: World, body: bytes | None) -> None:
    score_hours(world, *range(1, 40))
    before = points(world)
    assert len(before) == 8
    del world.model_storage.objects[KEY]
    if body:
        world.model_storage.put(KEY, body)
    score_hours(world, 43)
    made_again = points(world)
    # the hours before noon are not in it: the log is asked for the first hour of each six
    assert made_again == (*before[1:], made_again[-1])
    assert made_again[-1].hour == NEWEST + 43
    assert points(world, OTHER) == ()


def test_hours_of_the_log_that_are_damaged_or_cannot_be_read_cost_no_more_than_their_points(world: World) -> None:
    score_hours(world, *range(1, 40))
    before = points(world)
    del world.model_storage.objects[KEY]
    world.model_storage.put(prediction_log.key(LAKE, NEWEST + 1), b"damaged")
    world.model_storage.put(prediction_log.key(LAKE, NEWEST + 7), gzip.compress(b"{}"))
    score_hours(world, 43)
    assert points(world)[:-1] == before[3:]


def test_a_state_of_an_older_version_gets_the_trend_that_its_log_tells(world: World) -> None:
    score_hours(world, 1, 2, 7)
    del world.model_storage.objects[KEY]
    present = fleet.state_object(LAKE)
    stored = present.read(world.model_storage)
    former = {
        name: msgspec.Raw(msgspec.json.encode(msgspec.structs.replace(state, points=())))
        for name, state in stored.value.all_machines().items()
    }
    present.write(world.model_storage, msgspec.structs.replace(stored.value, machines=former), stored.etag)
    score_hours(world, 8)
    assert [point.hour for point in points(world)] == [NEWEST + 1, NEWEST + 7]


def test_the_fleet_state_names_the_limits_of_the_alerts(world: World) -> None:
    assert fleet.state_object(LAKE).read(world.model_storage).value.limits_days == (5.0, 3.0)

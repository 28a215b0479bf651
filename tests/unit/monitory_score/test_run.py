"""What a run of scoring reads and writes, and what the next one makes of it."""

from datetime import datetime, timedelta

import pytest

from monitory import clock
from monitory.errors import PreconditionFailed, StorageUnavailable
from monitory.features.hour_row import HourRow
from monitory.machine import Machine
from monitory.scoring import fleet
from monitory.scoring.answer import predict_response
from tests.support.fakes import down
from tests.support.predicting import NOW, V1, V2, World
from tests.support.samples import MACHINE, lake_key
from tests.support.scoring import LAKE, answer_of, log_lines, logged, new_run, score, state_of

OTHER = Machine("ZONE-002", "EQUIP-002")
HOUR = timedelta(hours=1)
NEWEST = clock.hour_of(NOW) - 1


@pytest.fixture
def world() -> World:
    made = World()
    made.write_hours(range(1, 30))
    for age in range(1, 5):
        made.write(NOW - age * HOUR, machine=OTHER)
    made.promote(V1)
    return made


def without_age(answer: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in answer.items() if name not in {"data_age_minutes", "scored_at"}}


def test_every_machine_has_the_answer_that_predict_computes(world: World) -> None:
    summary = score(world)
    assert (summary.machines, summary.scored, summary.failed, summary.left) == (2, 2, 0, 0)
    assert summary.read == 33
    for machine in (MACHINE, OTHER):
        expected = predict_response(world.service.predict(machine, NOW)).model_dump(mode="json")
        assert without_age(answer_of(world.model_storage, machine)) == without_age(expected)


def test_the_log_has_a_line_a_machine_and_hour_with_the_version_that_answered(world: World) -> None:
    score(world)
    assert {hour for _, hour in logged(world.model_storage)} == {NEWEST - 1, NEWEST}
    assert {line["model"]["version"] for line in log_lines(world.model_storage)} == {V1}
    assert {line["scored_at"] for line in log_lines(world.model_storage)} == {"2026-11-20T03:20:00Z"}


def test_nothing_new_costs_listings_and_six_reads(world: World) -> None:
    score(world)
    before = dict(world.model_storage.objects)
    world.reset_calls()
    summary = score(world, NOW + timedelta(minutes=1))
    assert (summary.scored, summary.read, summary.logged) == (0, 0, 0)
    assert world.lake_storage.calls == {"list": 1}
    # fleet, model, card, failures, index of records, cases; the records; the fleet
    assert world.model_storage.calls == {"get": 6, "list": 1, "put": 1}
    changed = {key for key, blob in world.model_storage.objects.items() if before.get(key) != blob}
    assert changed == {fleet.state_object(LAKE).key}


def test_an_hour_is_read_once_and_logged_once(world: World) -> None:
    score(world)
    world.write(NOW)
    world.reset_calls()
    summary = score(world, NOW + HOUR)
    assert (summary.scored, summary.read, summary.logged) == (1, 1, 1)
    assert world.lake_storage.calls == {"list": 1, "get": 1}
    assert state_of(world.model_storage, MACHINE).hour == NEWEST + 1
    lines = logged(world.model_storage)
    assert len(lines) == len(set(lines))


def test_an_hour_that_comes_late_gets_its_line(world: World) -> None:
    score(world)
    world.write(NOW + HOUR)
    score(world, NOW + 2 * HOUR)
    world.write(NOW)
    summary = score(world, NOW + 3 * HOUR)
    assert summary.logged == 1
    hours = [hour for name, hour in logged(world.model_storage) if name == MACHINE.equip_id]
    assert hours == [NEWEST - 1, NEWEST, NEWEST + 1, NEWEST + 2]


def test_a_replaced_object_changes_the_answer_and_leaves_the_log_as_it_was(world: World) -> None:
    score(world)
    before = log_lines(world.model_storage)
    world.write(NOW - HOUR, value=lambda number: 55.0 + number % 3)
    summary = score(world, NOW + timedelta(minutes=5))
    assert (summary.scored, summary.read, summary.logged) == (1, 1, 0)
    assert log_lines(world.model_storage) == before
    assert without_age(answer_of(world.model_storage, MACHINE)) != without_age(before[-1])


def test_a_late_object_of_a_past_day_is_picked_up_within_hours(world: World) -> None:
    for age in range(30, 60):
        world.write(NOW - age * HOUR)
    score(world, NOW)
    day = (NOW - 58 * HOUR).date()
    before = len(world.new_rows().history_at(MACHINE, NOW).rows)
    world.write(NOW - 60 * HOUR)
    for minutes in range(0, 14 * 60, 60):
        now = NOW + timedelta(minutes=minutes)
        world.write(now)
        score(world, now + HOUR)
    assert clock.date_of_hour(clock.hour_of(NOW - 60 * HOUR)) == day
    rows = [row.hour for row in new_rows_of(world, now + HOUR)]
    assert clock.hour_of(NOW - 60 * HOUR) in rows
    assert len(rows) == before + 1 + 14


def new_rows_of(world: World, now: datetime) -> list[HourRow]:
    world.lake_storage.before = lambda verb, key: down(verb, key) if verb == "get" else None
    return list(world.new_rows().history_at(MACHINE, now).rows)


def test_one_machines_broken_data_costs_that_machine_only(world: World) -> None:
    score(world)
    world.lake_storage.put(lake_key(NOW.date(), "broken", OTHER), b"no,such\n1,2\n")
    world.write(NOW)
    summary = score(world, NOW + HOUR)
    assert (summary.scored, summary.failed) == (2, 0)
    assert any("broken" in warning for warning in answer_of(world.model_storage, OTHER)["warnings"])
    assert state_of(world.model_storage, MACHINE).hour == NEWEST + 1


def test_a_machine_whose_objects_cannot_be_read_is_tried_again(world: World) -> None:
    score(world)
    world.write(NOW)
    key = world.write(NOW, machine=OTHER)
    world.lake_storage.before = lambda verb, asked: down(verb, asked) if asked == key and verb == "get" else None
    summary = score(world, NOW + HOUR)
    assert (summary.scored, summary.failed, summary.logged) == (2, 1, 1)
    assert state_of(world.model_storage, OTHER).problem == "the storage fails"
    assert answer_of(world.model_storage, OTHER)["predictions"]
    world.lake_storage.before = lambda verb, asked: None
    assert score(world, NOW + HOUR).logged == 1
    assert state_of(world.model_storage, OTHER).problem == ""


def test_a_store_that_fails_at_every_machine_fails_the_run(world: World) -> None:
    world.lake_storage.before = lambda verb, key: down(verb, key) if verb == "get" else None
    with pytest.raises(StorageUnavailable, match="none of 2 machines"):
        score(world)


def test_out_of_time_it_stops_in_good_order_and_the_next_run_goes_on(world: World) -> None:
    machines = [Machine("ZONE-003", f"EQUIP-{number:03}") for number in range(100, 140)]
    for machine in machines:
        world.write(NOW - HOUR, machine=machine)
    first = score(world, in_time=lambda: False)
    assert first.left > 0
    assert first.scored + first.left == 42
    second = score(world, NOW + timedelta(minutes=5))
    assert (second.scored, second.left) == (first.left, 0)
    assert len(logged(world.model_storage)) == len(set(logged(world.model_storage))) == 44


def test_before_the_first_promotion_rows_are_kept_and_later_answers_follow(world: World) -> None:
    fresh = World()
    fresh.lake_storage.objects = world.lake_storage.objects
    summary = score(fresh)
    assert (summary.read, summary.logged) == (33, 0)
    assert not state_of(fresh.model_storage, MACHINE).has_answer
    fresh.promote(V1)
    again = score(fresh, NOW + timedelta(minutes=5))
    assert (again.scored, again.read, again.logged) == (2, 0, 0)  # nothing was predicted of these hours in time
    assert answer_of(fresh.model_storage, MACHINE)["model"]["version"] == V1


def test_a_promotion_scores_every_machine_again_without_reading(world: World) -> None:
    score(world)
    world.promote(V2, seed=1)
    summary = score(world, NOW + timedelta(minutes=5))
    assert (summary.scored, summary.read, summary.logged) == (2, 0, 0)
    assert answer_of(world.model_storage, OTHER)["model"]["version"] == V2


def test_a_machine_that_falls_silent_keeps_its_last_answer(world: World) -> None:
    score(world)
    world.lake_storage.objects = {key: blob for key, blob in world.lake_storage.objects.items() if "ZONE-001" in key}
    later = NOW + timedelta(days=12)
    world.write(later - HOUR)
    score(world, later)
    state = state_of(world.model_storage, OTHER)
    assert (state.hour, state.has_answer) == (NEWEST, True)
    score(world, NOW + timedelta(days=31))
    assert fleet.state_object(LAKE).read(world.model_storage).value.machine(OTHER) is None


def test_two_runs_at_once_lose_and_double_nothing(world: World) -> None:
    first, second = new_run(world), new_run(world)
    world.write(NOW)
    races = 0

    def other_run_first(verb: str, key: str) -> None:
        nonlocal races
        if verb == "put" and races < 1:
            races += 1
            second.score(NOW + HOUR + timedelta(seconds=5), lambda: True)

    world.model_storage.before = other_run_first
    first.score(NOW + HOUR, lambda: True)
    lines = logged(world.model_storage)
    assert len(lines) == len(set(lines)) == 3
    assert score(world, NOW + HOUR + timedelta(minutes=5)).scored == 0


def test_a_damaged_state_is_replaced_and_doubles_no_line(world: World) -> None:
    score(world)
    world.model_storage.put(fleet.state_object(LAKE).key, b"damaged")
    summary = score(world, NOW + timedelta(minutes=5))
    assert (summary.scored, summary.read, summary.logged) == (2, 0, 0)
    assert answer_of(world.model_storage, MACHINE)["predictions"]


def test_a_state_that_always_changes_is_given_up(world: World) -> None:
    def refuse(verb: str, key: str) -> None:
        if (verb, key) == ("put", fleet.state_object(LAKE).key):
            raise PreconditionFailed("another was first")

    world.model_storage.before = refuse
    with pytest.raises(StorageUnavailable, match="changes whenever"):
        score(world)


@pytest.mark.parametrize("body", [None, b"no,such\n1,2\n"])
def test_a_machine_of_which_nothing_comes_any_more_leaves_the_fleet(world: World, body: bytes | None) -> None:
    if body:
        bad = Machine("ZONE-002", "EQUIP-BAD")
        world.lake_storage.put(lake_key(NOW.date(), "bad", bad), body)
    before = score(world).machines
    month = timedelta(days=30)
    world.write(NOW + month)
    assert score(world, NOW + month - HOUR).machines == before
    assert score(world, NOW + month + 2 * HOUR).machines == 1

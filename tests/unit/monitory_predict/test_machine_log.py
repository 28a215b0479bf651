"""A machine's history and the realised accuracy, through the API."""

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from monitory import clock
from monitory.machine import Machine
from monitory.scoring import performance, prediction_log
from monitory.scoring.performance import Performance
from tests.support.fakes import down
from tests.support.predicting import NOW, V1, World
from tests.support.prediction_lines import line
from tests.support.samples import MACHINE
from tests.support.scoring import LAKE, log_lines, score

HISTORY = "/api/v1/machines/ZONE-001/EQUIP-001/history"
PERFORMANCE = "/api/v1/performance"
TWIN = Machine("ZONE-002", "EQUIP-001")
NEWEST = clock.hour_of(clock.naive(NOW))


@pytest.fixture
def world(world: World) -> World:
    world.write(NOW - timedelta(hours=1), machine=TWIN)
    return world


def figures() -> Performance:
    return Performance.model_validate(Performance.model_config["json_schema_extra"]["examples"][0])  # type: ignore[index]


def test_a_history_is_what_the_score_function_logged_of_the_machine(client: TestClient, world: World) -> None:
    score(world)
    logged = [entry for entry in log_lines(world.model_storage) if entry["zoneId"] == "ZONE-001"]
    body = client.get(HISTORY).json()
    assert (body["zoneId"], body["equipId"], body["days"], body["unreadable_hours"]) == (*MACHINE, 7, 0)
    assert len(body["predictions"]) == len(logged) == 2
    for ours, entry in zip(body["predictions"], logged, strict=True):
        assert ours == {
            "hour": entry["window"]["start"],
            "as_of": entry["as_of"],
            "rul_days": entry["predictions"][0],
            "interval": entry["interval"],
            "state": entry["state"],
            "version": V1,
        }


def add(world: World, hours_ago: int, machine: Machine = MACHINE) -> None:
    others: dict[str, Any] = {"as_of": "2026-11-20T02:55:00Z", "state": "ok"}
    hour = NEWEST - hours_ago
    prediction_log.add(world.model_storage, LAKE, hour, {machine: line(machine, 10.0 + hours_ago, **others)})


@pytest.mark.parametrize(("days", "hours_ago"), [(1, [23, 0]), (2, [47, 24, 23, 0])])
def test_days_are_whole_days_up_to_now_with_a_request_an_hour(
    client: TestClient, world: World, days: int, hours_ago: list[int]
) -> None:
    for ago in (48, 47, 24, 23, 0):
        add(world, ago)
    add(world, 5, TWIN)
    world.model_storage.calls.clear()
    body = client.get(f"{HISTORY}?days={days}").json()
    assert [entry["rul_days"] for entry in body["predictions"]] == [10.0 + ago for ago in hours_ago]
    assert world.model_storage.calls == {"get": 24 * days}


@pytest.mark.parametrize("days", ["0", "15", "-1", "1.5", "seven", "", "1&days=2"])
def test_days_beyond_the_bounds_are_refused(client: TestClient, world: World, days: str) -> None:
    answer = client.get(f"{HISTORY}?days={days}")
    assert answer.status_code == 422
    assert "days" in answer.json()["detail"]
    assert not world.model_storage.calls["get"]


@pytest.mark.parametrize("path", ["ZONE-001/.hidden", "ZONE%20001/EQUIP-001", "ZONE-001/%2e%2e"])
def test_names_that_reach_elsewhere_are_refused(client: TestClient, path: str) -> None:
    assert client.get(f"/api/v1/machines/{path}/history").status_code in (404, 422)


def test_a_machine_without_lines_is_not_there(client: TestClient, world: World) -> None:
    add(world, 0, TWIN)
    answer = client.get(HISTORY)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "the prediction log has nothing about ZONE-001/EQUIP-001 in the last 7 days"


def test_damaged_hours_are_counted(client: TestClient, world: World) -> None:
    add(world, 1)
    world.model_storage.put(prediction_log.key(LAKE, NEWEST - 2), b"damaged")
    body = client.get(HISTORY).json()
    assert (len(body["predictions"]), body["unreadable_hours"]) == (1, 1)


def test_a_store_that_fails_is_told_as_such(client: TestClient, world: World) -> None:
    world.model_storage.before = lambda verb, key: down(verb, key) if key.startswith("p") else None
    assert client.get(HISTORY).status_code == 503
    assert client.get(PERFORMANCE).status_code == 503


def test_the_newest_figures_are_answered_in_one_read(client: TestClient, world: World) -> None:
    performance.write(world.model_storage, figures())
    world.model_storage.calls.clear()
    answer = client.get(PERFORMANCE)
    assert answer.status_code == 200
    assert Performance.model_validate(answer.json()) == figures()
    assert world.model_storage.calls == {"get": 1}


def test_before_the_first_measurement_there_are_no_figures(client: TestClient) -> None:
    answer = client.get(PERFORMANCE)
    assert answer.status_code == 404
    assert "nothing has been measured yet" in answer.json()["detail"]


def test_damaged_figures_are_no_figures(client: TestClient, world: World) -> None:
    world.model_storage.put(performance.LATEST, b"{")
    assert client.get(PERFORMANCE).status_code == 503

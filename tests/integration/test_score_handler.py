"""The real score handler against the embedded S3 server, and the predict handler beside it."""

import importlib
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitory import clock
from monitory.machine import Machine
from monitory.storage.s3 import S3Storage
from monitory_local.lambdas import LocalContext, predict_event
from tests.support.predicting import event_loop
from tests.support.samples import hour_of_readings, lake_key, ndjson
from tests.support.scoring import logged
from tests.support.world import REGION, World

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=clock.KST)
MACHINES = [Machine("ZONE-001", "EQUIP-001"), Machine("ZONE-001", "EQUIP-002")]


@pytest.fixture
def world(lake_bucket: str, model_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(S3Storage(lake_bucket, region=REGION), S3Storage(model_bucket, region=REGION))
    made.promote()
    for machine in MACHINES:
        for age in range(1, 6):
            write(made, NOW - timedelta(hours=age), machine)
    monkeypatch.setenv("SCORING", "true")
    monkeypatch.setenv("LOG_LEVEL", "CRITICAL")
    monkeypatch.setattr(clock, "now", lambda: NOW)
    with event_loop():
        yield made


def write(world: World, hour: datetime, machine: Machine) -> None:
    start = hour.replace(tzinfo=None, minute=0)
    readings = hour_of_readings(start, machine=machine, value=lambda number: 60 + number % 11)
    key = lake_key(start.date(), f"{start:%H}", machine)
    world.lake.put(key, ndjson(readings), content_type="application/x-ndjson")


def score() -> dict[str, Any]:
    """Call a freshly started score handler."""
    sys.modules.pop("monitory_score.handler", None)
    handler = importlib.import_module("monitory_score.handler")
    answer: dict[str, Any] = handler.lambda_handler({}, LocalContext("monitory-score", 900))
    return answer


def ask(path: str, machine: Machine, **query: str) -> dict[str, Any]:
    """Ask the predict handler, freshly started; about a machine, or by a query."""
    sys.modules.pop("monitory_predict.handler", None)
    handler = importlib.import_module("monitory_predict.handler")
    event = {**predict_event(*machine), "path": path, "resource": path}
    if query:
        event |= {
            "queryStringParameters": query,
            "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
        }
    answer = handler.lambda_handler(event, object())
    assert answer["statusCode"] == 200, answer["body"]
    body: dict[str, Any] = json.loads(answer["body"])
    return body


def test_an_hour_is_scored_logged_and_answered(world: World) -> None:
    first = score()
    assert (first["status"], first["scored"], first["read"], first["logged"]) == ("scored", 2, 10, 4)
    assert len(logged(world.models)) == 4
    before = {entry.key: entry.etag for entry in world.models.list("cache")}
    for machine in MACHINES:
        assert ask("/api/v1/predict", machine)["window"]["history_hours"] == 5
    assert {entry.key: entry.etag for entry in world.models.list("cache")} == before
    fleet = ask("/api/v1/fleet", MACHINES[0])
    assert {machine["equipId"] for machine in fleet["machines"]} == {machine.equip_id for machine in MACHINES}


def test_the_fleet_and_a_machine_show_what_the_run_left(world: World) -> None:
    score()
    machine = MACHINES[0]
    fleet = ask("/api/v1/fleet", machine, q="equip-002", trend="true")
    assert [one["equipId"] for one in fleet["machines"]] == ["EQUIP-002"]
    assert sum(fleet["counts"].values()) == fleet["total"] == 1
    assert (fleet["zones"], fleet["limits_days"], fleet["cap_days"]) == (["ZONE-001"], [5.0, 3.0], 30.0)
    (point,) = fleet["machines"][0]["trend"]
    assert abs(point["rul_days"] - fleet["machines"][0]["rul_days"]) < 0.01
    page = ask(f"/api/v1/machines/{machine.zone_id}/{machine.equip_id}", machine)
    assert (page["zoneId"], page["equipId"]) == machine
    assert [one["at"] for one in page["trend"]] == [point["at"]]
    assert {len(one["hours"]) for one in page["sensors"]} == {5}
    assert (page["records"], page["cases"]) == ([], [])
    assert page["runs"] == [{"began_at": None, "ended_at": None, "end": None, "failure_mode": None, "predicted": []}]


def test_a_second_run_finds_nothing_new(world: World) -> None:
    score()
    again = score()
    assert (again["status"], again["scored"], again["read"], again["logged"]) == ("scored", 0, 0, 0)

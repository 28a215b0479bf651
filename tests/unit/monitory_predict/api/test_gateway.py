"""The same application behind API Gateway: REST events (v1) and HTTP API events (v2)."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from monitory_predict.plain.wire import Handler
from monitory_predict.telemetry import EmfTelemetry
from tests.support.fakes import down
from tests.support.gateways import Event, Query, http_event, rest_event
from tests.support.predicting import World, event_loop
from tests.support.registries import KEY

Make = Callable[[str, Query], Event]
GOOD = {"zoneId": "ZONE-001", "equipId": "EQUIP-001"}


@pytest.fixture
def handler(world: World) -> Iterator[Handler]:
    with event_loop():
        yield world.handler(EmfTelemetry())


def call(handler: Handler, event: Event) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers of an answer."""
    answer = handler(event, object())
    headers = {name.lower(): value for name, value in answer["headers"].items()} if "headers" in answer else {}
    headers |= {name.lower(): values[0] for name, values in answer.get("multiValueHeaders", {}).items()}
    assert answer["isBase64Encoded"] is False
    return answer["statusCode"], json.loads(answer["body"]), headers


both = pytest.mark.parametrize("make", [rest_event, http_event], ids=["REST", "HTTP"])


@both
def test_a_prediction(handler: Handler, make: Make) -> None:
    status, body, headers = call(handler, make("/api/v1/predict", GOOD))
    assert (status, body["status"]) == (200, "ok")
    assert 0 <= body["predictions"][0] <= 30
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"


def test_both_gateways_get_the_same_answer(handler: Handler) -> None:
    first, second = (call(handler, make("/api/v1/predict", GOOD)) for make in (rest_event, http_event))
    assert first[:2] == second[:2]


@both
@pytest.mark.parametrize("path", ["/api/v1/health", "/api/v1/models"])
def test_the_other_routes(handler: Handler, make: Make, path: str) -> None:
    status, body, _ = call(handler, make(path, {}))
    assert (status, body["status"]) == (200, "ok")


@both
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 422),
        ({"zoneId": "ZONE-001"}, 422),
        ({"zoneId": "../..", "equipId": "E"}, 422),
        ({"zoneId": "Z", "equipId": "a/b"}, 422),
        ({"zoneId": "Z", "equipId": "기계"}, 404),
        ({"zoneId": "Z", "equipId": "E\x00"}, 422),
        ({"zoneId": "Z" * 10_000, "equipId": "E"}, 422),
        ({"zoneId": "ZONE-001", "equipId": "EQUIP-404"}, 404),
        ({**GOOD, "surplus": "x"}, 200),
    ],
)
def test_wrong_calls_are_answered_in_words(handler: Handler, make: Make, query: dict[str, str], status: int) -> None:
    found, body, _ = call(handler, make("/api/v1/predict", query))
    assert found == status
    assert status == 200 or isinstance(body["detail"], str)


@both
def test_a_failing_store_asks_to_come_again(handler: Handler, make: Make, world: World) -> None:
    world.model_storage.before = world.lake_storage.before = down
    status, body, headers = call(handler, make("/api/v1/predict", GOOD))
    assert (status, headers["retry-after"]) == (503, "30")
    assert body == {"detail": "the storage does not answer; try again"}


@both
def test_a_defect_is_500_with_a_fixed_text(
    handler: Handler, make: Make, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.service, "predict", lambda *_: 1 / 0)
    status, body, headers = call(handler, make("/api/v1/predict", GOOD))
    assert (status, body) == (500, {"detail": "internal error"})
    assert headers["content-type"] == "application/json"


def metric_lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if "_aws" in line]


def test_a_prediction_leaves_one_line_of_metrics(
    handler: Handler, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    call(handler, rest_event("/api/v1/predict", GOOD))
    (line,) = metric_lines(capsys.readouterr().out)
    (declared,) = line["_aws"]["CloudWatchMetrics"]
    assert (declared["Namespace"], declared["Dimensions"]) == ("Monitory", [["service"]])
    assert {(one["Name"], one["Unit"]) for one in declared["Metrics"]} == {
        ("Predictions", "Count"),
        ("PredictLatency", "Milliseconds"),
        ("PredictedRul", "None"),
        ("RejectedReadings", "Count"),
        ("ModelAgeHours", "None"),
        ("LastGoodModelInUse", "Count"),
        ("DataAgeMinutes", "None"),
    }
    assert line["service"] == "monitory-predict"
    assert line["DataAgeMinutes"] == [25.0]
    assert line["LastGoodModelInUse"] == [0.0]
    world.registry.storage.put(KEY, b"gibberish", content_type="text/plain")
    call(handler, rest_event("/api/v1/predict", GOOD))
    (line,) = metric_lines(capsys.readouterr().out)
    assert line["LastGoodModelInUse"] == [1.0]


def test_a_machine_without_data_is_counted(handler: Handler, capsys: pytest.CaptureFixture[str]) -> None:
    call(handler, rest_event("/api/v1/predict", {**GOOD, "equipId": "EQUIP-404"}))
    (line,) = metric_lines(capsys.readouterr().out)
    assert line["NoData"] == [1.0]
    assert "Predictions" not in line

"""Plain requests for predictions: answered without the web framework, byte for byte as the application would."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from monitory import clock
from monitory_predict.api.gateway import lambda_handler_of
from monitory_predict.plain.predict import Question, question_in
from monitory_predict.plain.wire import Handler
from tests.support.fakes import down
from tests.support.gateways import Event, http_event, http_event_v1, rest_event
from tests.support.predicting import NOW, V1, World, event_loop
from tests.support.registries import KEY
from tests.support.samples import MACHINE

PREDICT = "/api/v1/predict"
GOOD = {"zoneId": MACHINE.zone_id, "equipId": MACHINE.equip_id}


def given(make: Callable[..., Event] = rest_event, /, base_path: str = "", **query: str | list[str]) -> Event:
    return make(PREDICT, GOOD | query, base_path=base_path)


def changed(event: Event, **fields: Any) -> Event:
    return deepcopy(event) | fields


PLAIN = {
    "good": given(),
    "a stage's path": given(base_path="/ml"),
    "a key": given(key="EQUIPMENT/date=2026-11-20/zone_id=ZONE-001/equip_id=EQUIP-001/11.json"),
    "another machine's key": given(key="EQUIPMENT/date=2026-11-20/zone_id=ZONE-001/equip_id=EQUIP-002/11.json"),
    "an empty key": given(key=""),
    "no such machine": given(equipId="EQUIP-404"),
    "another script": given(equipId="기계 1"),
    "percent-encoded": given(equipId="%EA%B8%B0%EA%B3%84"),
    "too long once decoded, refused by name": given(equipId="a" * 100),
    "no headers": changed(given(), headers=None, multiValueHeaders=None),
}

ODD = {
    "HEAD": changed(given(), httpMethod="HEAD"),
    "POST": changed(given(), httpMethod="POST"),
    "a body": changed(given(), body="x"),
    "HTTP API": given(http_event),
    "HTTP API, format 1.0": given(http_event_v1),
    "another path": rest_event("/api/v1/predict/", GOOD),
    "below the prefix twice": rest_event(PREDICT, GOOD, base_path="/api/v1/x"),
    "no parameters": rest_event(PREDICT),
    "one parameter": rest_event(PREDICT, {"zoneId": "Z"}),
    "a repeated parameter": given(zoneId=["ZONE-001", "ZONE-002"]),
    "a foreign parameter": given(days="3"),
    "not an id": given(equipId="../x"),
    "an id with a line break": given(equipId="EQUIP-001\nX"),
    "a key of another script": given(key="기계"),
    "a key that is too long": given(key="a" * 1025),
    "null values": changed(given(), multiValueQueryStringParameters={"zoneId": None, "equipId": ["E"]}),
    "no context": changed(given(), requestContext=None),
    "a schedule": {"source": "aws.events"},
    "no object": [1],
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    made = World(answer_seconds=0.5)
    made.write_hours(range(1, 6))
    made.promote(V1)
    return made


@pytest.fixture
def loop() -> Iterator[None]:
    with event_loop():
        yield


def response(handler: Handler, event: Event) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of an answer."""
    answer = handler(event, object())
    headers = {**answer["headers"]} | {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    assert answer.keys() == {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
    return answer["statusCode"], answer["body"], headers


@pytest.mark.parametrize("event", PLAIN.values(), ids=PLAIN.keys())
def test_plain_requests_are_answered_as_by_the_application(world: World, event: Event, loop: None) -> None:
    assert question_in(event)
    assert response(world.handler(), event) == response(lambda_handler_of(world.app()), event)


def no_model(world: World) -> None:
    world.model_storage.objects.clear()


def broken_model(world: World) -> None:
    world.model_storage.put(KEY, b"no model")


def stale(world: World) -> None:
    world.lake_storage.objects.clear()
    world.write(NOW - timedelta(hours=9))


def lake_down(world: World) -> None:
    world.lake_storage.before = down


def hangs(world: World) -> None:
    world.service.answer_seconds = 0.0


@pytest.mark.parametrize("fault", [no_model, broken_model, stale, lake_down, hangs])
def test_errors_are_answered_as_by_the_application(world: World, fault: Callable[[World], None], loop: None) -> None:
    fault(world)
    event = given()
    mine = response(world.handler(), event)
    assert mine[0] in (404, 503)
    assert mine == response(lambda_handler_of(world.app()), event)


@pytest.mark.parametrize("event", ODD.values(), ids=ODD.keys())
def test_all_others_are_the_applications(event: Event) -> None:
    assert question_in(event) is None


def test_parameters_are_taken_as_the_gateway_decoded_them() -> None:
    assert question_in(given(key="a%20b", equipId="E 1")) == Question("ZONE-001", "E 1", "a%20b")


def test_a_defect_is_reported_by_the_application(
    world: World, loop: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(world.service, "answer", fail)
    status, body, headers = response(world.handler(), given())
    assert (status, body) == (500, '{"detail":"internal error"}')
    assert headers["cache-control"] == "no-store"

"""What reaches the Lambda besides plain requests: other gateways, base paths, monitors, warmers, mistakes."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from monitory_predict.api import gateway
from monitory_predict.plain.wire import Handler
from tests.support.gateways import Event, function_url_event, http_event, http_event_v1, rest_event
from tests.support.predicting import V1, World, event_loop
from tests.support.registries import KEY

GOOD = {"zoneId": "ZONE-001", "equipId": "EQUIP-001"}
PREDICT, HEALTH, MODELS = "/api/v1/predict", "/api/v1/health", "/api/v1/models"
REPORT = f"/api/v1/models/{V1.replace('/', '-')}/report"
PAGE = '<h1>보고서 "v1"</h1>'


@pytest.fixture
def world(world: World) -> World:
    world.registry.storage.put(f"models/{V1}/report.html", PAGE.encode(), content_type="text/html")
    return world


@pytest.fixture
def handler(world: World) -> Iterator[Handler]:
    with event_loop():
        yield world.handler()


def changed(event: Event, **fields: Any) -> Event:
    """An event with other fields."""
    return deepcopy(event) | fields


def without(event: Event, *names: str) -> Event:
    """An event without some fields."""
    return {name: value for name, value in event.items() if name not in names}


ROUTED = {
    "REST, its own name": rest_event(PREDICT, GOOD),
    "REST, a custom domain": rest_event(PREDICT, GOOD, base_path="/ml"),
    "REST, a base path of several parts": rest_event(PREDICT, GOOD, base_path="/plant/3/ml"),
    "REST, a greedy resource": changed(
        rest_event(PREDICT, GOOD, base_path="/ml"),
        resource="/{proxy+}",
        pathParameters={"proxy": "api/v1/predict"},
    ),
    "REST, the console's test": changed(rest_event(PREDICT, GOOD), headers=None, multiValueHeaders=None),
    "HTTP API": http_event(PREDICT, GOOD),
    "HTTP API, a stage": http_event(PREDICT, GOOD, base_path="/prod"),
    "HTTP API, a custom domain": http_event(PREDICT, GOOD, base_path="/ml"),
    "HTTP API, format 1.0": http_event_v1(PREDICT, GOOD),
    "HTTP API, format 1.0, a stage": http_event_v1(PREDICT, GOOD, base_path="/prod"),
    "function URL": function_url_event(PREDICT, GOOD),
    "two slashes": http_event(f"/{PREDICT}", GOOD),
}


@pytest.mark.parametrize("event", ROUTED.values(), ids=ROUTED)
def test_every_gateway_s_way_leads_to_the_route(handler: Handler, event: Event) -> None:
    answer = handler(event, None)
    body = json.loads(answer["body"])
    assert answer["statusCode"] == 200, body
    assert (body["zoneId"], body["equipId"]) == ("ZONE-001", "EQUIP-001")
    assert body["as_of"] == "2026-11-20T02:55:00Z"


@pytest.mark.parametrize("base_path", ["", "/ml"])
@pytest.mark.parametrize("make", [rest_event, http_event, http_event_v1])
def test_a_report_is_text_and_found_by_its_dashed_version(handler: Handler, make: Any, base_path: str) -> None:
    event = make(REPORT, base_path=base_path)
    if "resource" in event:
        event |= {"resource": "/api/v1/models/{version}/report", "pathParameters": {"version": V1.replace("/", "-")}}
    answer = handler(event, None)
    assert (answer["statusCode"], answer["body"], answer["isBase64Encoded"]) == (200, PAGE, False)
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"


def test_a_report_that_lambda_cannot_return_is_413(handler: Handler, world: World) -> None:
    key = f"models/{V1}/report.html"
    fits, too_large = b"x" * (6 * 10**6), b'"' * (4 * 10**6)  # which JSON doubles
    world.registry.storage.put(key, fits, content_type="text/html")
    assert handler(rest_event(REPORT), None)["statusCode"] == 200
    world.registry.storage.put(key, too_large, content_type="text/html")
    answer = handler(rest_event(REPORT), None)
    assert answer["statusCode"] == 413
    assert "at most 6 MB" in json.loads(answer["body"])["detail"]


NOT_HTTP: dict[str, Any] = {
    "nothing": {},
    "null": None,
    "a list": [1],
    "a string": "ping",
    "serverless-plugin-warmup": {"source": "serverless-plugin-warmup"},
    "warmer": {"warmer": True, "concurrency": 3},
    "a schedule": {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
    "a bucket's message": {"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": "x"}}}]},
    "no records": {"Records": []},
    "an invocation by hand": dict(GOOD),
    "a state machine's": {"event": GOOD, "round": 1},
    "an empty context": {"version": "2.0", "requestContext": {}},
    "no context": {"version": "2.0", "requestContext": None},
    "a context of text": {"resource": "/", "requestContext": "x"},
    "no method": without(rest_event(PREDICT, GOOD), "httpMethod"),
    "a method that is none": changed(rest_event(PREDICT, GOOD), httpMethod=None),
    "no path": without(rest_event(PREDICT, GOOD), "path"),
    "a path that is a number": changed(rest_event(PREDICT, GOOD), path=7),
    "headers that are numbers": changed(rest_event("/api/v1/health"), headers={"a": 1}, multiValueHeaders=None),
    "headers of null": changed(http_event(PREDICT, GOOD), headers=None),
    "a port that is none": changed(http_event(PREDICT, GOOD), headers={"x-forwarded-port": "443, 443"}),
    "a body that is not base64": changed(rest_event(PREDICT, GOOD), body="abcde", isBase64Encoded=True),
    "a WebSocket's": {"requestContext": {"routeKey": "$connect", "eventType": "CONNECT"}, "headers": {}},
}


@pytest.mark.parametrize("event", NOT_HTTP.values(), ids=NOT_HTTP)
def test_what_is_no_request_gets_a_harmless_answer(handler: Handler, world: World, event: Any) -> None:
    world.reset_calls()
    answer = handler(event, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"]) == {"detail": gateway.NOT_HTTP}
    assert not world.lake_storage.calls
    assert not world.model_storage.calls


MISTAKES = {
    "equipId twice": (rest_event(PREDICT, {**GOOD, "equipId": ["A", "B"]}), 422, "equipId is given 2 times"),
    "zoneId three times": (http_event(PREDICT, {**GOOD, "zoneId": ["A"] * 3}), 422, "zoneId is given 3 times"),
    "the same twice": (http_event_v1(PREDICT, {**GOOD, "equipId": ["A", "A"]}), 422, "equipId is given 2 times"),
    "an array's name": (http_event(PREDICT, {"zoneId[]": "Z", "equipId[]": "E"}), 422, "zoneId is missing"),
    "a list in one": (http_event(PREDICT, {**GOOD, "equipId": "A,B"}), 422, "equipId"),
    "an encoded slash": (http_event(PREDICT, {**GOOD, "equipId": "A%2FB"}), 422, "equipId"),
    "a space": (rest_event(PREDICT, {**GOOD, "equipId": " EQUIP-001"}), 422, "equipId"),
    "a plus": (changed(http_event(PREDICT), rawQueryString="zoneId=Z+1&equipId=E"), 404, "Z 1"),
    "bytes that are no UTF-8": (changed(http_event(PREDICT), rawQueryString="zoneId=%ff&equipId=E"), 422, "zoneId"),
    "semicolons": (changed(http_event(PREDICT), rawQueryString="zoneId=Z;equipId=E"), 422, "equipId"),
    "a query in the path": (http_event(f"{PREDICT}%3FzoneId=Z"), 404, "no such path; there are /api/v1/predict"),
    "a slash behind": (rest_event(f"{PREDICT}/", GOOD), 404, "no such path"),
    "capitals": (rest_event("/API/v1/predict", GOOD), 404, "no such path"),
    "another version": (rest_event("/api/v2/predict", GOOD), 404, "no such path"),
    "the stage alone": (http_event("/prod"), 404, "no such path"),
    "a file that the page does not have": (function_url_event("/page/secrets.js"), 404, "no such path"),
    "a file beside the page": (function_url_event("/page/../handler.py"), 404, "no such path"),
    "a browser's icon": (function_url_event("/favicon.ico"), 404, "no such path"),
    "the prefix inside a name": (http_event("/myapi/v1/predict", GOOD), 404, "no such path"),
    "dots": (http_event("/api/v1/models/../predict", GOOD), 404, "no such path"),
    "a version with slashes and dots": (http_event("/api/v1/models/../../x/report"), 404, "no version"),
    "POST": (rest_event(PREDICT, GOOD, method="POST"), 405, "POST is not allowed here; use GET"),
    "POST of XML": (
        changed(rest_event(PREDICT, method="POST"), body="<x/>", headers={"Content-Type": "text/xml"}),
        405,
        "POST is not allowed",
    ),
    "DELETE of a model": (http_event(REPORT, method="DELETE"), 405, "DELETE is not allowed"),
    "OPTIONS": (function_url_event(PREDICT, method="OPTIONS"), 405, "OPTIONS is not allowed"),
    "a method of one's own": (http_event(HEALTH, method="BREW"), 405, "BREW is not allowed"),
    "a small method": (http_event(HEALTH, method="get"), 405, "get is not allowed"),
}


@pytest.mark.parametrize(("event", "status", "words"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_answered_in_words(handler: Handler, event: Event, status: int, words: str) -> None:
    answer = handler(event, None)
    headers = answer["headers"]
    assert (answer["statusCode"], headers["content-type"]) == (status, "application/json")
    assert words in json.loads(answer["body"])["detail"]
    assert headers["cache-control"] == "no-store"
    assert headers.get("allow") == ("GET, HEAD" if status == 405 else None)


HARMLESS = {
    "a body with GET": changed(rest_event(PREDICT, GOOD), body="{", headers={"Content-Type": "application/json"}),
    "text wanted": changed(http_event(PREDICT, GOOD), headers={"accept": "text/plain", "accept-encoding": "br"}),
    "cookies": changed(http_event(PREDICT, GOOD), cookies=["a=b", "zoneId=Z"]),
    "a surplus parameter, repeated": http_event(PREDICT, {**GOOD, "_": ["1", "2"]}),
    "a foreign host": changed(http_event(PREDICT, GOOD), headers={"host": "evil.example.com"}),
    "a forwarded prefix": changed(http_event(PREDICT, GOOD), headers={"x-forwarded-prefix": "/x"}),
    "single values only": without(rest_event(PREDICT, GOOD), "multiValueQueryStringParameters"),
}


@pytest.mark.parametrize("event", HARMLESS.values(), ids=HARMLESS)
def test_what_does_not_matter_is_overlooked(handler: Handler, event: Event) -> None:
    answer = handler(event, None)
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (200, "application/json")
    assert json.loads(answer["body"])["status"] == "ok"


@pytest.mark.parametrize("make", [rest_event, http_event])
@pytest.mark.parametrize("path", [HEALTH, MODELS, REPORT, PREDICT])
def test_head_answers_as_get_without_the_body(handler: Handler, make: Any, path: str) -> None:
    get, head = (handler(make(path, GOOD, method=method), None) for method in ("GET", "HEAD"))
    assert (head["statusCode"], head["body"]) == (get["statusCode"], "")
    assert head["headers"] == {name: value for name, value in get["headers"].items() if name != "content-length"}


def test_head_of_health_fails_where_get_does(handler: Handler, world: World) -> None:
    del world.model_storage.objects[KEY]
    answer = handler(rest_event(HEALTH, method="HEAD"), None)
    assert (answer["statusCode"], answer["body"]) == (503, "")
    assert answer["headers"]["retry-after"] == "30"

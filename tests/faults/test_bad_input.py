"""What callers may send: never a 5xx, never a hang, always an answer that names the fault."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.middleware.base import RequestResponseEndpoint

from monitory.clock import KST
from monitory.errors import InvalidEvent
from monitory.settings import PredictSettings
from monitory_predict import application
from monitory_predict.api import document
from monitory_predict.telemetry import NoTelemetry
from monitory_retrain.invocation import day_range, events
from tests.faults.conftest import Ledger
from tests.fuzz.targets import NOW, handler, rest_event
from tests.support.world import World

SCHEMATHESIS = Path(__file__).resolve().parents[2] / ".venv-fuzz" / "bin" / "schemathesis"
EXAMPLES = 150
TRICKS = ["", ".", "..", "../../etc/passwd", "a/b", "%2e%2e", "\x00", "a\x00b", "a\nb", "<script>", "é", "＜", "A" * 65]
TRICKS += ["ZONE-001", "equip_id=x", "*", "~", "\ud7ff", "𝟘", "-", "_", "a" * 10_000]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
NASTY = st.one_of(
    st.text(max_size=80),
    st.sampled_from(TRICKS),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=10), inner, max_size=4)),
    max_leaves=20,
)
_quick = settings(max_examples=EXAMPLES, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_quick
@given(
    zones=st.lists(NASTY, max_size=3),
    equips=st.lists(NASTY, max_size=3),
    others=st.dictionaries(NASTY, NASTY, max_size=2),
)
def test_ids_and_query_strings(ledger: Ledger, zones: list[str], equips: list[str], others: dict[str, str]) -> None:
    parsed = {name: [value] for name, value in others.items()}
    parsed |= {name: values for name, values in (("zoneId", zones), ("equipId", equips)) if values}
    answer = handler()(rest_event("/api/v1/predict", parsed), None)
    status = answer["statusCode"]
    ledger.note("predict", "ids and query strings", "404 or 422 that names the fault", lost=status not in {404, 422})
    assert status in {404, 422}
    assert "detail" in answer["body"]


@_quick
@given(
    path=NASTY, method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]), headers=st.data()
)
def test_paths_methods_and_headers(path: str, method: str, headers: st.DataObject, ledger: Ledger) -> None:
    payload = rest_event(f"/{path}", {}, method)
    name = headers.draw(st.from_regex(r"[A-Za-z-]{1,20}", fullmatch=True))
    value = headers.draw(st.text(st.characters(max_codepoint=255), max_size=40))
    payload["headers"] = payload["multiValueHeaders"] = None
    payload["multiValueHeaders"] = {"Host": ["api"], name: [value]}
    status = handler()(payload, None)["statusCode"]
    ledger.note("predict", "paths, methods, headers", "200, 404 or 405", lost=status >= 500)
    assert status < 500


@_quick
@given(path=NASTY, query=NASTY)
def test_events_of_http_apis(path: str, query: str, ledger: Ledger) -> None:
    request = {"method": "GET", "path": f"/{path}", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": ""}
    payload = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": f"/api/v1/{path}",
        "rawQueryString": query.encode("ascii", "replace").decode(),
        "headers": {"host": "api"},
        "requestContext": {"http": request, "stage": "$default"},
        "isBase64Encoded": False,
    }
    status = handler()(payload, None)["statusCode"]
    ledger.note("predict", "events of HTTP APIs", "404 or 422", lost=status >= 500)
    assert status < 500


def _is_refused_or_sane(payload: object) -> bool:
    try:
        request = events.parse(payload, NOW, 21)
    except InvalidEvent:
        return True
    if not isinstance(request, events.TrainingRequest):
        return True
    in_range = day_range.EARLIEST <= request.first <= request.last <= NOW.astimezone(KST).date()
    return in_range and len(request.days) <= day_range.MAX_DAYS


@_quick
@given(payload=JSON)
def test_retrain_events_of_any_shape(payload: object, ledger: Ledger) -> None:
    assert _is_refused_or_sane(payload)
    ledger.note("retrain", "events of any shape", "invalid, with the reason")


KEYS = ["action", "month", "start", "end", "sample", "promote", "refresh", "version", "reason", "by", "id", "time"]
VALUES: list[object] = [
    None,
    True,
    -1,
    0,
    10**30,
    1.5,
    "",
    "2025-06",
    "2025-13",
    "2025-02-30",
    "9999-12-31",
    "0001-01-01",
]
VALUES += ["train", "2026-11-21", "0001-01-01"]
VALUES += [
    "promote",
    "rollback",
    "auto",
    "2025/06/21/150102",
    "../../x",
    [],
    {},
    "2025-06-01",
    "2015-06-01",
    "2026-11-21",
]
VALUES += ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2026-11-20T15:00:00Z", "x" * 2000]


@_quick
@given(
    payload=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=6),
    scheduled=st.booleans(),
)
def test_retrain_events_of_known_keys(payload: dict[str, object], scheduled: bool, ledger: Ledger) -> None:
    assert _is_refused_or_sane({**payload, **({"detail-type": "Scheduled Event"} if scheduled else {})})
    ledger.note("retrain", "events of known keys", "invalid, with the reason, or a sane request")


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        ({"month": "2025-13"}, "month"),
        ({"month": "2027-01"}, "month"),
        ({"start": "2025-02-30", "end": "2025-03-01"}, "start"),
        ({"start": "2025-06-21", "end": "2025-06-01"}, "start"),
        ({"start": "2015-06-01", "end": "2025-06-01"}, "400"),
        ({"month": "2025-06", "sample": -5}, "sample"),
        ({"month": "2025-06", "sample": 10**400}, "sample"),
        ({"action": "promote", "version": "../../x"}, "version"),
        ({"months": "2025-06"}, "months"),
        ({"detail-type": "Scheduled Event", "id": "x", "time": "9999-12-31T23:59:59-12:00"}, "time"),
    ],
)
def test_the_fault_is_named(payload: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidEvent, match=named):
        events.parse(payload, NOW, 21)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The app under uvicorn on loopback."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.slow
@pytest.mark.skipif(not SCHEMATHESIS.exists(), reason="schemathesis is installed by `make test-faults`")
def test_the_api_keeps_to_its_own_document(world: World, ledger: Ledger) -> None:
    world.machine()
    app = application.build_app(
        PredictSettings(
            s3_model_bucket_name=world.models.name, s3_input_data_bucket_name=world.lake.name, log_level="CRITICAL"
        ),
        NoTelemetry(),
    )
    asked: list[str] = []

    @app.middleware("http")
    async def count(request: Request, call_next: RequestResponseEndpoint) -> Response:
        asked.append(request.url.path)
        return await call_next(request)

    with served(app) as address:
        options = ["--max-examples=40", "--workers=1", "--seed=1", "--generation-database=none", "--no-color"]
        checks = (
            "--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
        )
        command = [str(SCHEMATHESIS), "run", f"{address}{document.PATH}", checks, *options]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    ledger.note("predict", "requests made from its OpenAPI document", "what the document says", tries=len(asked))
    assert ended.returncode == 0, ended.stdout[-3000:]
    assert len(asked) > 40

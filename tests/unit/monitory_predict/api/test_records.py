"""Records and cases over HTTP: who may write, what is written, and what a case shows of it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from monitory import clock
from monitory.alerts.case import Case, Cause, MachineAlerts, Status
from monitory.alerts.store import AlertState, update
from monitory.logbook import records
from monitory_predict.api.caller import LOCAL
from tests.support.gateways import http_event, rest_event
from tests.support.predicting import World
from tests.support.samples import MACHINE
from tests.support.scoring import LAKE

ZONE, EQUIP = MACHINE
RECORDS = f"/api/v1/machines/{ZONE}/{EQUIP}/records"
CASES = "/api/v1/cases"
KEY = {"Idempotency-Key": "one-1"}
OPERATOR = "a1b2c3d4e5"


def recently() -> str:
    """An hour ago, as a caller writes it."""
    return (clock.now() - timedelta(hours=1)).isoformat()


@pytest.fixture
def world() -> World:
    world = World()
    world.service.operators = {LOCAL, OPERATOR}
    return world


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with TestClient(world.app(), raise_server_exceptions=False) as client:
        yield client


def open_case(equip_id: str = EQUIP, level: int = 1, hours_ago: int = 3) -> Case:
    raised = clock.now() - timedelta(hours=hours_ago)
    hour = clock.hour_of(clock.naive(raised))
    return Case(f"{ZONE}/{equip_id}/wear/{hour}", ZONE, equip_id, Cause.WEAR, level, Status.OPEN, raised, raised, hour)


def hold(world: World, *cases: Case) -> None:
    """Let these be the cases that scoring left."""
    machines = {str(case.machine): MachineAlerts(newest=case.raised_hour, wear=case) for case in cases}
    update(world.model_storage, LAKE, lambda _: (AlertState(machines), None))


def stored(world: World) -> list[records.Record]:
    return sorted(records.update_index(world.model_storage).by_key.values(), key=lambda record: record.id)


# --- records -------------------------------------------------------------------------------------------------


def test_a_record_is_stored_with_who_and_when(client: TestClient, world: World) -> None:
    start = recently()
    answer = client.post(
        RECORDS, headers=KEY, json={"kind": "failure", "start": start, "failureMode": "bearing", "note": " loud "}
    )
    assert answer.status_code == 201, answer.text
    (record,) = stored(world)
    assert (record.kind, record.start, record.failure_mode, record.note) == ("failure", start, "bearing", "loud")
    assert (record.id, record.by, record.machine) == ("one-1", LOCAL, MACHINE)
    assert clock.now() - record.at < timedelta(minutes=1)
    body = answer.json()
    assert (body["id"], body["by"], body["failureMode"], body["zoneId"]) == ("one-1", LOCAL, "bearing", ZONE)


def test_the_same_request_again_is_one_record_and_one_answer(client: TestClient, world: World) -> None:
    body = {"kind": "maintenance", "start": recently()}
    first, again = (client.post(RECORDS, headers=KEY, json=body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert len(stored(world)) == 1


def test_another_record_under_a_used_key_is_refused_and_changes_nothing(client: TestClient, world: World) -> None:
    client.post(RECORDS, headers=KEY, json={"kind": "seen", "start": recently()})
    answer = client.post(RECORDS, headers=KEY, json={"kind": "failure", "start": recently()})
    assert answer.status_code == 409
    assert "use a new key" in answer.json()["detail"]
    assert [record.kind for record in stored(world)] == ["seen"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "broken"}, "kind"),
        ({"start": "yesterday"}, "start is 'yesterday'"),
        ({"start": "2026-11-20T09:00:00", "end": "2026-11-19T09:00:00"}, "end 2026-11-19"),
        ({"start": "2999-01-01T00:00:00"}, "planned is not"),
        ({"note": "x" * 1001}, "note"),
        ({"note": "a\x1b[2Jb"}, "note: Value error, it holds control characters"),
        ({"failureMode": "a\u2028b"}, "failureMode"),
        ({"equipId": "OTHER"}, "equipId"),
        ({"start": None}, "start"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_and_nothing_is_written(
    client: TestClient, world: World, changes: dict[str, Any], words: str
) -> None:
    answer = client.post(RECORDS, headers=KEY, json={"kind": "failure", "start": recently()} | changes)
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["detail"]
    assert stored(world) == []


@pytest.mark.parametrize(
    ("path", "headers", "content", "words"),
    [
        (RECORDS, {}, '{"kind":"seen","start":"2026-11-20T09:00:00"}', "Idempotency-Key is missing"),
        (RECORDS, {"Idempotency-Key": "a/../b"}, '{"kind":"seen","start":"2026-11-20T09:00:00"}', "Idempotency-Key"),
        (RECORDS, KEY, "{", "the body is not JSON"),
        (RECORDS, KEY, b"\xff\x12", "the body is not JSON"),
        (RECORDS, KEY, "[" * 100_000, "the body is not JSON"),
        (RECORDS, KEY, "", "body is missing"),
        (RECORDS, KEY, '{"start":"2026-11-20T09:00:00"}', "kind is missing"),
        (f"/api/v1/machines/{ZONE}/..x/records", KEY, '{"kind":"seen","start":"2026-11-20T09:00:00"}', "equipId"),
    ],
)
def test_a_request_that_lacks_something_says_what(
    client: TestClient, world: World, path: str, headers: dict[str, str], content: str | bytes, words: str
) -> None:
    answer = client.post(path, headers={"Content-Type": "application/json"} | headers, content=content)
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["detail"]
    assert world.model_storage.calls["put"] == 0


def test_records_are_posted_and_not_read(client: TestClient) -> None:
    answer = client.get(RECORDS)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["detail"] == "GET is not allowed here; use POST"


def test_only_an_operators_key_may_write_and_a_header_makes_none(world: World) -> None:
    handler = world.handler()
    body = msgspec.json.encode({"kind": "seen", "start": recently()}).decode()

    def post(event: dict[str, Any], key_id: str | None) -> int:
        event |= {"body": body, "headers": {"content-type": "application/json", "idempotency-key": "one-1"}}
        event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
        event["headers"]["x-api-key"] = OPERATOR
        identity = {} if key_id is None else {"apiKeyId": key_id}
        event["requestContext"]["identity"] = {"sourceIp": "192.0.2.1"} | identity
        return int(handler(event, None)["statusCode"])

    assert post(rest_event(RECORDS, method="POST"), "viewer0000") == 403
    assert post(rest_event(RECORDS, method="POST"), None) == 403
    assert post(rest_event(RECORDS, method="POST"), LOCAL.upper()) == 403
    # an HTTP API has no keys, whatever an event says
    assert post(http_event(RECORDS, method="POST"), None) == 403
    assert stored(world) == []
    assert post(rest_event(RECORDS, method="POST"), OPERATOR) == 201
    assert [record.by for record in stored(world)] == [OPERATOR]


def test_without_operators_nobody_may_write() -> None:
    with TestClient(World().app()) as client:
        answer = client.post(RECORDS, headers=KEY, json={"kind": "seen", "start": recently()})
    assert answer.status_code == 403
    assert "operators" in answer.json()["detail"]


# --- cases ---------------------------------------------------------------------------------------------------


def test_cases_are_listed_the_most_urgent_first(client: TestClient, world: World) -> None:
    closed = msgspec.structs.replace(open_case("E-4"), status=Status.CLOSED, closed_at=clock.now())
    hold(world, open_case("E-1"), open_case("E-2", level=3), open_case("E-3", level=2), closed)
    first = client.get(CASES, params={"limit": 2}).json()
    assert ([case["equipId"] for case in first["cases"]], first["total"]) == (["E-2", "E-3"], 3)
    rest = client.get(CASES, params={"limit": 2, "offset": first["next_offset"]}).json()
    assert ([case["equipId"] for case in rest["cases"]], rest["next_offset"]) == (["E-1"], None)
    assert [case["equipId"] for case in client.get(CASES, params={"status": "closed"}).json()["cases"]] == ["E-4"]
    assert client.get(CASES, params={"zoneId": "ZONE-404"}).json()["cases"] == []


@pytest.mark.parametrize(
    ("kind", "status", "outcome"),
    [
        ("seen", "acknowledged", None),
        ("planned", "acknowledged", None),
        ("maintenance", "closed", "maintenance"),
        ("false_alarm", "closed", "false_alarm"),
        ("inspection", "open", None),
    ],
)
def test_a_record_shows_in_its_case_before_scoring_has_seen_it(
    client: TestClient, world: World, kind: str, status: str, outcome: str | None
) -> None:
    hold(world, open_case())
    assert client.get(CASES).json()["cases"][0]["status"] == "open"
    assert client.post(RECORDS, headers=KEY, json={"kind": kind, "start": recently()}).status_code == 201
    (case,) = client.get(CASES, params={"status": status}).json()["cases"]
    assert (case["outcome"], case["acknowledged_by"]) == (outcome, LOCAL if status == "acknowledged" else None)


def test_a_record_about_another_machine_leaves_a_case_alone(client: TestClient, world: World) -> None:
    hold(world, open_case("E-1"))
    client.post(RECORDS, headers=KEY, json={"kind": "seen", "start": recently()})
    assert [case["status"] for case in client.get(CASES).json()["cases"]] == ["open"]


def test_without_scoring_there_are_no_cases(client: TestClient) -> None:
    answer = client.get(CASES)
    assert answer.status_code == 404
    assert "score function" in answer.json()["detail"]


def test_a_page_of_cases_costs_two_conditional_reads_and_a_listing(client: TestClient, world: World) -> None:
    hold(world, open_case())
    client.get(CASES)
    world.reset_calls()
    client.get(CASES)
    assert world.model_storage.calls == {"get": 2, "list": 1}

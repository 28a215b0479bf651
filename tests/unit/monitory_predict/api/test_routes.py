"""The HTTP API: every status and body."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from monitory import clock
from monitory.errors import ObjectNotFound, ObjectTooLarge, StorageUnavailable
from monitory_predict.factory_service import FactoryService
from monitory_predict.plain.error_replies import RETRY_AFTER_SECONDS
from tests.support.models import card
from tests.support.predicting import NOW, V1, V2, World
from tests.support.registries import KEY
from tests.support.samples import MACHINE, lake_key

PREDICT = "/api/v1/predict?zoneId=ZONE-001&equipId=EQUIP-001"
LAST_GOOD = "the newest model cannot be used, the last good one answers:"


def test_a_prediction_has_the_contract_s_fields_and_all_that_it_rests_on(client: TestClient, world: World) -> None:
    answer = client.get(PREDICT)
    assert answer.status_code == 200
    body = answer.json()
    estimate = world.service.predict(MACHINE, NOW).prediction.estimate
    assert body["status"] == "ok"
    assert (body["zoneId"], body["equipId"]) == MACHINE
    assert body["as_of"] == "2026-11-20T02:55:00Z"
    assert body["predictions"] == [round(estimate.days, 4)]
    assert body["rul"] == f"{estimate.days:.1f} days"
    assert body["interval"]["low"] <= body["predictions"][0] <= body["interval"]["high"]
    assert body["interval"]["coverage"] == 0.9
    assert body["base_days"] + sum(one["days"] for one in body["drivers"]) == pytest.approx(estimate.raw_days, abs=1e-3)
    assert body["window"] == {
        "start": "2026-11-20T11:00:00+09:00",
        "end": "2026-11-20T12:00:00+09:00",
        "readings": 72,
        "rejected": {},
        "missing_sensors": [],
        "history_hours": 29,
    }
    assert body["data_age_minutes"] == 25.0
    assert body["model"] == {"version": V1, "trained_at": "2026-11-20T15:03:12+00:00"}


def test_a_foreign_model_answers_without_a_version_or_an_interval(client: TestClient, world: World) -> None:
    body = world.registry.storage.get(KEY).body
    world.registry.storage.put(KEY, body, content_type="application/json")
    answer = client.get(PREDICT).json()
    assert answer["model"]["version"] is None
    assert answer["interval"] is None


def test_the_cap_is_told_as_at_least(client: TestClient, world: World) -> None:
    world.promote(V2, seed=1, made=card(V2, cap_days=0.25))
    answer = client.get(PREDICT).json()
    assert (answer["predictions"], answer["rul"]) == ([0.25], ">= 0.25 days")


def test_while_the_newest_model_is_broken_the_answer_says_so(client: TestClient, world: World) -> None:
    first = client.get(PREDICT).json()
    world.registry.storage.put(KEY, b"gibberish", content_type="application/json")
    answer = client.get(PREDICT).json()
    assert answer["predictions"] == first["predictions"]
    assert answer["model"] == first["model"]
    assert answer["warnings"][-1] == f"{LAST_GOOD} the new object was refused"
    health = client.get("/api/v1/health")
    assert health.status_code == 200
    assert health.json()["message"] == "serving, but not the newest model: the new object was refused"


def no_longer(verb: str, key: str) -> None:
    if key == KEY:
        raise ObjectNotFound(f"there is no s3://models/{KEY}")


def too_large(verb: str, key: str) -> None:
    if key == KEY:
        raise ObjectTooLarge(f"s3://models/{KEY} has 999,999,999 bytes")


def unreachable(verb: str, key: str) -> None:
    """As the client says it: with the bucket, the key, the address, and the first line of what came back."""
    reason = 'Client error: <?xml version="1.0"?><Error><Code>InternalError</Code></Error>'
    raise StorageUnavailable(
        f"cannot {verb} s3://secret-bucket/{key}: http://10.0.0.1:9000/secret-bucket/{key} {reason}"
    )


INSIDES = ("secret-bucket", "s3://", "http", "<?xml", "10.0.0.1", KEY, "bytes")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (unreachable, "the storage fails"),
        (no_longer, "the served object is gone"),
        (too_large, "the new object was refused"),
    ],
)
def test_why_the_last_good_model_answers_is_told_without_the_store_s_insides(
    client: TestClient, world: World, fault: Callable[[str, str], None], why: str
) -> None:
    client.get(PREDICT)
    world.model_storage.before = fault
    answer, health = client.get(PREDICT), client.get("/api/v1/health")
    assert answer.json()["warnings"][-1] == f"{LAST_GOOD} {why}"
    assert health.json()["message"] == f"serving, but not the newest model: {why}"
    assert not [inside for inside in INSIDES if inside in answer.text + health.text]


@pytest.mark.parametrize("path", [PREDICT, "/api/v1/health"])
def test_the_log_names_what_the_caller_is_not_told(world: World, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    logged: list[str] = []
    monkeypatch.setattr(world.log, "error", lambda text, *values: logged.append(text % values))
    client = TestClient(world.app())
    client.get(path)
    world.model_storage.before = unreachable
    client.get(path)
    assert any("secret-bucket" in line and "InternalError" in line for line in logged)


def test_a_first_model_that_is_refused_is_503_with_a_fixed_text(world: World) -> None:
    world.registry.storage.put(KEY, b"gibberish", content_type="application/json")
    client = TestClient(world.app())
    for path in (PREDICT, "/api/v1/health"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.json() == {"detail": "the model cannot be used"}


def test_warnings_tell_of_unreadable_objects_and_of_the_future(client: TestClient, world: World) -> None:
    world.lake_storage.put(lake_key(NOW.date(), "bad"), b"gibberish")
    world.write(NOW + timedelta(hours=2))
    warnings = client.get(PREDICT).json()["warnings"]
    assert any("1 hours with readings from the future were left out" in warning for warning in warnings)
    assert any("equip-bad-0.json is readable" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("", "zoneId"),
        ("?zoneId=ZONE-001", "equipId"),
        ("?equipId=EQUIP-001", "zoneId"),
        ("?zoneId=&equipId=E", "zoneId"),
        ("?zoneId=../x&equipId=E", "zoneId"),
        ("?zoneId=Z&equipId=.E", "equipId"),
        ("?zoneId=Z&equipId=a%2Fb", "equipId"),
        ("?zoneId=Z&equipId=E%00", "equipId"),
        ("?zoneId=Z&equipId=E%0A", "equipId"),
        ("?zoneId=Z&equipId=%EA%B8%B0*", "equipId"),
        (f"?zoneId=Z&equipId={'x' * 65}", "equipId"),
        ("?zoneid=Z&equipid=E", "zoneId"),
    ],
)
def test_a_parameter_that_is_missing_or_malformed_is_named(client: TestClient, query: str, named: str) -> None:
    answer = client.get(f"/api/v1/predict{query}")
    assert answer.status_code == 422
    detail = answer.json()["detail"]
    assert detail.startswith(f"{named} ")
    assert "letters, digits" in detail or "missing" in detail
    assert "[A-Z" not in detail


@pytest.mark.parametrize(
    ("now", "machine", "said"),
    [
        (NOW, "EQUIP-404", "no readings of ZONE-001/EQUIP-404 in the last 30 days"),
        (NOW + timedelta(hours=5), "EQUIP-001", "readings older than 3 h are not used"),
        (NOW + timedelta(days=12), "EQUIP-001", "since 2026-11-20 (12 days ago)"),
    ],
)
def test_a_machine_without_recent_data_is_not_found(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, now: Any, machine: str, said: str
) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)
    answer = client.get(f"/api/v1/predict?zoneId=ZONE-001&equipId={machine}")
    assert answer.status_code == 404
    assert said in answer.json()["detail"]


def test_without_a_model_nothing_is_predicted_but_later(world: World) -> None:
    del world.model_storage.objects[KEY]
    client = TestClient(world.app())
    for path in (PREDICT, "/api/v1/health"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == str(RETRY_AFTER_SECONDS)
        assert answer.json() == {"detail": "no model has been promoted yet"}
    assert client.get("/api/v1/models").status_code == 200


@pytest.mark.parametrize("path", [PREDICT, "/api/v1/health", "/api/v1/models", f"/api/v1/models/{V1}/report"])
def test_a_failing_store_is_503_with_retry_after(client: TestClient, world: World, path: str) -> None:
    world.lake_storage.before = world.model_storage.before = unreachable
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert answer.json() == {"detail": "the storage does not answer; try again"}


@pytest.mark.parametrize("path", [PREDICT, "/api/v1/models"])
def test_a_defect_says_nothing_of_what_is_inside(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def secret(*_: object) -> None:
        raise RuntimeError("secret /opt/python")

    monkeypatch.setattr(world.service, "predict", secret)
    monkeypatch.setattr(FactoryService, "versions", secret)
    answer = client.get(path)
    assert answer.status_code == 500
    assert answer.json() == {"detail": "internal error"}
    assert answer.headers["cache-control"] == "no-store"


def test_health_names_the_model(client: TestClient) -> None:
    answer = client.get("/api/v1/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["message"] == "serving"
    assert answer.json()["version"] == V1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (f"q={'x' * 65}", "q"),
        ("level=urgent", "level"),
        ("trend=perhaps", "trend"),
        ("q=a&q=b", "q"),
        ("level=act&level=plan", "level"),
    ],
)
def test_a_question_about_the_fleet_that_makes_no_sense_names_its_field(
    client: TestClient, query: str, field: str
) -> None:
    answer = client.get(f"/api/v1/fleet?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(field)


@pytest.mark.parametrize("path", [PREDICT, "/api/v1/health", "/api/v1/predict", "/nowhere"])
def test_answers_are_not_kept_and_not_guessed(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_other_ways_in_are_closed(client: TestClient) -> None:
    assert client.get("/nowhere").status_code == 404
    assert client.get("/ml/api/v1/health").status_code == 200
    assert client.head("/api/v1/health").status_code == 200
    assert client.post(PREDICT).status_code == 405
    assert client.delete("/api/v1/models").status_code == 405

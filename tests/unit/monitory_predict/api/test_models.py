"""What the HTTP API says of models: versions, history, reports."""

import pytest
from starlette.testclient import TestClient

from tests.support.models import small_text
from tests.support.predicting import V1, V2, World
from tests.support.registries import roll_back


def test_models_are_listed_newest_first_with_their_metrics_and_history(client: TestClient, world: World) -> None:
    world.promote(V2, seed=1)
    roll_back(world.registry)
    body = client.get("/api/v1/models").json()
    history = world.registry.history()
    assert body["served"] == V1
    assert [(one["version"], one["served"], one["metrics"]) for one in body["versions"]] == [
        (V2, False, {"mae": 2.5}),
        (V1, True, {"mae": 1.5}),
    ]
    assert [one["served_since"] for one in body["versions"]] == [None, history[-1].at]
    assert [(one["number"], one["action"], one["version"]) for one in body["history"]] == [
        (3, "rollback", V1),
        (2, "promote", V2),
        (1, "promote", V1),
    ]


def test_the_served_version_is_listed_however_old_it_is(client: TestClient, world: World) -> None:
    for day in range(1, 29):
        world.store(f"2027/02/{day:02d}/150312", seed=1)
    versions = client.get("/api/v1/models").json()["versions"]
    assert len(versions) == 21
    assert (versions[-1]["version"], versions[-1]["served"]) == (V1, True)


def test_a_version_of_an_older_trainer_is_listed(client: TestClient, world: World) -> None:
    key = "models/2025/03/01/150312/lgbm_regressor.json"
    world.registry.storage.put(key, small_text(3), content_type="application/json")
    older = client.get("/api/v1/models").json()["versions"][-1]
    assert (older["version"], older["served"], older["metrics"]) == ("2025/03/01/150312", False, None)


def test_metrics_that_cannot_be_read_are_left_out(client: TestClient, world: World) -> None:
    world.registry.storage.put(f"models/{V1}/metrics.json", b'{"a": "\xff"', content_type="application/json")
    assert client.get("/api/v1/models").json()["versions"][0]["metrics"] is None


@pytest.mark.parametrize("name", [V1, V1.replace("/", "-")])
def test_a_report_is_a_page(client: TestClient, world: World, name: str) -> None:
    world.registry.storage.put(f"models/{V1}/report.html", "<h1>보고서</h1>".encode(), content_type="text/html")
    answer = client.get(f"/api/v1/models/{name}/report")
    assert (answer.status_code, answer.text) == (200, "<h1>보고서</h1>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("name", [V2, V1, "latest", "..", "../../x", "%2e%2e%2f", "x" * 500])
def test_a_report_that_is_not_there_is_not_found(client: TestClient, name: str) -> None:
    answer = client.get(f"/api/v1/models/{name}/report")
    assert answer.status_code == 404
    assert isinstance(answer.json()["detail"], str)

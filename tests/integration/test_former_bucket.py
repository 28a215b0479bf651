"""A model bucket that version 1.0 wrote goes on working: it is served, read, promoted over and rolled back to."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from starlette.testclient import TestClient

from monitory import clock
from monitory.features import failure_state
from monitory.registry.registry import Registry
from monitory.settings import PredictSettings, RetrainSettings, from_environment
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import REGION, S3
from monitory_predict import application
from monitory_predict.telemetry import NoTelemetry
from monitory_retrain import bootstrap
from monitory_retrain.job import Job
from monitory_retrain.training.training import Recipe
from tests.support import former_lake
from tests.support.buckets import shared_bucket
from tests.support.former_lake import MACHINES, ZONE

ARCHIVE = Path(__file__).parent / "former" / "v1.0.zip"
NOW = datetime(2025, 6, 13, 0, 20, tzinfo=clock.KST)
"""Twenty minutes after the lake's last hour."""

RANGE = {"start": "2025-06-01", "end": "2025-06-12"}
SETTINGS = {
    "MIN_READINGS": "1000",
    "MIN_DAYS": "5",
    "MIN_MACHINES": "2",
    "MIN_FAILURES": "3",
    "MAX_RUL_DAYS": "4",
    "LOG_LEVEL": "CRITICAL",
    "POWERTOOLS_METRICS_DISABLED": "true",
}

Answer = dict[str, Any]


def archived(name: str) -> dict[str, Any]:
    with ZipFile(ARCHIVE) as archive:
        content: dict[str, Any] = json.loads(archive.read(name))
    return content


@pytest.fixture(scope="module")
def lake(s3_server: S3) -> str:
    """The lake that version 1.0 read."""
    with shared_bucket(s3_server, "lake") as storage:
        for key, body in former_lake.objects():
            storage.put(key, body, content_type="application/x-ndjson")
    return storage.name


@pytest.fixture
def models(lake: str, model_bucket: str, monkeypatch: pytest.MonkeyPatch) -> S3Storage:
    """The bucket of version 1.0, and the settings of a stack that is upgraded."""
    for name, value in {**SETTINGS, "S3_INPUT_DATA_BUCKET_NAME": lake}.items():
        monkeypatch.setenv(name, value)
    storage = S3Storage(model_bucket, region=REGION)
    listing: Mapping[str, dict[str, str]] = archived("objects.json")
    with ZipFile(ARCHIVE) as archive:
        for key, metadata in listing.items():
            own = {name: value for name, value in metadata.items() if name != "content-type"}
            storage.put(key, archive.read(key), content_type=metadata["content-type"], metadata=own)
    return storage


def predict(equip_id: str, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """The answer of a freshly started predict function."""
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        client = TestClient(application.build_app(from_environment(PredictSettings), NoTelemetry()))
        response = client.get("/api/v1/predict", params={"zoneId": ZONE, "equipId": equip_id})
    assert response.status_code == 200, response.text
    answer: Answer = response.json()
    return answer


def job() -> Job:
    built = bootstrap.build_job(from_environment(RetrainSettings))
    return replace(built, recipe=Recipe(folds=2, trees=12, threads=1))


def handle(event: Answer) -> Answer:
    return bootstrap.handle(job(), event, lambda: 900.0)


@pytest.mark.parametrize("equip_id", MACHINES[:2])
def test_its_model_answers_as_it_did(equip_id: str, models: S3Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    before, now = archived("answers.json")[equip_id], predict(equip_id, monkeypatch)
    for name in ("predictions", "interval", "drivers", "model"):
        assert now[name] == before[name], name


def test_a_machine_that_it_never_answered_for_is_read_from_the_lake(
    models: S3Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        predict(MACHINES[3], monkeypatch)["model"]["version"]
        == archived("answers.json")[MACHINES[0]]["model"]["version"]
    )


def test_its_rows_are_not_read_again_and_its_failures_stay(models: S3Storage) -> None:
    state = failure_state.read(models).state
    result = handle({**RANGE, "promote": "never"})
    assert result["status"] == "trained"
    assert (result["data"]["objects"], result["data"]["objects_read"]) == (len(MACHINES) * 24 * former_lake.DAYS, 0)
    later = failure_state.read(models).state
    assert {name: later.last[name] >= hour for name, hour in state.last.items()} == dict.fromkeys(state.last, True)


def test_a_new_version_is_promoted_over_it_and_rolled_back_to_it(
    models: S3Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(models, "models/latest/lgbm_regressor.json")
    former = registry.served().version
    version = handle({**RANGE, "promote": "never"})["version"]
    assert version not in (None, former)
    promotion = handle({"action": "promote", "version": version, "reason": "upgrade"})
    assert (promotion["status"], promotion["replaced"], promotion["promotion"]) == ("promoted", former, 3)
    assert predict(MACHINES[0], monkeypatch)["model"]["version"] == version
    rollback = handle({"action": "rollback", "reason": "as before"})
    assert (rollback["status"], rollback["version"], rollback["promotion"]) == ("rolled back", former, 4)
    assert predict(MACHINES[0], monkeypatch)["predictions"] == archived("answers.json")[MACHINES[0]]["predictions"]


def test_its_versions_are_listed_and_any_of_them_is_promoted(models: S3Storage) -> None:
    oldest, newest = Registry(models, "models/latest/lgbm_regressor.json").versions()
    assert handle({"action": "promote", "version": str(oldest), "reason": "the older one"})["replaced"] == str(newest)


def test_its_champion_is_judged_on_the_new_hold_out(models: S3Storage) -> None:
    result = handle(RANGE)
    assert result["champion"]["mae"] > 0
    assert not any("cannot be used" in reason for reason in result["reasons"])

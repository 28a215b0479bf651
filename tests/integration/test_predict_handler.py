"""The real handler against the embedded S3 server: environment variables in, API Gateway events through."""

import importlib
import json
import random
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from monitory import clock
from monitory.features import vector
from monitory.lake import Lake, MachineDay
from monitory.registry.registry import Registry
from monitory.settings import PredictSettings
from monitory.storage.s3 import S3Storage
from monitory_predict.api import document
from monitory_predict.application import build_app
from monitory_predict.telemetry import NoTelemetry
from tests.support.gateways import function_url_event, http_event
from tests.support.models import CONTRACT_FEATURES, SENSORS, card, frame, small_text, text, train
from tests.support.predicting import event_loop
from tests.support.registries import KEY, promote
from tests.support.samples import MACHINE, hour_of_readings, lake_key, ndjson

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=clock.KST)
EVENT = json.loads((Path(__file__).parents[2] / "events/predict-rest.json").read_text())
V1 = "2026/11/18/150000"

Ask = Callable[[str], tuple[int, dict[str, Any]]]


@pytest.fixture
def lake(lake_bucket: str) -> S3Storage:
    storage = S3Storage(lake_bucket, region="x")
    for age in range(1, 6):
        start = (NOW - timedelta(hours=age)).replace(tzinfo=None, minute=0)
        readings = hour_of_readings(start, value=lambda number: 60 + number % 11)
        storage.put(lake_key(start.date(), f"{start:%H}"), ndjson(readings), content_type="application/json")
    return storage


@pytest.fixture
def models(model_bucket: str) -> S3Storage:
    return S3Storage(model_bucket, region="x")


@pytest.fixture
def ask(lake: S3Storage, models: S3Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Ask a freshly started handler for a path of the machine."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    started: list[Any] = []

    def call(path: str) -> tuple[int, dict[str, Any]]:
        if not started:
            sys.modules.pop("monitory_predict.handler", None)
            started.append(importlib.import_module("monitory_predict.handler"))
        query = {"zoneId": MACHINE.zone_id, "equipId": MACHINE.equip_id}
        event = {
            **EVENT,
            "path": path,
            "queryStringParameters": query,
            "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
        }
        answer = started[0].lambda_handler(event, object())
        return answer["statusCode"], json.loads(answer["body"])

    with event_loop():
        yield call


def test_a_foreign_model_is_answered_as_lightgbm_itself_would(ask: Ask, lake: S3Storage, models: S3Storage) -> None:
    names = list(CONTRACT_FEATURES)
    random.Random(3).shuffle(names)
    machines = ["EQUIP-007", MACHINE.equip_id, "EQUIP-002"]
    booster = train(frame(names, machines=machines), trees=60, min_data_per_group=5, cat_smooth=1.0)
    models.put(KEY, text(booster), content_type="application/octet-stream")

    of = Lake(lake, "EQUIPMENT", SENSORS)
    newest = of.refresh(MachineDay(), of.machine_day(MACHINE, NOW.date())).hours[-1]
    values = dict(zip(vector.names(SENSORS), vector.build([newest], SENSORS, None), strict=True))
    asked = pd.DataFrame([{name: values[name] for name in names}])
    asked.insert(1, vector.EQUIPMENT, pd.Series(pd.Categorical([MACHINE.equip_id])))
    own = float(np.asarray(booster.predict(asked, num_threads=1))[0])

    status, body = ask("/api/v1/predict")
    assert status == 200
    assert body["predictions"] == [round(min(max(own, 0.0), 30.0), 4)]
    assert 0 < own < 30
    assert body["model"]["version"] is None
    assert not any("has not seen machine" in warning for warning in body["warnings"])


def test_a_promotion_is_served_without_a_restart_and_a_broken_one_is_not(ask: Ask, models: S3Storage) -> None:
    assert ask("/api/v1/health")[0] == 503
    registry = Registry(models, KEY)
    registry.store(
        V1,
        {
            "model.txt": (small_text(), "text/plain"),
            "card.json": (msgspec.json.encode(card(V1)), "application/json"),
            "metrics.json": (b'{"mae": 1.0}', "application/json"),
        },
    )
    promote(registry, V1)
    status, body = ask("/api/v1/predict")
    assert (status, body["model"]["version"]) == (200, V1)
    assert body["window"]["readings"] == 72
    models.put(KEY, b"gibberish", content_type="application/octet-stream")
    status, again = ask("/api/v1/predict")
    assert (status, again["predictions"], again["model"]) == (200, body["predictions"], body["model"])
    assert any("the last good one answers" in warning for warning in again["warnings"])
    status, listed = ask("/api/v1/models")
    assert (status, listed["served"], [one["version"] for one in listed["versions"]]) == (200, None, [V1])


def test_a_machine_that_is_not_there_is_not_found(ask: Ask, lake: S3Storage, models: S3Storage) -> None:
    models.put(KEY, small_text(), content_type="application/octet-stream")
    assert ask("/api/v1/predict")[0] == 200
    status, body = ask("/api/v1/models/2026-01-01-000000/report")
    assert status == 404
    assert "2026-01-01-000000 has no report.html" in body["detail"]


def test_the_handler_is_behind_any_gateway_and_never_raises(ask: Ask, lake: S3Storage, models: S3Storage) -> None:
    models.put(KEY, small_text(), content_type="application/octet-stream")
    assert ask("/ml/api/v1/predict")[0] == 200
    handler = sys.modules["monitory_predict.handler"].lambda_handler
    query = {"zoneId": MACHINE.zone_id, "equipId": MACHINE.equip_id}
    good = [
        http_event("/api/v1/predict", query, base_path="/prod"),
        function_url_event("/api/v1/health", method="HEAD"),
    ]
    assert [handler(event, object())["statusCode"] for event in good] == [200, 200]
    odd: list[Any] = [{}, None, {"source": "serverless-plugin-warmup"}, {"requestContext": {}, "resource": "/"}]
    assert [handler(event, object())["statusCode"] for event in odd] == [400] * len(odd)


def test_the_document_is_that_of_the_application_started_without_haste(ask: Ask) -> None:
    status, body = ask(document.PATH)
    assert status == 200
    assert body == build_app(PredictSettings(log_level="CRITICAL"), NoTelemetry()).openapi()

"""The built artifacts run as Lambda runs them, against a real S3 server: predict, retrain, and predict again."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from mangum import Mangum

from monitory.machine import Machine
from monitory.settings import PredictSettings, from_environment
from monitory.storage.s3 import S3Storage
from monitory_local import sandbox
from monitory_local.lambdas import EVENTS, LocalContext, predict_event
from monitory_local.s3 import S3
from monitory_predict.application import build_app
from monitory_predict.telemetry import NoTelemetry
from tests.artifact.conftest import Factory, Trained
from tests.support import credential_endpoint
from tests.support.gateways import http_event, rest_event
from tests.support.template.iam import may
from tests.support.template.reading import Stack, source

pytestmark = pytest.mark.timeout(900)


def body(answer: Any) -> dict[str, Any]:
    """The JSON of a good answer."""
    assert answer["statusCode"] == 200, answer
    content: dict[str, Any] = json.loads(answer["body"])
    return content


def steady(content: dict[str, Any]) -> dict[str, Any]:
    """An answer without what changes with the clock."""
    return {key: value for key, value in content.items() if key != "data_age_minutes"}


def test_without_a_model_it_says_so_and_when_to_come_back(trained: Trained) -> None:
    answer = trained.call_without_model
    assert answer["statusCode"] == 503
    assert "model" in json.loads(answer["body"])["detail"]
    assert int(answer["headers"]["retry-after"]) > 0


def test_retrain_by_range_trains_and_gives_its_verdict(trained: Trained) -> None:
    assert trained.answer["status"] == trained.other["status"] == "trained"
    assert trained.answer["reasons"]
    assert trained.answer["version"] < trained.other["version"]
    assert trained.other["promoted"] is False


def test_the_running_function_answers_with_the_new_version(
    trained: Trained, predict_function: sandbox.Running, factory: Factory
) -> None:
    answers = [predict_function.invoke(predict_event(*machine)) for machine in factory.machines]
    good = [body(answer) for answer in answers if answer["statusCode"] == 200]
    assert len(good) >= len(answers) - 1
    assert {content["model"]["version"] for content in good} == {trained.answer["version"]}
    assert all(0 <= content["predictions"][0] <= 30 for content in good)


def test_rest_and_http_events_are_answered_alike(
    trained: Trained, predict_function: sandbox.Running, factory: Factory
) -> None:
    machine = factory.machines[0]
    rest = body(predict_function.invoke(predict_event(*machine)))
    query = {"zoneId": machine.zone_id, "equipId": machine.equip_id}
    http = body(predict_function.invoke(http_event("/api/v1/predict", query)))
    assert steady(rest) == steady(http)


def test_it_starts_as_from_a_snapshot_without_keys_in_its_environment(
    trained: Trained, predict_artifact: sandbox.Artifact, factory: Factory, s3: S3
) -> None:
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    with credential_endpoint.serving(s3.environment) as environment:
        without = {**predict_artifact.environment, **dict.fromkeys(keys, ""), **environment}
        with sandbox.serve(replace(predict_artifact, environment=without)) as running:
            answers = [running.invoke(predict_event(*machine)) for machine in factory.machines]
    assert {body(answer)["model"]["version"] for answer in answers if answer["statusCode"] == 200} == {
        trained.answer["version"]
    }


def compare(
    artifact: sandbox.Artifact, machines: list[Machine], monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """Answers of the artifact, after each was found to be what this process answers."""
    for name, value in artifact.environment.items():
        monkeypatch.setenv(name, value)
    handler = Mangum(build_app(from_environment(PredictSettings), NoTelemetry()), lifespan="off")
    context: Any = LocalContext("monitory-predict", 29)
    answers = []
    # both start now: what a function has read it keeps for some minutes
    with sandbox.serve(artifact) as running:
        for machine in machines:
            event = predict_event(*machine)
            here, there = handler(deepcopy(event), context), running.invoke(event)
            assert here["statusCode"] == there["statusCode"]
            if there["statusCode"] == 200:
                assert steady(body(there)) == steady(json.loads(here["body"]))
                answers.append(body(there))
    assert len(answers) >= len(machines) // 2
    return answers


def test_the_artifact_answers_what_this_process_answers(
    trained: Trained, predict_artifact: sandbox.Artifact, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer in compare(predict_artifact, factory.machines, monkeypatch):
        assert answer["model"]["version"] == trained.answer["version"]


def test_the_artifact_serves_a_model_of_unknown_origin_by_feature_name(
    predict_artifact: sandbox.Artifact, factory: Factory, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.ensure_buckets("artifact-foreign")
    storage = S3Storage("artifact-foreign", region="ap-northeast-2")
    key = PredictSettings.model_fields["s3_model_key"].default
    storage.put(key, foreign_model(factory.machines), content_type="text/plain")
    environment = {**predict_artifact.environment, "S3_MODEL_BUCKET_NAME": storage.name}
    answers = compare(replace(predict_artifact, environment=environment), factory.machines, monkeypatch)
    assert {answer["model"]["version"] for answer in answers} == {None}
    assert len({answer["predictions"][0] for answer in answers}) > 1


def foreign_model(machines: list[Machine]) -> bytes:
    """A LightGBM text with a pandas categorical and features in an order of its own, without metadata."""
    draw = np.random.default_rng(7)
    names = [machine.equip_id for machine in machines]
    data = pd.DataFrame(
        {
            "vibration": draw.normal(1.6, 0.7, 400),
            "equipment": pd.Categorical(draw.choice(names, 400), categories=names),
            "temperature_rollstd": draw.gamma(2, 3, 400),
            "temperature": draw.normal(71, 10, 400),
        }
    )
    days = 30 - data["vibration"] * 4 + data["equipment"].cat.codes + draw.normal(0, 0.3, 400)
    model = lgb.train({"objective": "regression", "verbosity": -1, "num_threads": 1}, lgb.Dataset(data, days), 20)
    return model.model_to_string().encode()


def test_promotion_and_rollback_are_seen_without_a_restart(
    trained: Trained, predict_function: sandbox.Running, retrain_function: sandbox.Running, factory: Factory
) -> None:
    first, second = trained.answer["version"], trained.other["version"]
    health = rest_event("/api/v1/health")
    promoted = retrain_function.invoke({"action": "promote", "version": second, "reason": "to see it served"})
    assert promoted["version"] == second
    assert body(predict_function.invoke(health))["version"] == second
    rolled_back = retrain_function.invoke({"action": "rollback", "reason": "enough seen"})
    assert (rolled_back["version"], rolled_back["replaced"]) == (first, second)
    assert body(predict_function.invoke(health))["version"] == first


def test_every_route_of_the_gateway_is_answered(trained: Trained, predict_function: sandbox.Running) -> None:
    listed = body(predict_function.invoke(rest_event("/api/v1/models")))
    assert {version["version"] for version in listed["versions"]} >= {trained.answer["version"]}
    dashed = trained.answer["version"].replace("/", "-")
    report = predict_function.invoke(rest_event(f"/api/v1/models/{dashed}/report"))
    assert report["statusCode"] in (200, 404)


def test_the_roles_allow_what_the_functions_did(
    trained: Trained, predict_function: sandbox.Running, factory: Factory, s3: S3, template: dict[str, Any]
) -> None:
    for machine in factory.machines:
        predict_function.invoke(predict_event(*machine))
    bucket = factory.environment["S3_MODEL_BUCKET_NAME"]
    stack = Stack(template, ExistingModelBucketName=bucket)
    pages = s3.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [item["Key"] for page in pages for item in page["Contents"]]
    folders = {key.partition("/")[0] for key in keys}
    assert {"cache", "models", "promotions", "state"} <= folders
    for key in keys:
        assert may(stack, "RetrainRole", "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}"), key
        # hour rows of whole days and answers of nightly runs are for retraining only
        read_by_predict = not key.startswith(("cache/hour-rows/", "runs/"))
        assert may(stack, "PredictRole", "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}") is read_by_predict, key


def test_every_machine_is_scored_and_the_roles_allow_it(
    trained: Trained,
    predict_artifact: sandbox.Artifact,
    score_artifact: sandbox.Artifact,
    factory: Factory,
    s3: S3,
    template: dict[str, Any],
) -> None:
    models = S3Storage(factory.environment["S3_MODEL_BUCKET_NAME"], region="ap-northeast-2")
    s3.ensure_buckets("artifact-scored")
    scored = S3Storage("artifact-scored", region="ap-northeast-2")
    for entry in [*models.list("models"), *models.list("promotions"), *models.list("state")]:
        blob = models.get(entry.key)
        metadata = {name: value for name, value in blob.metadata.items() if name != "content-type"}
        scored.put(entry.key, blob.body, content_type="application/octet-stream", metadata=metadata)
    before = {entry.key for entry in scored.list("models")} | {entry.key for entry in scored.list("promotions")}
    environment = {**factory.environment, "S3_MODEL_BUCKET_NAME": scored.name, "SCORING": "true"}
    with sandbox.serve(replace(score_artifact, environment=environment)) as running:
        answer = running.invoke({})
    assert (answer["status"], answer["failed"]) == ("scored", 0)
    assert answer["machines"] == len(factory.machines)
    stack = Stack(template, ExistingModelBucketName=scored.name)
    written = {entry.key for folder in ("cache", "predictions", "state") for entry in scored.list(folder)} - before
    for key in written - {"state/failures.json"}:
        assert may(stack, "ScoreRole", "s3:PutObject", f"arn:aws:s3:::{scored.name}/{key}"), key
    with sandbox.serve(replace(predict_artifact, environment=environment)) as running:
        fleet = body(running.invoke(rest_event("/api/v1/fleet")))
        answers = [running.invoke(predict_event(*machine)) for machine in factory.machines]
    assert fleet["total"] == len(factory.machines)
    assert any(answer["statusCode"] == 200 for answer in answers)


def test_a_batch_is_read_without_what_only_learning_needs(
    retrain_function: sandbox.Running, retrain_artifact: sandbox.Artifact, factory: Factory, s3: S3
) -> None:
    event = {"action": "plan", "event": {**factory.event, "refresh": True}}
    planned = retrain_function.invoke(event)
    models = S3Storage(factory.environment["S3_MODEL_BUCKET_NAME"], region="ap-northeast-2")
    first = json.loads(models.get(planned["key"]).body.splitlines()[0])
    (handler,) = source()["Resources"]["ReadFunction"]["Properties"]["ImageConfig"]["Command"]
    with sandbox.serve(replace(retrain_artifact, handler=handler, libgomp=False)) as running:
        answer = running.invoke({"action": "read", "batch": first})
        other = running.invoke({"action": "rollback"})
    assert (answer["status"], answer["machines"]) == ("read", len(first["machines"])), answer
    assert answer["data"]["objects_read"] == first["objects"]
    assert (other["status"], "reads batches" in other["reason"]) == ("invalid", True)


@pytest.mark.parametrize("event", ["retrain-month.json", "retrain-range.json", "retrain-nightly.json"])
def test_a_month_without_data_is_skipped_with_the_reason(retrain_function: sandbox.Running, event: str) -> None:
    answer = retrain_function.invoke(json.loads((EVENTS / event).read_text(encoding="utf-8")))
    assert answer["status"] == "skipped"
    assert "are needed" in answer["reason"]

"""Both built artifacts as on AWS: no endpoint, Lambda's variables, session credentials, S3 behind TLS at its names."""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitory.machine import Machine
from monitory.registry.registry import Registry
from monitory.storage.s3 import S3Storage
from monitory_local import sandbox
from monitory_local.lambdas import predict_event
from monitory_local.s3 import REGION, S3
from monitory_local.simulator.__main__ import last_hours
from monitory_local.simulator.lake import write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan
from tests.artifact.conftest import PREDICT_HANDLER, Factory
from tests.support.aws_store import EXPIRED, SESSION, AwsStore, Request, aws_store, is_next_page
from tests.support.image import read_dockerfile
from tests.support.models import card, small_text
from tests.support.registries import KEY

pytestmark = pytest.mark.timeout(600)

LAKE, MODELS, DOTTED, ABROAD, NOWHERE = "aws-lake", "aws-models", "aws.models", "aws-abroad", "aws-nowhere"
TRAINED = "aws-trained"
FOREIGN_REGION = "eu-west-1"
VERSIONS = ("2026/11/20/150000", "2026/11/21/150000")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": SESSION.access_key,
    "AWS_SECRET_ACCESS_KEY": SESSION.secret_key,
    "AWS_SESSION_TOKEN": str(SESSION.token),
}


@dataclass(frozen=True)
class World:
    """The store, a machine with three hours of data, and how a function finds both."""

    store: AwsStore
    machine: Machine

    def artifact(self, base: sandbox.Artifact, **environment: str) -> sandbox.Artifact:
        """An artifact with Lambda's variables, the buckets' names, and names that resolve as in a region of AWS."""
        buckets = (LAKE, MODELS, ABROAD, NOWHERE)
        names = {**self.store.names(*buckets), **self.store.names(*buckets, region=FOREIGN_REGION)}
        names |= self.store.names(MODELS, region="cn-north-1", domain="amazonaws.com.cn")
        settings = {"S3_INPUT_DATA_BUCKET_NAME": LAKE, "S3_MODEL_BUCKET_NAME": MODELS}
        return replace(
            base,
            environment={**CREDENTIALS, **settings, **environment},
            hosts=names,
            certificates=self.store.authority,
        )


@pytest.fixture(scope="module")
def world(lambda_sandbox: None, s3_server: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two versions in each bucket of models, more keys than a page of a listing holds, and a lake."""
    with s3_server.active():
        s3_server.ensure_buckets(LAKE, MODELS, DOTTED, ABROAD)
        hours = last_hours(3)
        producer = Producer(Plan(hours.start, machines=1, rate_seconds=300.0))
        for lake in (LAKE, ABROAD):
            write_hours(S3Storage(lake, region=REGION), producer, hours)
        for bucket in (MODELS, DOTTED):
            _store_versions(S3Storage(bucket, region=REGION))
    lives = producer.machines[0].lives
    with aws_store(s3_server, tmp_path_factory.mktemp("tls")) as store:
        store.regions[ABROAD] = FOREIGN_REGION
        yield World(store, Machine(lives.zone_id, lives.equip_id))


def _store_versions(storage: S3Storage) -> None:
    registry = Registry(storage, KEY)
    for number, version in enumerate(VERSIONS):
        files = {
            "model.txt": (small_text(number), "text/plain"),
            "card.json": (msgspec.json.encode(card(version)), "application/json"),
            "metrics.json": (b'{"mae": 1.0}', "application/json"),
        }
        registry.store(version, files)
    with ThreadPoolExecutor(8) as executor:
        keys = [f"models/2025/01/01/000000/part-{number:04d}" for number in range(1050)]
        list(executor.map(lambda key: storage.put(key, b"", content_type="text/plain"), keys))


@pytest.fixture(scope="module")
def predict_base(built: Path) -> sandbox.Artifact:
    return sandbox.Artifact(built / "PredictFunction", PREDICT_HANDLER, [built / "SharedLayer"], timeout_seconds=20)


@pytest.fixture(scope="module")
def retrain_base(image: Path) -> sandbox.Artifact:
    dockerfile = read_dockerfile()
    return sandbox.Artifact(
        image, dockerfile.handler, environment=dockerfile.environment, timeout_seconds=60, libgomp=True
    )


@pytest.fixture(autouse=True)
def record(world: World, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Print what the store was asked and answered, with `-v` alone."""
    world.store.requests.clear()
    yield
    if request.config.get_verbosity() > 0:
        with capsys.disabled():
            sys.stdout.write("\n" + "\n".join(map(str, world.store.requests)) + "\n")


def get(path: str) -> dict[str, Any]:
    """The gateway's event for a route without parameters."""
    changes = {"resource": path, "path": path, "queryStringParameters": None, "multiValueQueryStringParameters": None}
    return predict_event("Z", "E") | changes


def content(answer: Any) -> dict[str, Any]:
    assert answer["statusCode"] == 200, answer
    parsed: dict[str, Any] = json.loads(answer["body"])
    return parsed


def statuses(requests: list[Request], verb: str, part: str) -> list[int]:
    return [request.status for request in requests if request.verb == verb and part in request.target]


def test_promote_predict_list_and_roll_back(
    world: World, predict_base: sandbox.Artifact, retrain_base: sandbox.Artifact
) -> None:
    requests = world.store.requests
    retrain_artifact = world.artifact(retrain_base, **retrain_base.environment)
    with sandbox.serve(world.artifact(predict_base)) as predict, sandbox.serve(retrain_artifact) as retrain:
        assert predict.invoke(get("/api/v1/health"))["statusCode"] == 503  # no model yet
        for version in VERSIONS:
            done = retrain.invoke({"action": "promote", "version": version, "reason": "test"})
            assert done.get("version") == version, done
            assert content(predict.invoke(get("/api/v1/health")))["version"] == version
        assert content(predict.invoke(get("/api/v1/health")))["version"] == VERSIONS[1]
        assert statuses(requests, "GET", KEY)[-1] == 304
        answer = content(predict.invoke(predict_event(*world.machine)))
        assert answer["model"]["version"] == VERSIONS[1]
        listed = content(predict.invoke(get("/api/v1/models")))
        assert {item["version"] for item in listed["versions"]} >= set(VERSIONS)
        assert any(is_next_page(request) for request in requests)
        assert retrain.invoke({"action": "rollback", "reason": "test"})["version"] == VERSIONS[0]
        assert content(predict.invoke(get("/api/v1/health")))["version"] == VERSIONS[0]
        again = retrain.invoke({"action": "promote", "version": "2026/01/01/000000", "reason": "test"})
        assert again["status"] == "refused"
    assert {request.host for request in requests} == {f"{name}.s3.{REGION}.amazonaws.com" for name in (LAKE, MODELS)}


@pytest.mark.timeout(900)
def test_a_training_beside_a_model_of_unknown_origin(
    world: World, s3_server: S3, factory: Factory, predict_base: sandbox.Artifact, retrain_base: sandbox.Artifact
) -> None:
    """Worker processes, LightGBM, the report's fonts and the child process that checks foreign models."""
    with s3_server.active():
        s3_server.ensure_buckets(TRAINED)
        S3Storage(TRAINED, region=REGION).put(KEY, small_text(), content_type="text/plain")
    settings = {name: value for name, value in factory.environment.items() if name not in s3_server.environment}
    settings["S3_MODEL_BUCKET_NAME"] = TRAINED
    buckets = (settings["S3_INPUT_DATA_BUCKET_NAME"], TRAINED)

    def artifact(base: sandbox.Artifact) -> sandbox.Artifact:
        own = world.artifact(base, **base.environment, **settings)
        return replace(own, hosts={**own.hosts, **world.store.names(*buckets)})

    retrain_artifact = replace(artifact(retrain_base), timeout_seconds=800, memory_mb=3008)
    with sandbox.serve(artifact(predict_base)) as predict, sandbox.serve(retrain_artifact) as retrain:
        assert content(predict.invoke(get("/api/v1/health")))["version"] is None
        done = retrain.invoke(factory.event)
        assert done["status"] == "trained", done
        if not done["promoted"]:  # the verdict depends on the hour at which the simulated lake ends
            retrain.invoke({"action": "promote", "version": done["version"], "reason": "test"})
        answers = [predict.invoke(predict_event(*machine)) for machine in factory.machines]
        served = [json.loads(answer["body"]) for answer in answers if answer["statusCode"] == 200]
        assert {answer["model"]["version"] for answer in served} == {done["version"]}
        report = predict.invoke(get(f"/api/v1/models/{done['version'].replace('/', '-')}/report"))
        assert report["statusCode"] == 200
    assert {request.host for request in world.store.requests} == {
        f"{name}.s3.{REGION}.amazonaws.com" for name in buckets
    }


def test_a_write_that_lost_its_race_is_refused(world: World, predict_base: sandbox.Artifact, tmp_path: Path) -> None:
    (tmp_path / "race.py").write_text(
        "from monitory.storage.s3 import S3Storage\n"
        "from monitory.errors import PreconditionFailed\n"
        "def handler(event, context):\n"
        f"    storage = S3Storage({MODELS!r}, region={REGION!r})\n"
        "    try:\n"
        "        return storage.put(event['key'], b'', content_type='text/plain', **event['condition'])\n"
        "    except PreconditionFailed as exc:\n"
        "        return type(exc).__name__\n"
    )
    tmp_path.chmod(0o755)
    racer = world.artifact(replace(predict_base, task=tmp_path, handler="race.handler"))
    with sandbox.serve(racer) as running:
        event = {"key": "race/key", "condition": {"create": True}}
        etag = running.invoke(event)
        assert running.invoke(event) == "PreconditionFailed"
        assert running.invoke({"key": "race/key", "condition": {"replaces": '"other"'}}) == "PreconditionFailed"
        assert running.invoke({"key": "race/key", "condition": {"replaces": etag}}) == etag
    assert statuses(world.store.requests, "PUT", "race") == [200, 412, 412, 200]


def test_a_bucket_with_dots_is_addressed_by_path(world: World, retrain_base: sandbox.Artifact) -> None:
    artifact = world.artifact(retrain_base, **retrain_base.environment, S3_MODEL_BUCKET_NAME=DOTTED)
    with sandbox.serve(artifact) as retrain:
        done = retrain.invoke({"action": "promote", "version": VERSIONS[0], "reason": "test"})
    assert done["version"] == VERSIONS[0]
    assert {request.host for request in world.store.requests} == {f"s3.{REGION}.amazonaws.com"}


def test_a_lake_in_another_region_is_read_where_the_setting_names_it(
    world: World, predict_base: sandbox.Artifact
) -> None:
    artifact = world.artifact(predict_base, S3_INPUT_DATA_BUCKET_NAME=ABROAD, S3_INPUT_DATA_REGION=FOREIGN_REGION)
    with sandbox.serve(artifact) as predict:
        assert predict.invoke(predict_event(*world.machine))["statusCode"] == 200
    assert f"{ABROAD}.s3.{FOREIGN_REGION}.amazonaws.com" in {request.host for request in world.store.requests}


def test_names_of_other_partitions(world: World, predict_base: sandbox.Artifact) -> None:
    world.store.regions[MODELS] = "cn-north-1"
    try:
        with sandbox.serve(world.artifact(predict_base, AWS_REGION="cn-north-1")) as predict:
            assert predict.invoke(get("/api/v1/health"))["statusCode"] == 200
    finally:
        del world.store.regions[MODELS]
    assert {request.host for request in world.store.requests} == {f"{MODELS}.s3.cn-north-1.amazonaws.com.cn"}


def _deny(store: AwsStore) -> None:
    store.denied.add(LAKE)


def _skew(store: AwsStore) -> None:
    store.clock_offset = timedelta(hours=1)


def _nothing(store: AwsStore) -> None:
    pass


@pytest.mark.parametrize(
    ("code", "cause", "environment"),
    [
        ("AccessDenied: User: function is not authorized", _deny, {}),
        ("RequestTimeTooSkewed", _skew, {}),
        ("ExpiredToken", _nothing, {"AWS_SESSION_TOKEN": EXPIRED}),
        ("NoSuchBucket", _nothing, {"S3_INPUT_DATA_BUCKET_NAME": NOWHERE}),
        ("NoSuchBucket", _nothing, {"S3_MODEL_BUCKET_NAME": NOWHERE}),
        (f"PermanentRedirect: .*; it lies in {FOREIGN_REGION}", _nothing, {"S3_INPUT_DATA_BUCKET_NAME": ABROAD}),
    ],
)
def test_a_refusal_is_named_by_the_stores_code_in_the_logs_first_line(
    world: World,
    predict_base: sandbox.Artifact,
    code: str,
    cause: Callable[[AwsStore], None],
    environment: dict[str, str],
) -> None:
    cause(world.store)
    try:
        with sandbox.serve(world.artifact(predict_base, LOG_FORMAT="JSON", **environment)) as predict:
            answer = predict.invoke(predict_event(*world.machine))
            lines = [line for line in predict.log().splitlines() if line.startswith("{")]
    finally:
        world.store.denied.clear()
        world.store.clock_offset = timedelta()
    assert answer["statusCode"] == 503
    assert json.loads(answer["body"]) == {"detail": "the storage does not answer; try again"}
    errors = [record["message"] for record in map(json.loads, lines) if record.get("level") == "ERROR"]
    assert errors
    message = errors[0]
    assert "\n" not in message
    assert re.search(f"StorageUnavailable: cannot \\w+ s3://[^ ]+: {code}", message), message
    # none is tried again: the model alone is asked for twice, at the start and for the request
    refused = Counter(request.target for request in world.store.requests if request.status >= 400)
    assert max(refused.values(), default=0) <= 2

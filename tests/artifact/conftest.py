"""The artifacts, built from this checkout, and the sandbox that runs them as Lambda does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitory.clock import now
from monitory.machine import Machine
from monitory.storage.s3 import S3Storage
from monitory_local import sandbox
from monitory_local.artifacts import build
from monitory_local.lambdas import predict_event
from monitory_local.s3 import S3
from monitory_local.simulator.__main__ import last_hours
from monitory_local.simulator.lake import write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan
from tests.support.image import make_task_root, read_dockerfile
from tests.support.template.reading import transformed

WHEELHOUSE = build.ROOT / ".aws-sam/wheels/x86_64"
SCORE_HANDLER = "monitory_score.handler.lambda_handler"
PREDICT_HANDLER = "monitory_predict.handler.lambda_handler"
DAYS = 16


@dataclass(frozen=True)
class Factory:
    """A simulated factory's lake up to now, an empty model bucket, and the settings with which functions find them."""

    environment: dict[str, str]
    machines: list[Machine]
    event: dict[str, str]
    shorter_event: dict[str, str]


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """The template after the Serverless transform."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
        return transformed()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make build` makes: PredictFunction, ScoreFunction, SharedLayer and template.yaml."""
    folder = tmp_path_factory.mktemp("build")
    assert build.main(["--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The retrain image's LAMBDA_TASK_ROOT."""
    folder = tmp_path_factory.mktemp("image")
    make_task_root(read_dockerfile(), folder, WHEELHOUSE)
    return folder


@pytest.fixture(scope="session")
def lambda_sandbox() -> None:
    """Skip where the sandbox cannot run, and say what to install."""
    try:
        sandbox.check()
    except sandbox.Unavailable as exc:
        pytest.skip(str(exc))


@pytest.fixture(scope="session")
def factory(s3_server: S3) -> Factory:
    """Eight machines that live for four days on average, with a reading every five minutes."""
    lake, models = "artifact-lake", "artifact-models"
    with s3_server.active():
        s3_server.ensure_buckets(lake, models)
        hours = last_hours(DAYS)
        producer = Producer(Plan(hours.start, machines=8, seed=0, life_days=4.0, rate_seconds=300.0))
        write_hours(S3Storage(lake, region="ap-northeast-2"), producer, hours)
    today = now().date()
    environment = {
        **s3_server.environment,
        "S3_INPUT_DATA_BUCKET_NAME": lake,
        "S3_MODEL_BUCKET_NAME": models,
        "MIN_READINGS": "1000",
        "MIN_FAILURES": "3",
        # a machine under repair writes nothing, and all are to be asked
        "MAX_DATA_AGE_HOURS": "72",
    }
    return Factory(
        environment,
        [Machine(machine.lives.zone_id, machine.lives.equip_id) for machine in producer.machines],
        {"start": str(today - timedelta(days=DAYS)), "end": str(today - timedelta(days=1))},
        {"start": str(today - timedelta(days=DAYS)), "end": str(today - timedelta(days=6)), "promote": "never"},
    )


@pytest.fixture(scope="session")
def predict_artifact(lambda_sandbox: None, built: Path, factory: Factory) -> sandbox.Artifact:
    """The predict function, as the template runs it."""
    return sandbox.Artifact(
        built / "PredictFunction", PREDICT_HANDLER, [built / "SharedLayer"], factory.environment, timeout_seconds=20
    )


@pytest.fixture(scope="session")
def score_artifact(lambda_sandbox: None, built: Path, factory: Factory) -> sandbox.Artifact:
    """The score function, as the template runs it."""
    return sandbox.Artifact(
        built / "ScoreFunction",
        SCORE_HANDLER,
        [built / "SharedLayer"],
        factory.environment,
        memory_mb=1769,
        timeout_seconds=900,
    )


@pytest.fixture(scope="session")
def retrain_artifact(lambda_sandbox: None, image: Path, factory: Factory) -> sandbox.Artifact:
    """The retrain function, as its image runs it."""
    dockerfile = read_dockerfile()
    return sandbox.Artifact(
        image,
        dockerfile.handler,
        environment={**dockerfile.environment, **factory.environment},
        memory_mb=3008,
        timeout_seconds=900,
        libgomp="libgomp" in dockerfile.packages,
    )


@dataclass(frozen=True)
class Trained:
    """What happened before the tests: a call without a model, and two retrains; the first one's model is served."""

    call_without_model: Any
    answer: dict[str, Any]
    other: dict[str, Any]


@pytest.fixture(scope="session")
def predict_function(predict_artifact: sandbox.Artifact) -> Iterator[sandbox.Running]:
    """One running predict function for all tests of a run."""
    with sandbox.serve(predict_artifact) as running:
        yield running


@pytest.fixture(scope="session")
def retrain_function(retrain_artifact: sandbox.Artifact) -> Iterator[sandbox.Running]:
    """One running retrain function for all tests of a run."""
    with sandbox.serve(retrain_artifact) as running:
        yield running


@pytest.fixture(scope="session")
def trained(predict_function: sandbox.Running, retrain_function: sandbox.Running, factory: Factory) -> Trained:
    """A served model, and a second version that is only stored. The predict function ran all the time."""
    before = predict_function.invoke(predict_event(*factory.machines[0]))
    answer = retrain_function.invoke(factory.event)
    if not answer.get("promoted"):  # the verdict depends on the hour at which the simulated lake ends
        retrain_function.invoke({"action": "promote", "version": answer["version"], "reason": "to be served"})
    other = retrain_function.invoke(factory.shorter_event)
    return Trained(before, answer, other)

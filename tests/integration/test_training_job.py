"""The training job's own command, run as its image would: beside the handler, on the same lake."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitory import clock
from monitory.settings import RetrainSettings, from_environment
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import S3
from monitory_retrain import bootstrap
from tests.integration.test_second_factory import FACTORY, FIRST, LAST, NOW, objects
from tests.support.template.reading import definition, plain_yaml

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-central-1"
EVENT = {"start": str(FIRST), "end": str(LAST)}


@pytest.fixture
def environment(
    s3: S3, lake_bucket: str, model_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """What the state machine hands on of the function's environment, with a lake of four weeks."""
    file = tmp_path / "hall1.json"
    file.write_text(json.dumps(FACTORY))
    settings = {
        "S3_INPUT_DATA_BUCKET_NAME": lake_bucket,
        "S3_INPUT_DATA_KEY": "plant/",
        "S3_MODEL_BUCKET_NAME": model_bucket,
        "SENSORS_FILE": str(file),
        "MAX_RUL_DAYS": "4",
        "MIN_READINGS": "4000",
        "AWS_REGION": REGION,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    clock.set_zone("Europe/Berlin")
    lake = S3Storage(lake_bucket, region=REGION)
    begin = clock.aware(datetime(FIRST.year, FIRST.month, FIRST.day)).astimezone(UTC)
    for key, body in objects(begin, NOW.replace(minute=0)):
        lake.put(key, body, content_type="application/gzip")
    yield {**s3.environment, **settings}
    clock.set_zone(clock.DEFAULT_ZONE)


def run(event: object, environment: dict[str, str], name: str) -> subprocess.CompletedProcess[str]:
    """A training job: what the state machine tells SageMaker to run, with nothing else in its environment."""
    state = plain_yaml(definition())["States"]["Learn"]["Parameters"]
    python, *arguments = state["AlgorithmSpecification"]["ContainerEntrypoint"]
    assert python == "python"
    variables = {
        **environment,
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("layers/shared", "functions/retrain")),
        "OMP_NUM_THREADS": "1",
        "RETRAIN_EVENT": json.dumps(event),
        "TRAINING_JOB_NAME": name,
    }
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True, timeout=500, check=False)


def test_a_training_job_promotes_what_the_handler_would(environment: dict[str, str]) -> None:
    done = run(EVENT, environment, "monitory-job-1")
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert (printed["status"], printed["promoted"]) == ("trained", True), printed
    assert any('"_aws"' in line for line in done.stdout.splitlines()), "the alarms' metrics are in its log"

    job = bootstrap.build_job(from_environment(RetrainSettings))
    assert (job.registry.served().version, len(job.registry.history())) == (printed["version"], 1)
    assert json.loads(job.models.get("runs/monitory-job-1.json").body) == printed

    answer = bootstrap.handle(job, EVENT, lambda: 900.0)
    assert (answer["status"], answer["version"]) == ("unchanged", printed["version"]), answer

    again = run(EVENT, environment, "monitory-job-1")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout.splitlines()[-1]) == {**printed, "repeated": True}
    assert (job.registry.served().version, len(job.registry.history())) == (printed["version"], 1)

    refused = run({"month": "2025-13"}, environment, "monitory-job-2")
    assert refused.returncode == 1
    assert "2025-13" in refused.stderr

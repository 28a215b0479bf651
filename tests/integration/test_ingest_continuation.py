"""A retrain run that is stopped in the middle loses no finished day, and the next one ends with the same model."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from monitory import clock
from monitory.settings import RetrainSettings, from_environment
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import REGION, S3
from monitory_local.simulator.lake import write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan
from monitory_retrain import bootstrap
from monitory_retrain.ingest.cache.day_cache import FOLDER
from monitory_retrain.job import Job, JobResult
from monitory_retrain.training.training import Recipe
from tests.support.buckets import shared_bucket

START = clock.first_hour(clock.now().date()) - 40 * 24
DAYS = 12
EVENT = {
    "start": str(clock.date_of_hour(START)),
    "end": str(clock.date_of_hour(START + 24 * DAYS - 1)),
    "promote": "never",
}
ENOUGH = {"MIN_READINGS": "1000", "MIN_DAYS": "5", "MIN_MACHINES": "2", "MIN_FAILURES": "3", "MAX_RUL_DAYS": "4"}


@pytest.fixture(scope="module")
def lake(s3_server: S3) -> str:
    """A lake in which machines fail often; read by every test here."""
    with shared_bucket(s3_server, "lake") as storage:
        plan = Plan(START, machines=5, seed=3, life_days=3.0, rate_seconds=450.0)
        write_hours(storage, Producer(plan), range(START, START + 24 * DAYS))
    return storage.name


@pytest.fixture(scope="module")
def undisturbed(lake: str, s3_server: S3) -> str:
    """The model of a run that nothing disturbs."""
    with shared_bucket(s3_server, "model") as models, pytest.MonkeyPatch.context() as patch:
        set_environment(patch, lake, models.name)
        job = small_job()
        done = bootstrap.handle(job, EVENT, lambda: 900.0)
        assert (done["status"], done["data"]["objects_read"]) == ("trained", done["data"]["objects"])
        return text(job, done)


@pytest.fixture
def other_bucket(lake: str, model_bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model bucket in which nothing is known yet, and the retrain function's settings for it."""
    set_environment(monkeypatch, lake, model_bucket)
    return model_bucket


def set_environment(patch: pytest.MonkeyPatch, lake: str, models: str) -> None:
    settings = {
        **ENOUGH,
        "S3_INPUT_DATA_BUCKET_NAME": lake,
        "S3_MODEL_BUCKET_NAME": models,
        "LOG_LEVEL": "ERROR",
        "POWERTOOLS_METRICS_DISABLED": "true",
    }
    for name, value in settings.items():
        patch.setenv(name, value)


def small_job() -> Job:
    return replace(bootstrap.build_job(from_environment(RetrainSettings)), recipe=Recipe(folds=2, trees=8, threads=1))


def text(job: Job, done: JobResult) -> str:
    return job.registry.read(done["version"], "model.txt").decode()


def kept_days(bucket: str) -> set[str]:
    return {Path(entry.key).stem for entry in S3Storage(bucket, region=REGION).list(FOLDER)}


def seconds_for(steps: int) -> Iterator[float]:
    """The function's remaining time: enough for so many steps, days and machines of days."""
    yield from [900.0] * steps
    while True:
        yield 1.0


def test_runs_that_are_out_of_time_go_on_where_they_stopped(undisturbed: str, other_bucket: str) -> None:
    read = 0
    begun: list[str] = []
    for steps in count(20, 20):
        job = small_job()
        done = bootstrap.handle(job, EVENT, partial(next, seconds_for(steps)))
        read += done["data"]["objects_read"]
        if done["status"] != "continue":
            break
        left = set(done["left"])
        assert len(kept_days(other_bucket) - left) == DAYS - len(left)
        assert kept_days(other_bucket) & left <= set(done["left"][:1]), "only the first day left may have begun"
        begun += kept_days(other_bucket) & left
    assert begun, "no run stopped in the middle of a day"
    assert done["status"] == "trained"
    assert read == done["data"]["objects"], "every object was read once"
    assert text(job, done) == undisturbed


KILLED = """
import json, sys
from monitory.settings import RetrainSettings, from_environment
from monitory_retrain import bootstrap
from monitory_retrain.ingest import workers
workers.WORTH_BYTES = 0
print("ready", flush=True)
bootstrap.handle(bootstrap.build_job(from_environment(RetrainSettings)), json.loads(sys.argv[1]), lambda: 900.0)
"""


def test_a_killed_run_loses_no_finished_day(undisturbed: str, other_bucket: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, json.dumps(EVENT)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
    )
    deadline = time.monotonic() + 300  # on a busy machine
    while len(kept_days(other_bucket)) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = kept_days(other_bucket)
    assert 3 <= len(kept) < DAYS, "killed in the middle"

    job = small_job()
    done = bootstrap.handle(job, EVENT, lambda: 900.0)
    data = done["data"]
    assert data["objects_read"] < data["objects"] * (DAYS - len(kept) + 1) / DAYS
    assert text(job, done) == undisturbed
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline + 60:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{child}").exists() for child in children), "worker processes outlived their parent"

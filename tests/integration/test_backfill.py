"""A plan and its batches against a real S3 server: what they leave is what one run leaves."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat

import pytest

from monitory import clock
from monitory.settings import RetrainSettings, from_environment
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import REGION, S3
from monitory_local.simulator.lake import write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan
from monitory_retrain import bootstrap
from monitory_retrain.ingest.backfill import batches
from monitory_retrain.ingest.cache.day_cache import FOLDER, PIECES
from monitory_retrain.job import Job, JobResult
from monitory_retrain.training.training import Recipe
from tests.support.buckets import shared_bucket

START = clock.first_hour(clock.now().date()) - 20 * 24
DAYS = 6
MACHINES = 5
EVENT = {
    "start": str(clock.date_of_hour(START)),
    "end": str(clock.date_of_hour(START + 24 * DAYS - 1)),
    "promote": "never",
}
PLAN = {"action": "plan", "event": EVENT, "after": None}
ENOUGH = {"MIN_READINGS": "1000", "MIN_DAYS": "5", "MIN_MACHINES": "2", "MIN_FAILURES": "2", "MAX_RUL_DAYS": "4"}


@pytest.fixture(scope="module")
def lake(s3_server: S3) -> str:
    """A lake in which machines fail often, and an object cannot be read; every test here reads it."""
    with shared_bucket(s3_server, "lake") as storage:
        plan = Plan(START, machines=MACHINES, seed=3, life_days=3.0, rate_seconds=900.0)
        write_hours(storage, Producer(plan), range(START, START + 24 * DAYS))
        poisoned = next(entry for entry in storage.list("EQUIPMENT") if entry.size > 1000)
        storage.put(poisoned.key, b"\x00 nothing \xff\n" * 99, content_type="application/x-ndjson")
    return storage.name


@pytest.fixture
def models(lake: str, model_bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty model bucket, and the retrain function's settings for it and the lake."""
    settings = {
        **ENOUGH,
        "S3_INPUT_DATA_BUCKET_NAME": lake,
        "S3_MODEL_BUCKET_NAME": model_bucket,
        "LOG_LEVEL": "ERROR",
        "POWERTOOLS_METRICS_DISABLED": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    # every day is several batches
    monkeypatch.setattr(batches, "MAX_MACHINE_DAYS", 2)
    return model_bucket


def job() -> Job:
    recipe = Recipe(folds=2, trees=8, threads=1)
    return replace(bootstrap.build_job(from_environment(RetrainSettings)), recipe=recipe)


def handle(event: object, seconds: Iterator[float] | None = None) -> JobResult:
    """What the function answers, in JSON, from a process that knows nothing of the others."""
    left = seconds or repeat(900.0)
    answer: JobResult = json.loads(json.dumps(bootstrap.handle(job(), event, lambda: next(left))))
    return answer


def kept(bucket: str, folder: str) -> dict[str, bytes]:
    storage = S3Storage(bucket, region=REGION)
    return {entry.key: storage.get(entry.key).body for entry in storage.list(folder)}


def lines(bucket: str, planned: JobResult) -> list[object]:
    return [json.loads(line) for line in S3Storage(bucket, region=REGION).get(planned["key"]).body.splitlines()]


def test_batches_leave_what_one_run_leaves(models: str, s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = f"{models}-alone"
    s3_server.ensure_buckets(alone)
    with monkeypatch.context() as other:
        other.setenv("S3_MODEL_BUCKET_NAME", alone)
        undisturbed = handle(EVENT)

    planned = handle(PLAN)
    assert (planned["status"], planned["distribute"], planned["after"]) == ("planned", False, None)
    assert planned["machine_days"] == MACHINES * DAYS
    batches_of_it = lines(models, planned)
    assert len(batches_of_it) == planned["batches"] == 3 * DAYS
    assert handle(PLAN) == planned, "the same plan is the same manifest"

    first, *others = batches_of_it
    stopped = handle({"action": "read", "batch": first}, chain([900.0], repeat(1.0)))
    assert (stopped["status"], len(stopped["left"])) == ("continue", 1)
    answers = [handle({"action": "read", "batch": batch}) for batch in [first, *others, first]]
    assert {answer["status"] for answer in answers} == {"read"}
    assert answers[-1]["data"]["objects_read"] == 0, "a duplicate reads nothing"
    assert [answer["data"]["unreadable"] for answer in answers if answer["data"]["unreadable"]]
    assert handle(PLAN) == {**planned, "status": "nothing", "key": None} | dict.fromkeys(
        ("batches", "machine_days", "objects", "bytes"), 0
    )
    assert len([key for key in kept(models, PIECES) if key.endswith(".parquet")]) == 3 * DAYS

    together = handle(EVENT)
    assert (together["status"], together["data"]["objects_read"]) == (undisturbed["status"], 0)
    assert together["data"]["readings"] == undisturbed["data"]["readings"]
    assert together["data"]["unreadable"] == undisturbed["data"]["unreadable"]
    assert kept(models, FOLDER) == kept(alone, FOLDER), "the same bytes in the cache"
    assert [job().registry.read(together["version"], "model.txt")] == [_text(alone, undisturbed, monkeypatch)]


def _text(bucket: str, done: JobResult, monkeypatch: pytest.MonkeyPatch) -> bytes:
    with monkeypatch.context() as other:
        other.setenv("S3_MODEL_BUCKET_NAME", bucket)
        return job().registry.read(done["version"], "model.txt")


def test_without_an_end_of_the_plan_it_goes_on_after_the_days_that_it_reached(models: str) -> None:
    days: list[str] = []
    after, rounds = None, 0
    while rounds == 0 or after:
        planned = handle({**PLAN, "after": after}, chain([900.0] * 2, repeat(1.0)))
        days += sorted({str(line["day"]) for line in lines(models, planned) if isinstance(line, dict)})
        after, rounds = planned["after"], rounds + 1
        assert planned["distribute"] is bool(after)
    assert days == [str(clock.date_of_hour(START + 24 * day)) for day in range(DAYS)]
    assert rounds > 1


@pytest.mark.parametrize("event", [{"action": "rollback"}, {**EVENT, "sample": 10}])
def test_nothing_is_planned_for_what_reads_no_days(models: str, event: dict[str, object]) -> None:
    assert handle({**PLAN, "event": event})["status"] == "nothing"


def test_a_refused_batch_is_an_answer(models: str) -> None:
    answer = handle({"action": "read", "batch": {"day": "2026-11-20", "machines": [["Z", "../E"]]}})
    assert answer["status"] == "invalid"

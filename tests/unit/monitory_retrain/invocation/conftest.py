"""The retrain function's handler, with three promoted versions."""

import importlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest

from monitory import clock
from monitory.log import logger
from monitory.registry.registry import CARD_FILE, MODEL_FILE, Registry
from monitory_local.lambdas import LocalContext
from monitory_retrain import bootstrap, pipeline
from monitory_retrain.dataset.sufficiency import Supply
from monitory_retrain.job import Job, JobResult
from tests.support import reports
from tests.support.fakes import MemoryStorage
from tests.support.models import card, small_text
from tests.support.registries import A, B, C, promote
from tests.support.retrain.jobs import RecordingIngest

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # noon in Seoul


@pytest.fixture
def ingest() -> RecordingIngest:
    return RecordingIngest()


@pytest.fixture
def job(ingest: RecordingIngest) -> Job:
    """Three versions were promoted; C is served."""
    models, settings = MemoryStorage("models"), reports.SETTINGS.model_copy(update={"log_level": "CRITICAL"})
    registry = Registry(models, settings.s3_model_key)
    for number, version in enumerate((A, B, C)):
        made = msgspec.json.encode(card(version))
        files = {MODEL_FILE: (small_text(number), "text/plain"), CARD_FILE: (made, "application/json")}
        registry.store(version, files)
        promote(registry, version)
    return Job(
        settings=settings,
        sensors=reports.SENSORS,
        lake=MemoryStorage("lake"),
        models=models,
        registry=registry,
        ingest=ingest,
        recipe=reports.RECIPE,
        log=logger("tests", settings),
    )


@pytest.fixture
def invoke(job: Job, monkeypatch: pytest.MonkeyPatch) -> Callable[[object], JobResult]:
    """The function's handler at noon of a day, whose lake never holds enough to learn from."""
    monkeypatch.setattr(bootstrap, "build_job", lambda settings: job)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    little = pipeline.Skipped(["too little"], Supply(*[0] * 6), reports.challenger().labels, reports.table())
    monkeypatch.setattr(pipeline, "learn", lambda *args, **others: little)
    monkeypatch.setitem(sys.modules, "monitory_retrain.handler", None)  # what is imported now is forgotten afterwards
    del sys.modules["monitory_retrain.handler"]
    handler = importlib.import_module("monitory_retrain.handler")

    def call(event: object) -> JobResult:
        answer: JobResult = handler.lambda_handler(event, LocalContext("retrain", 900.0))
        return answer

    return call

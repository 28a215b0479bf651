"""A job on an empty model bucket."""

from collections.abc import Callable

import pytest

from monitory.log import logger
from monitory.registry.registry import Registry
from monitory_retrain.job import Job, JobResult
from tests.support import reports
from tests.support.fakes import MemoryStorage
from tests.support.retrain.jobs import NIGHT, Ready
from tests.support.retraining import challenger, learns


@pytest.fixture
def job() -> Job:
    models, settings = MemoryStorage("models"), reports.SETTINGS.model_copy(update={"log_level": "CRITICAL"})
    return Job(
        settings=settings,
        sensors=reports.SENSORS,
        lake=MemoryStorage("lake"),
        models=models,
        registry=Registry(models, settings.s3_model_key),
        ingest=Ready(),
        recipe=reports.RECIPE,
        log=logger("tests", settings),
    )


@pytest.fixture
def night(job: Job, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], JobResult]:
    """A night that learns the model of a seed."""

    def run(seed: int = 0) -> JobResult:
        learns(monkeypatch, challenger(seed))
        return job.train(NIGHT, lambda: True)

    return run

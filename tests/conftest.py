"""Fixtures for every suite: a clean environment, and buckets of a real S3 server on loopback."""

import asyncio
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import hypothesis
import pytest

from monitory import metric_names
from monitory_local.s3 import S3, embedded_s3

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# Every variable that the product or an AWS SDK reads starts with one of these.
_PREFIXES = (
    "AWS_",
    "COVERAGE",
    "EXCURSION_",
    "FACTORY_",
    "FAILURE_LOG_",
    "LOG_",
    "MAX_",
    "MIN_",
    "POWERTOOLS_",
    "PROMOTION_",
    "RETRAIN_",
    "S3_",
    "SCORING",
    "SENSORS_",
    "TRAINING_",
    "VERIFY_",
)

hypothesis.settings.register_profile("quick", max_examples=20)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests of a module share a process; so do all of the artifacts, whose fixtures take a minute to make."""
    from xdist.scheduler import LoadScopeScheduling

    class Suites(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.split("::")[0]
            return "tests/artifact" if module.startswith("tests/artifact/") else module

    return Suites(config, log)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine that runs the tests reaches them."""
    for name in os.environ:
        if name.startswith(_PREFIXES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def fresh_loggers() -> None:
    """No logger of an earlier test: Powertools keeps one for each service, bound to that test's output."""
    for service in (metric_names.PREDICT_SERVICE, metric_names.RETRAIN_SERVICE, metric_names.SCORE_SERVICE):
        logging.Logger.manager.loggerDict.pop(service, None)


@pytest.fixture(autouse=True)
def event_loop() -> Iterator[None]:
    """A loop that is closed in the end: Mangum makes one where there is none, and leaves it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
    with warnings.catch_warnings(), suppress(RuntimeError):
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.get_event_loop().close()  # another one, where what the test called had taken ours away
    asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """One embedded S3 server for the whole run."""
    folder: Path = tmp_path_factory.mktemp("s3")
    with embedded_s3(folder) as server:
        yield server


@pytest.fixture(scope="session")
def s3_client(s3_server: S3) -> "S3Client":
    """One client of the server for what tests do to buckets: a client takes a fifth of a second to make."""
    return s3_server.client()


@pytest.fixture
def s3(s3_server: S3, clean_environment: None) -> Iterator[S3]:
    """The server, with this process's environment pointing at it."""
    with s3_server.active():
        yield s3_server


@pytest.fixture
def lake_bucket(s3: S3, s3_client: "S3Client", monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket of this test alone, named to the product as its sensor lake."""
    return _bucket(s3_client, monkeypatch, "S3_INPUT_DATA_BUCKET_NAME", "lake")


@pytest.fixture
def model_bucket(s3: S3, s3_client: "S3Client", monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket of this test alone, named to the product as its model bucket."""
    return _bucket(s3_client, monkeypatch, "S3_MODEL_BUCKET_NAME", "model")


def _bucket(client: "S3Client", monkeypatch: pytest.MonkeyPatch, setting: str, kind: str) -> str:
    name = f"{kind}-{uuid4().hex[:12]}"
    client.create_bucket(Bucket=name)
    monkeypatch.setenv(setting, name)
    return name

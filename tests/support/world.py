"""A lake with readings up to now, models in a registry, and the app on top, all in the embedded S3."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from monitory import clock
from monitory.machine import Machine
from monitory.registry.registry import CARD_FILE, METRICS_FILE, MODEL_FILE, Registry
from monitory.scoring import failure_cache as failures
from monitory.scoring import model_cache as served
from monitory.settings import PredictSettings
from monitory.storage.port import Storage
from monitory.storage.s3 import S3Storage
from monitory_predict import application, bootstrap
from monitory_predict.telemetry import NoTelemetry
from tests.support import models
from tests.support.samples import hour_of_readings, lake_key, ndjson

REGION = "ap-northeast-2"
MODEL_KEY = "models/latest/lgbm_regressor.json"


@cache
def model_text(seed: int, trees: int = 5) -> bytes:
    """A small model on features of ours; every seed gives another one."""
    return models.small_text(seed, trees)


def version_name(number: int) -> str:
    """The n-th version of a test."""
    return f"{datetime(2026, 1, 1) + timedelta(seconds=number):%Y/%m/%d/%H%M%S}"


def version_files(version: str, seed: int) -> dict[str, tuple[bytes, str]]:
    """A version's files as retraining writes them."""
    text = model_text(seed)
    card = models.card(version, sha256=hashlib.sha256(text).hexdigest())
    return {
        MODEL_FILE: (text, "text/plain; charset=utf-8"),
        CARD_FILE: (msgspec.json.encode(card), "application/json"),
        METRICS_FILE: (f'{{"seed": {seed}}}'.encode(), "application/json"),
    }


def promote(registry: Registry, number: int, seed: int) -> str:
    """Store a version and serve it."""
    version = version_name(number)
    registry.store(version, version_files(version, seed))
    served = registry.served() if number else None
    registry.promote(version, by="test", reason="", expected=served)
    return version


def fill(lake: Storage, machine: Machine, hours: int, value: float = 50.0) -> datetime:
    """Write a machine's last hours, one object each, up to the hour before this one; returns the newest hour."""
    present = clock.now().replace(tzinfo=None, minute=0, second=0, microsecond=0)
    for back in range(hours, 0, -1):
        start = present - timedelta(hours=back)
        readings = hour_of_readings(start, machine=machine, value=lambda n: value + n % 7)
        lake.put(lake_key(start.date(), f"{start:%H}", machine), ndjson(readings), content_type="application/x-ndjson")
    return present - timedelta(hours=1)


@dataclass
class World:
    """Direct access to both buckets, and an app whose own access goes wherever AWS_ENDPOINT_URL says.

    Attributes:
        lake, models: past the proxy.
        number: of the version that is served.
        machines: how many were made.
    """

    lake: S3Storage
    models: S3Storage
    number: int = -1
    machines: int = 0

    @property
    def registry(self) -> Registry:
        """Of the model bucket."""
        return Registry(self.models, MODEL_KEY)

    def promote(self) -> str:
        """Serve another model."""
        self.number += 1
        return promote(self.registry, self.number, self.number % 7)

    def machine(self, hours: int = 3) -> Machine:
        """Another machine with some hours."""
        self.machines += 1
        made = Machine("ZONE-001", f"EQUIP-{self.machines:03d}")
        fill(self.lake, made, hours)
        return made

    def app(self) -> TestClient:
        """A new process of the predict function, as far as it goes."""
        settings = PredictSettings(
            s3_model_bucket_name=self.models.name, s3_input_data_bucket_name=self.lake.name, log_level="CRITICAL"
        )
        return TestClient(application.build_app(settings, NoTelemetry()), raise_server_exceptions=False)


def predict(client: TestClient, machine: Machine) -> tuple[int, dict[str, Any], Any]:
    """Status, body and headers of a prediction."""
    answer = client.get("/api/v1/predict", params={"zoneId": machine.zone_id, "equipId": machine.equip_id})
    return answer.status_code, answer.json(), answer.headers


def hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs a fifth as long, so that many of them fit into a test, and nothing is kept for minutes.

    The answer's is a quarter: what is computed beside the waiting takes as long as ever, on a busy machine above all.
    """
    monkeypatch.setattr(bootstrap, "REQUEST_SECONDS", bootstrap.REQUEST_SECONDS / 5)
    monkeypatch.setattr(bootstrap, "RETRY_SECONDS", bootstrap.RETRY_SECONDS / 5)
    monkeypatch.setattr(bootstrap, "START_SECONDS", bootstrap.START_SECONDS / 5)
    monkeypatch.setattr(bootstrap, "ANSWER_SECONDS", bootstrap.ANSWER_SECONDS / 4)
    monkeypatch.setattr(failures, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr(served, "REFUSED_SECONDS", 0.0)


def fill_days(lake: Storage, first: date, days: int, machines: int = 2, every_hours: int = 8) -> int:
    """Write some hours of some machines on consecutive dates; returns how many readings."""
    readings = 0
    for number in range(1, machines + 1):
        machine = Machine("ZONE-001", f"EQUIP-{number:03d}")
        for hour in range(0, 24 * days, every_hours):
            start = datetime(first.year, first.month, first.day) + timedelta(hours=hour)
            found = hour_of_readings(start, machine=machine, every_seconds=600)
            lake.put(lake_key(start.date(), f"{hour:03d}", machine), ndjson(found), content_type="application/x-ndjson")
            readings += len(found)
    return readings

"""A second factory by settings alone: other sensors, Berlin's clock over its change, other folders, gzip."""

import gzip
import json
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from monitory import clock
from monitory.layout.lake_layout import LakeLayout, load
from monitory.settings import PredictSettings, RetrainSettings
from monitory.storage.s3 import S3Storage
from monitory_predict.application import build_app
from monitory_predict.telemetry import NoTelemetry
from monitory_retrain import bootstrap

FIRST, LAST = date(2026, 3, 22), date(2026, 4, 10)
CHANGE = date(2026, 3, 29)
"""Clocks go from two to three o'clock."""

NOW = datetime(2026, 4, 11, 9, 20, tzinfo=UTC)
MACHINES = ["3호기", "00:1A:22", "CNC Mill", *(f"P{number}" for number in range(3))]
FAILED_HOURS = 8
"""One reading an hour proves a failure after six."""

FACTORY: dict[str, Any] = {
    "sensors": [
        {"lake_name": "t", "name": "oil_temperature", "unit": "°C", "low": 10, "high": 85},
        {"lake_name": "v", "name": "vibration", "unit": "mm/s", "low": 0, "high": 7.1},
    ],
    "lake": {
        "folders": "year={year}/month={m}/day={d}/device={machine}",
        "zone": "HALL-1",
        "time_zone": "Europe/Berlin",
        "fields": {
            "zoneId": None,
            "equipId": None,
            "sensorId": None,
            "sensorType": "tag",
            "val": "value",
            "time": "ts",
        },
    },
}


def life_left(machine: int, hour: int) -> tuple[int, int]:
    """Hours until the machine fails, 0 in the hours of failure, and the length of that life; no two in turn alike."""
    run, at = 0, hour + 17 * machine
    while at >= (life := 60 + (37 * run + 23 * machine) % 80) + FAILED_HOURS:
        run, at = run + 1, at - life - FAILED_HOURS
    return max(0, life - at), life


def objects(first: datetime, last: datetime) -> Iterator[tuple[str, bytes]]:
    hours = int((last - first) / timedelta(hours=1))
    for hour in range(hours):
        start = first + timedelta(hours=hour)
        local = start.astimezone(clock.zone())
        for number, machine in enumerate(MACHINES):
            left, life = life_left(number, hour)
            worn = 1 - left / life
            noise = math.sin(hour * 1.7 + number)
            values = {"t": 48 + 34 * worn + noise if worn < 1 else 95 + noise, "v": 2 + 4 * worn * worn + 0.2 * noise}
            # one reading an hour of each sensor
            lines = [
                {"tag": tag, "value": value, "ts": (start + timedelta(minutes=7)).isoformat()}
                for tag, value in values.items()
            ]
            folder = f"year={local.year}/month={local.month}/day={local.day}/device={machine}"
            yield f"plant/{folder}/{start:%H%M}.gz", gzip.compress("\n".join(map(json.dumps, lines)).encode())


@pytest.fixture
def berlin() -> Iterator[None]:
    clock.set_zone("Europe/Berlin")
    yield
    clock.set_zone(clock.DEFAULT_ZONE)


def test_a_second_factory_is_set_up_by_settings_alone(
    berlin: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lake_bucket: str, model_bucket: str
) -> None:
    lake = S3Storage(lake_bucket, region="eu-central-1")
    begin = clock.aware(datetime(FIRST.year, FIRST.month, FIRST.day)).astimezone(UTC)
    for key, body in objects(begin, NOW.replace(minute=0)):
        lake.put(key, body, content_type="application/gzip")
    file = tmp_path / "hall1.json"
    file.write_text(json.dumps(FACTORY))
    assert load(None, str(file)) != LakeLayout()
    common: dict[str, Any] = {
        "aws_region": "eu-central-1",
        "s3_input_data_bucket_name": lake_bucket,
        "s3_model_bucket_name": model_bucket,
        "s3_input_data_key": "plant/",
        "sensors_file": str(file),
        "max_rul_days": 4,
        "log_level": "CRITICAL",
    }
    monkeypatch.setattr(clock, "now", lambda: NOW.astimezone(clock.zone()))
    job = bootstrap.build_job(RetrainSettings(**common, min_readings=4_000))

    seen = bootstrap.handle(job, {"action": "check"}, lambda: 900.0)
    assert seen["findings"] == [] or {found["level"] for found in seen["findings"]} <= {"note", "warn"}
    assert (seen["rejected"], seen["extent"]["machines"]) == ({}, len(MACHINES))

    trained = bootstrap.handle(job, {"start": str(FIRST), "end": str(LAST)}, lambda: 900.0)
    assert (trained["status"], trained.get("promoted")) == ("trained", True), trained
    assert trained["data"]["rejected"] == {}
    days = clock.days_between(FIRST, LAST)
    hours = sum(len(clock.hours_of(day)) for day in days)
    assert len(clock.hours_of(CHANGE)) == 23
    assert trained["data"]["readings"] == 2 * hours * len(MACHINES)

    client = TestClient(build_app(PredictSettings(**common), NoTelemetry()))
    present = int((NOW.replace(minute=0) - begin) / timedelta(hours=1)) - 1
    errors = []
    for number, machine in enumerate(MACHINES):
        answer = client.get("/api/v1/predict", params={"zoneId": "HALL-1", "equipId": machine})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert (body["zoneId"], body["equipId"]) == ("HALL-1", machine)
        assert body["window"]["start"] == "2026-04-11T10:00:00+02:00"
        assert body["window"]["rejected"] == {}
        left, _ = life_left(number, present)
        if left:
            errors.append(abs(body["predictions"][0] - min(4.0, left / 24)))
    assert sum(errors) / len(errors) < 0.6

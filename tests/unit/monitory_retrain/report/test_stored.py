"""What the job does with report and drift: stored with the version, told in the answer and as a metric."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pytest

from monitory.log import logger
from monitory.registry.registry import Registry
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest.counts import Counts
from monitory_retrain.ingest.ingest import Ingest, Ingested
from monitory_retrain.invocation import telemetry
from monitory_retrain.invocation.events import TrainingRequest
from monitory_retrain.job import Job, JobResult
from monitory_retrain.publish import REPORT_FILE
from tests.support import reports
from tests.support.fakes import MemoryStorage


class Ready(Ingest):
    """Days that were read already."""

    def __init__(self, table: HourTable) -> None:
        self.table = table
        self.config = reports.LAKE

    def days(self, days: Sequence[date], *, refresh: datetime | None, in_time: Callable[[], bool]) -> Ingested:
        return Ingested(self.table, Counts(), [])


def run(models: MemoryStorage, table: HourTable) -> JobResult:
    job = Job(
        settings=reports.SETTINGS,
        sensors=reports.SENSORS,
        lake=MemoryStorage("lake"),
        models=models,
        registry=Registry(models, reports.SETTINGS.s3_model_key),
        ingest=Ready(table),
        recipe=reports.RECIPE,
        log=logger("tests", reports.SETTINGS),
    )
    return job.train(TrainingRequest(reports.FIRST, reports.LAST, by="tests"), lambda: True)


def hotter_on_the_last_day(table: HourTable) -> HourTable:
    values = table.values.copy()
    last = table.hour // 24 == int(table.hour.max()) // 24
    values[np.ix_(last, range(5))] += 12.0  # all that an hour row says of the temperature but shares and counts
    return replace(table, values=values)


@pytest.fixture(scope="module")
def models() -> MemoryStorage:
    return MemoryStorage("models")


@pytest.fixture(scope="module")
def first(models: MemoryStorage) -> JobResult:
    return run(models, reports.table())


@pytest.fixture(scope="module")
def second(models: MemoryStorage, first: JobResult) -> JobResult:
    return run(models, hotter_on_the_last_day(reports.table(seed=1)))


def test_the_report_is_stored_with_the_version_as_html(models: MemoryStorage, first: JobResult) -> None:
    blob = models.get(f"models/{first['version']}/{REPORT_FILE}")
    assert first["status"] == "trained"
    assert blob.metadata["content-type"] == "text/html; charset=utf-8"
    assert blob.body.startswith(b"<!doctype html>")
    assert first["version"].encode() in blob.body


def test_the_first_model_is_compared_with_its_own_training(first: JobResult) -> None:
    assert first["drift"] == {
        "day": "2026-11-16",
        "against": None,
        "unjudged": None,
        "moved": [],
        "watch": [],
        "psi": first["drift"]["psi"],
        "sentences": [],
        "predictions": "steady",
    }


def test_a_later_run_compares_its_last_day_with_the_served_model(
    models: MemoryStorage, first: JobResult, second: JobResult
) -> None:
    drift = second["drift"]
    assert drift["against"] == first["version"]
    assert drift["moved"] == ["temperature"]
    assert drift["sentences"][0].startswith("moved: temperature: median")
    assert b"temperature moved: check the sensors" in models.get(f"models/{second['version']}/{REPORT_FILE}").body


def test_the_number_of_sensors_that_moved_is_a_metric(second: JobResult, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.emit(second)
    line = json.loads(capsys.readouterr().out.splitlines()[0])
    assert line["DriftedSensors"] == [1.0]


def test_the_drift_of_each_sensor_is_a_metric(second: JobResult, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.emit(second)
    _, *lines = map(json.loads, capsys.readouterr().out.splitlines())
    assert {line["sensor"]: line["SensorPsi"] for line in lines} == {
        sensor: [psi] for sensor, psi in second["drift"]["psi"].items()
    }
    assert max(lines, key=lambda line: line["SensorPsi"])["sensor"] == "temperature"
    assert lines[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["sensor", "service"]]


def test_drift_that_cannot_be_judged_is_no_metric(second: JobResult, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.emit({**second, "drift": {**second["drift"], "unjudged": "too few hours", "psi": {}}})
    assert "DriftedSensors" not in json.loads(capsys.readouterr().out)

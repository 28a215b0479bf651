"""The job's decisions on what lies in the model bucket, with its learning and its days given."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from monitory.errors import StorageError
from monitory.features import failure_state
from monitory.features.failure_state import FailureState
from monitory.scoring import performance, prediction_log
from monitory_retrain import pipeline
from monitory_retrain.dataset import hour_table
from monitory_retrain.invocation import telemetry
from monitory_retrain.invocation.events import TrainingRequest
from monitory_retrain.job import Job, JobResult
from monitory_retrain.pipeline import Challenger
from tests.support import reports
from tests.support.prediction_lines import line
from tests.support.registries import A
from tests.support.retrain.jobs import NIGHT, Ready
from tests.support.retraining import challenger, learns


def test_a_night_holds_the_prediction_log_against_what_happened(
    job: Job, night: Callable[..., JobResult], capsys: pytest.CaptureFixture[str]
) -> None:
    table = reports.table()
    owner, rows = table.slices()[0]
    for hour in table.hour[rows].tolist():
        prediction_log.add(job.models, job.ingest.config.fingerprint(), hour, {owner: line(owner, 4.0, (1.0, 9.0), A)})
    answer = night()
    assert answer["performance"] == performance.latest(job.models).model_dump(mode="json")  # type: ignore[union-attr]
    assert answer["performance"]["overall"]["hours"] > 300
    assert [version["version"] for version in answer["performance"]["versions"]] == [A]
    telemetry.emit(answer)
    (emitted,) = [json.loads(text) for text in capsys.readouterr().out.splitlines() if "RealisedMaeDays" in text]
    assert emitted["RealisedMaeDays"] == [answer["performance"]["overall"]["mae_days"]]
    assert emitted["PromisesBroken"] == [len(answer["performance"]["shortfalls"])]


def test_without_a_prediction_log_a_night_is_as_ever(job: Job, night: Callable[..., JobResult]) -> None:
    assert "performance" not in night()
    assert performance.latest(job.models) is None


@pytest.mark.parametrize("body", [b"", b"{", b'{"status": "\xff"}', b'{"x":' * 100_000])
def test_a_damaged_answer_of_a_run_is_no_answer(job: Job, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    learns(monkeypatch, challenger())
    night = TrainingRequest(reports.FIRST, reports.LAST, event_id="night")
    job.models.put("runs/night.json", body, content_type="application/json")
    assert job.train(night, lambda: True)["status"] == "trained"
    assert job.train(night, lambda: True)["repeated"]


def test_failures_before_the_range_outlive_the_night(job: Job, night: Callable[..., JobResult]) -> None:
    failure_state.write(job.models, FailureState(None, {"ZONE-001/EQUIP-900": 400_000}))
    night()
    found = {str(owner): hour for owner, hour in challenger().labels.last_hours.items()}
    assert found
    assert failure_state.read(job.models).state.last == {"ZONE-001/EQUIP-900": 400_000, **found}


def test_a_damaged_failure_state_ends_the_night_and_stays_as_it_is(job: Job, night: Callable[..., JobResult]) -> None:
    job.models.put(failure_state.KEY, b'{"last": {"ZONE-001/EQUIP-900": 400', content_type="application/json")
    before = job.models.get(failure_state.KEY)
    with pytest.raises(StorageError, match=r"state/failures\.json is damaged"):
        night()
    assert job.models.get(failure_state.KEY) == before


def test_a_night_learns_from_its_history_and_warns_before_it_trains(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    older = hour_table.join([], reports.table().values.shape[1])
    handed: dict[str, object] = {}

    def learn(*args: object, **kwargs: object) -> Challenger:
        handed.update(kwargs)
        return challenger()

    learns(monkeypatch, challenger())
    monkeypatch.setattr(pipeline, "learn", learn)
    monkeypatch.setattr(Ready, "history", lambda *args: older, raising=False)
    result = job.train(replace(NIGHT, history=True), lambda: True)
    assert handed["history"] is older
    (warning,) = result["data"]["warnings"]
    assert warning.startswith("the data spans 16.0 days, MAX_RUL_DAYS is 30")

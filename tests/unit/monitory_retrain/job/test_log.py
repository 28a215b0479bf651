"""What a run makes of the factory's log."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitory.errors import ObjectNotFound, UnreadableObject
from monitory.features import failure_state
from monitory.logbook import records
from monitory.logbook.records import Record
from monitory_retrain import bootstrap, pipeline
from monitory_retrain.job import Job
from tests.support.fakes import WatchedStorage, down
from tests.support.retrain.jobs import NIGHT
from tests.support.retraining import challenger, learns

LOG = "failures.ndjson"
LINES = (
    b'{"equipId": "EQUIP-001", "kind": "maintenance", "start": "2026-11-20T10:00:00", "end": "2026-11-20T12:00:00"}',
    b'{"equipId": "equip-001", "time": "2026-11-20T10:00:00"}',
    b'{"equipId": "EQUIP-001", "time": "soon"}',
)


def test_a_run_says_which_lines_of_the_log_are_not_used(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    learns(monkeypatch, challenger())
    job.lake.put(LOG, b"\n".join(LINES), content_type="application/x-ndjson")
    with_log = replace(job, settings=job.settings.model_copy(update={"failure_log_key": LOG}))
    log = with_log.train(NIGHT, lambda: True)["data"]["log"]
    assert log["entries"] == {"maintenance": 1, "failure": 1, "rejected": 1}
    assert [warning.split("(")[0] for warning in log["warnings"]] == [
        "1 entry of the log with an unreadable time ",
        "1 entry of the log of machines without readings ",
    ]
    assert failure_state.read(job.models).state.log_key == LOG


def test_a_run_learns_from_records_beside_the_log_and_not_from_what_is_to_come(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    learns(monkeypatch, challenger())
    for name, start in (("past", "2026-11-20T10:00:00"), ("ahead", "2999-01-01T00:00:00")):
        at = datetime(2026, 11, 20, 3, tzinfo=UTC)
        records.add(job.models, Record(name, at, "key", "ZONE-001", "EQUIP-001", "maintenance", start))
    assert job.train(NIGHT, lambda: True)["data"]["log"]["entries"] == {"maintenance": 1}
    job.lake.put(LOG, LINES[1], content_type="application/x-ndjson")
    with_log = replace(job, settings=job.settings.model_copy(update={"failure_log_key": LOG}))
    assert with_log.train(NIGHT, lambda: True)["data"]["log"]["entries"] == {"failure": 1, "maintenance": 1}


def test_a_check_writes_nothing_into_the_model_bucket(job: Job) -> None:
    at = datetime(2026, 11, 20, 3, tzinfo=UTC)
    records.add(job.models, Record("past", at, "key", "ZONE-001", "EQUIP-001", "failure", "2026-11-20T10:00:00"))
    keys = [entry.key for entry in job.models.list("")]
    assert not any("records" in finding["what"] for finding in bootstrap.check_lake(job)["findings"])
    assert [entry.key for entry in job.models.list("")] == keys


def test_a_check_names_a_model_bucket_that_cannot_be_read_beside_a_log_that_can(job: Job) -> None:
    models = WatchedStorage("models")
    models.before = down
    job.lake.put(LOG, LINES[1], content_type="application/x-ndjson")
    with_log = replace(job, models=models, settings=job.settings.model_copy(update={"failure_log_key": LOG}))
    findings = bootstrap.check_lake(with_log)["findings"]
    assert [finding["what"] for finding in findings if "cannot be read" in finding["what"]] == [
        "the records in the model bucket cannot be read: cannot get state/records.json.gz"
    ]


def test_predictions_follow_the_log_though_there_is_too_little_to_learn_from(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    little = pipeline.Skipped(["too little"], challenger().supply, challenger().labels, challenger().table)
    monkeypatch.setattr(pipeline, "learn", lambda *args, **kwargs: little)
    assert job.train(NIGHT, lambda: True)["status"] == "skipped"
    assert failure_state.read(job.models).etag is None
    job.lake.put(LOG, LINES[0], content_type="application/x-ndjson")
    with_log = replace(job, settings=job.settings.model_copy(update={"failure_log_key": LOG}))
    assert with_log.train(NIGHT, lambda: True)["status"] == "skipped"
    assert failure_state.read(job.models).state.log_key == LOG


@pytest.mark.parametrize("body", [None, b"PAR1", LINES[2]])
def test_a_log_that_cannot_be_used_ends_the_run_by_name(job: Job, body: bytes | None) -> None:
    if body:
        job.lake.put(LOG, body, content_type="application/x-ndjson")
    with_log = replace(job, settings=job.settings.model_copy(update={"failure_log_key": LOG}))
    with pytest.raises((ObjectNotFound, UnreadableObject), match=LOG):
        with_log.train(NIGHT, lambda: True)

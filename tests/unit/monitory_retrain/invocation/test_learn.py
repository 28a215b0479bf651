"""The retrain job as a process: its event, its exit status, and where its result is found."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from monitory import metric_names
from monitory.errors import SettingsError
from monitory_retrain import bootstrap, learn
from monitory_retrain.invocation import idempotency
from monitory_retrain.job import Job
from tests.support.registries import A, B
from tests.support.retrain.events import BACK, JUNE, MONTH, bus, scheduled
from tests.support.retrain.jobs import RecordingIngest

NAME = "monitory-1a2b-3c4d"

Run = Callable[..., int]
"""Gets an event, and a name of the job; its exit status."""


@pytest.fixture
def failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file from which SageMaker takes a job's reason of failure."""
    monkeypatch.setattr(learn, "FAILURE_FILE", tmp_path / "failure")
    return tmp_path / "failure"


@pytest.fixture
def run(invoke: Callable[[object], object], failure: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the process with an event; `invoke` stands in for the learning."""

    def start(event: object, name: str = NAME) -> int:
        monkeypatch.setenv(learn.EVENT, event if isinstance(event, str) else json.dumps(event))
        monkeypatch.setenv(learn.JOB_NAME, name)
        return learn.main()

    return start


def test_it_does_what_the_handler_does_without_a_time_limit(
    run: Run, job: Job, ingest: RecordingIngest, capsys: pytest.CaptureFixture[str], failure: Path
) -> None:
    assert run(scheduled(time="2026-11-21T15:00:00Z")) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["status"] == "skipped"
    assert lines[-1]["reason"].startswith("too little")
    assert [line[metric_names.RETRAIN_COMPLETED] for line in lines if "_aws" in line] == [[1.0]]
    assert len(ingest.asked) == 1
    assert not failure.exists()


def test_its_result_is_in_the_bucket_under_its_name(run: Run, job: Job) -> None:
    run(BACK)
    stored = json.loads(job.models.get(f"{idempotency.FOLDER}/{NAME}.json").body)
    assert (stored["status"], stored["version"]) == ("rolled back", B)


def test_a_job_that_is_run_again_does_nothing_again(
    run: Run, job: Job, ingest: RecordingIngest, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (run(BACK), run(BACK)) == (0, 0)
    assert job.registry.served().version == B
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["repeated"]
    assert run(BACK, "another-job") == 0
    assert job.registry.served().version == A
    assert (run(MONTH, "first"), run(MONTH, "first")) == (0, 0)
    assert ingest.asked == [JUNE]


def test_a_job_that_died_before_its_result_was_kept_promotes_nothing_twice(
    run: Run, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(idempotency, "write", lambda *_: (_ for _ in ()).throw(OSError("gone")))
        assert run(BACK) == 1
    assert run(BACK) == 0
    assert job.registry.served().version == B


def test_an_event_that_other_jobs_were_given_too_is_done_once(run: Run, job: Job, ingest: RecordingIngest) -> None:
    assert (run(bus(MONTH), "first"), run(bus(MONTH), "second")) == (0, 0)
    assert ingest.asked == [JUNE]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ({"month": "2025-13"}, "does not exist"),
        ({"action": "promote", "version": "2020/01/01/000000"}, "2020/01/01/000000"),
        (bus({"month": "2025-13"}), "does not exist"),
    ],
)
def test_a_refused_event_fails_the_job_with_the_reason(
    event: object, reason: str, run: Run, job: Job, failure: Path
) -> None:
    assert run(event) == 1
    assert reason in failure.read_text()
    assert idempotency.read(job.models, NAME) is None


def test_without_an_event_it_fails(run: Run, failure: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(learn.EVENT, raising=False)
    assert learn.main() == 1
    assert "no JSON" in failure.read_text()


def test_a_failure_is_in_the_log_whole_and_for_sagemaker_in_short(
    run: Run,
    job: Job,
    failure: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def break_down(settings: object) -> Job:
        raise SettingsError("TRAINING_DAYS: " + "x" * 3000)

    monkeypatch.setattr(bootstrap, "build_job", break_down)
    assert run(MONTH) == 1
    assert failure.read_text().startswith("SettingsError: TRAINING_DAYS: x")
    assert len(failure.read_text()) == 1024
    assert "Traceback" in capsys.readouterr().err


def test_where_the_reason_may_not_be_written_the_job_fails_all_the_same(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn, "FAILURE_FILE", tmp_path / "of nobody" / "failure")
    assert run({"month": "2025-13"}) == 1
    assert "does not exist" in capsys.readouterr().err

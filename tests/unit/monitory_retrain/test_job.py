"""The job's decisions on what lies in the model bucket, with its learning and its days given."""

import importlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import msgspec
import pytest

from monitory.errors import ObjectNotFound, StorageError, StorageUnavailable, UnreadableObject
from monitory.features import failure_state
from monitory.features.failure_state import FailureState
from monitory.log import logger
from monitory.logbook import records
from monitory.logbook.records import Record
from monitory.registry.registry import CARD_FILE, MODEL_FILE, Registry
from monitory.scoring import performance, prediction_log
from monitory_local.lambdas import LocalContext
from monitory_retrain import bootstrap, pipeline, report
from monitory_retrain.dataset import hour_table
from monitory_retrain.ingest.counts import Counts
from monitory_retrain.ingest.ingest import Ingest, Ingested
from monitory_retrain.invocation import telemetry
from monitory_retrain.invocation.events import TrainingRequest
from monitory_retrain.job import Job, JobResult
from monitory_retrain.pipeline import Challenger
from tests.support import reports
from tests.support.fakes import MemoryStorage
from tests.support.models import card, small_text, with_leaves
from tests.support.prediction_lines import line
from tests.support.registries import A, B, C, promote, put_foreign
from tests.support.retraining import challenger, learns

NIGHT = TrainingRequest(reports.FIRST, reports.LAST, by="tests")


class Ready(Ingest):
    """Days that were read already."""

    def __init__(self) -> None:
        self.config = reports.LAKE

    def days(self, days: Sequence[date], *, refresh: datetime | None, in_time: Callable[[], bool]) -> Ingested:
        return Ingested(reports.table(), Counts(), [])


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


def test_a_served_model_that_fails_on_the_hold_out_is_replaced(job: Job, night: Callable[..., JobResult]) -> None:
    body = with_leaves(small_text(), {13: b"nan"})
    files = {MODEL_FILE: (body, "text/plain"), CARD_FILE: (msgspec.json.encode(card(A)), "application/json")}
    job.registry.store(A, files)
    promote(job.registry, A)
    answer = night()
    assert answer["promoted"]
    assert answer["champion"] is None
    assert job.registry.served().version == answer["version"]


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


def judged(job: Job, monkeypatch: pytest.MonkeyPatch, brier: float | None = None) -> JobResult:
    """A night whose challenger is judged by its real hold-out, with another Brier score where one is given."""
    found = challenger(1)
    if brier is not None:
        found = replace(found, scores=msgspec.structs.replace(found.scores, brier=brier))
    monkeypatch.setattr(pipeline, "learn", lambda *args, **kwargs: found)
    monkeypatch.setattr(report, "render", lambda findings: b"<!doctype html><title>report</title>")
    return job.train(NIGHT, lambda: True)


def foreign(job: Job) -> None:
    put_foreign(job.registry, small_text())


def poor(job: Job) -> None:
    """A champion of ours that knows nothing of this factory."""
    files = {MODEL_FILE: (small_text(), "text/plain"), CARD_FILE: (msgspec.json.encode(card(A)), "application/json")}
    job.registry.store(A, files)
    promote(job.registry, A)


def none(job: Job) -> None:
    pass


@pytest.mark.parametrize(
    ("champion", "reason"),
    [
        (foreign, "better than the champion by "),
        (poor, "better than the champion by "),
        (none, "the first model: Brier score "),
    ],
)
def test_a_model_that_passes_the_bar_is_promoted(
    job: Job, monkeypatch: pytest.MonkeyPatch, champion: Callable[[Job], None], reason: str
) -> None:
    champion(job)
    answer = judged(job, monkeypatch)
    assert answer["promoted"], answer["reasons"]
    assert answer["reasons"][0].startswith(reason)
    assert job.registry.served().version == answer["version"]


@pytest.mark.parametrize("champion", [foreign, poor, none])
def test_a_model_below_the_bar_is_promoted_over_nothing(
    job: Job, monkeypatch: pytest.MonkeyPatch, champion: Callable[[Job], None]
) -> None:
    champion(job)
    before = job.registry.served_or_none()
    answer = judged(job, monkeypatch, brier=0.9)
    assert not answer["promoted"]
    assert answer["reasons"][0].startswith("its probabilities of failure have a skill of -")
    assert job.registry.served_or_none() == before
    assert answer["version"] in set(job.registry.versions())


@pytest.fixture
def three(job: Job) -> Registry:
    """A registry in which three versions were promoted."""
    for number, version in enumerate((A, B, C)):
        made = msgspec.json.encode(card(version))
        files = {MODEL_FILE: (small_text(number), "text/plain"), CARD_FILE: (made, "application/json")}
        job.registry.store(version, files)
        promote(job.registry, version)
    return job.registry


def ask(job: Job, event: dict[str, str], request_id: str | None) -> JobResult:
    return bootstrap.handle(job, event, lambda: 900.0, request_id)


BACK = {"action": "rollback", "reason": "worse"}


def test_a_rollback_that_is_delivered_twice_goes_back_once(job: Job, three: Registry) -> None:
    first = ask(job, BACK, "one")
    assert first == {"status": "rolled back", "version": B, "replaced": C, "promotion": 4}
    assert ask(job, BACK, "one") == first
    assert three.served().version == B
    assert ask(job, BACK, "two")["version"] == A
    assert ask(job, BACK, "one") == first
    assert three.served().version == A
    assert len(three.history()) == 5


def test_without_a_request_each_rollback_goes_back(job: Job, three: Registry) -> None:
    assert [ask(job, BACK, None)["version"] for _ in range(2)] == [B, A]


def test_a_promotion_that_is_delivered_again_after_another_does_not_undo_it(job: Job, three: Registry) -> None:
    first = ask(job, {"action": "promote", "version": A}, "one")
    assert (first["status"], first["version"]) == ("promoted", A)
    ask(job, {"action": "promote", "version": B}, "two")
    assert ask(job, {"action": "promote", "version": A}, "one") == first
    assert three.served().version == B


def test_the_handler_passes_the_request_on(job: Job, three: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "build_job", lambda settings: job)
    monkeypatch.setitem(sys.modules, "monitory_retrain.handler", None)  # what is imported now is forgotten afterwards
    del sys.modules["monitory_retrain.handler"]
    handler = importlib.import_module("monitory_retrain.handler")
    context = LocalContext("retrain", 900.0)
    assert handler.lambda_handler(BACK, context) == handler.lambda_handler(BACK, context)
    assert three.promotion_of(context.aws_request_id) == three.history()[-1]


def dies_before_promoting(job: Job, monkeypatch: pytest.MonkeyPatch, night: Callable[..., JobResult]) -> None:
    def dies(*args: object, **kwargs: object) -> None:
        raise StorageUnavailable("promotion")

    with monkeypatch.context() as dying:
        dying.setattr(Registry, "promote", dies)
        with pytest.raises(StorageUnavailable):
            night()


def test_the_version_of_a_run_that_died_is_promoted_by_the_next(
    job: Job, night: Callable[..., JobResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    dies_before_promoting(job, monkeypatch, night)
    (stored,) = job.registry.versions()
    answer = night()
    assert (answer["version"], answer["promoted"]) == (stored, True)
    assert list(job.registry.versions()) == [stored]


@pytest.mark.parametrize("made", [None, b"{", msgspec.json.encode(card(A))], ids=["none", "damaged", "another"])
def test_a_version_of_the_same_text_without_that_card_is_not_taken_for_it(
    job: Job, night: Callable[..., JobResult], made: bytes | None
) -> None:
    files = {MODEL_FILE: (challenger().trained.text.encode(), "text/plain")}
    job.registry.store(A, files | ({CARD_FILE: (made, "application/json")} if made else {}))
    answer = night()
    assert answer["promoted"]
    assert list(job.registry.versions()) == sorted([A, answer["version"]])
    assert answer["version"] != A

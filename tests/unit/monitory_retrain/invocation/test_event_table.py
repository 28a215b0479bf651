"""What the retrain function answers to each event that reaches it, through its handler."""

import importlib
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitory import clock, metric_names
from monitory.errors import InvalidEvent, ModelError, UnknownVersion
from monitory.log import logger
from monitory.registry.registry import CARD_FILE, MODEL_FILE, Registry
from monitory_local.lambdas import LocalContext
from monitory_retrain import bootstrap, pipeline
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.sufficiency import Supply
from monitory_retrain.ingest.counts import Counts
from monitory_retrain.ingest.ingest import Ingest, Ingested
from monitory_retrain.job import Job, JobResult
from tests.support import reports
from tests.support.fakes import MemoryStorage
from tests.support.models import card, small_text
from tests.support.registries import A, B, C, promote

Json = dict[str, Any]
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # noon in Seoul
ID = "7bf73129-1428-4cd3-a780-95db273d1602"


def bus(detail: object, source: str = "factory.ops", kind: str = "retrain", **others: object) -> Json:
    return {
        "version": "0",
        "id": ID,
        "detail-type": kind,
        "source": source,
        "account": "123456789012",
        "time": "2026-11-20T15:00:00Z",
        "region": "ap-northeast-2",
        "resources": [],
        "detail": detail,
        **others,
    }


def scheduled(source: str = "aws.events", detail: object = None, **others: object) -> Json:
    return bus({} if detail is None else detail, source, "Scheduled Event", **others)


def sqs(*bodies: object) -> Json:
    return {"Records": [{"messageId": ID, "eventSource": "aws:sqs", "body": json.dumps(body)} for body in bodies]}


def sns(message: object) -> Json:
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": ID, "Message": json.dumps(message)}}]}


def wrapped(times: int) -> Json:
    return {"event": wrapped(times - 1)} if times else {}


class RecordingIngest(Ingest):
    """Days that were read already."""

    def __init__(self) -> None:
        self.config = reports.LAKE
        self.asked: list[tuple[str, str, int | None]] = []

    def days(self, days: Sequence[date], *, refresh: datetime | None, in_time: Callable[[], bool]) -> Ingested:
        self.asked.append((str(days[0]), str(days[-1]), None))
        return Ingested(reports.table(), Counts(objects=1), [])

    def history(self, first: date, before: date, max_rows: int, in_time: Callable[[], bool]) -> HourTable:
        return hour_table.join([], reports.table().values.shape[1])

    def sample(self, days: Sequence[date], count: int) -> Ingested:
        self.asked.append((str(days[0]), str(days[-1]), count))
        return Ingested(reports.table(), Counts(objects=1), [])


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


NIGHT = ("2026-10-31", "2026-11-20", None)
NOON = ("2026-11-02", "2026-11-22", None)
JUNE = ("2025-06-01", "2025-06-30", None)
BACK = {"action": "rollback", "reason": "worse"}
MONTH = {"month": "2025-06"}
RECORD = {  # a message of the failed-events queue
    "version": "1.0",
    "timestamp": "2026-11-20T15:20:00Z",
    "requestContext": {"requestId": ID, "condition": "RetriesExhausted", "approximateInvokeCount": 3},
    "requestPayload": MONTH,
    "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
}

TRAININGS: dict[str, tuple[object, tuple[str, str, int | None]]] = {
    "rule": (scheduled(), NIGHT),
    "Scheduler's own event, whose detail is text": (scheduled("aws.scheduler", "{}"), NIGHT),
    "Scheduler's own event, whose detail is an object": (scheduled("aws.scheduler"), NIGHT),
    "Scheduler's payload": ({"month": "2025-06"}, JUNE),
    "empty": ({}, NOON),
    "JSON text": ('{"month": "2025-06"}', JUNE),
    "JSON text in JSON text": (json.dumps(json.dumps(MONTH)), JUNE),
    "bus": (bus(MONTH), JUNE),
    "bus, detail as text": (bus(json.dumps(MONTH)), JUNE),
    "bus, cut down by an input transformer": ({"source": "factory.ops", "detail": MONTH}, JUNE),
    "rule with a request as its detail": (scheduled(detail={"month": "2025-06", "sample": 500}), (*JUNE[:2], 500)),
    "Step Functions' task parameters": ({"FunctionName": "f", "Payload": MONTH}, JUNE),
    "Step Functions' task result": ({"ExecutedVersion": "1", "Payload": MONTH, "StatusCode": 200}, JUNE),
    "the state machine's state": ({"round": {"number": 0}, "event": scheduled()}, NIGHT),
    "SQS": (sqs(MONTH), JUNE),
    "a bus event in SQS": (sqs(bus(MONTH)), JUNE),
    "SNS": (sns(MONTH), JUNE),
    "SNS in SQS": (sqs({"Type": "Notification", "MessageId": ID, "Message": json.dumps(MONTH)}), JUNE),
    "a failed event, sent again": (RECORD, JUNE),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_what_asks_for_training_trains(
    name: str, invoke: Callable[[object], JobResult], ingest: RecordingIngest, capsys: pytest.CaptureFixture[str]
) -> None:
    event, days = TRAININGS[name]
    answer = invoke(event)
    assert (answer["status"], answer["reason"]) == ("skipped", "too little")
    assert ingest.asked == [days]
    assert metric_names.RETRAIN_REFUSED not in capsys.readouterr().out


CHANGES: dict[str, tuple[object, Json]] = {
    "bus": (bus({"action": "rollback"}, kind="rollback"), {"status": "rolled back", "version": B}),
    "by hand": (BACK, {"status": "rolled back", "version": B}),
    "SQS": (sqs(BACK), {"status": "rolled back", "version": B}),
    "promotion on a bus": (bus({"action": "promote", "version": A}), {"status": "promoted", "version": A}),
    "of what is served": ({"action": "promote", "version": C}, {"status": "unchanged", "version": C}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_asks_for_another_model_gets_it(
    name: str, invoke: Callable[[object], JobResult], job: Job, ingest: RecordingIngest
) -> None:
    event, expected = CHANGES[name]
    answer = invoke(event)
    assert answer.items() >= expected.items()
    assert job.registry.served().version == expected["version"]
    assert ingest.asked == []


REFUSALS: dict[str, tuple[object, str, str]] = {
    "text": ("rollback", "invalid", "text that is no JSON.*rollback"),
    "empty text": ("", "invalid", "text that is no JSON"),
    "half a character": ("\ud800", "invalid", "text that is no JSON"),
    "null": (None, "invalid", r'JSON object like \{"month": "2025-06"\}, this is NoneType'),
    "Pipes' list": ([{"body": "{}"}], "invalid", "this is list"),
    "number": (5, "invalid", "this is int"),
    "older keys": (
        {"target_month": "2025-06", "sample_n": 500},
        "invalid",
        "target_month: the key is `month`, such as .2025-06.; sample_n: the key is `sample`",
    ),
    "older days": (
        {"start_day": "2025-06-01", "end_day": "2025-06-02"},
        "invalid",
        "start_day: the key is `start`.*end_day: the key is `end`",
    ),
    "misspelt key": ({"Month": "2025-06"}, "invalid", "Month: there is no such key, is it `month`?"),
    "unknown key": ({"colour": "red"}, "invalid", "colour: there is no such key, the keys are action, month, start"),
    "warmer": ({"source": "serverless-plugin-warmup"}, "invalid", "source: there is no such key"),
    "HTTP": ({"rawPath": "/", "requestContext": {}, "body": "{}"}, "invalid", "an HTTP request is no retrain event"),
    "not just wrapped": ({"event": {}, "x": 1}, "invalid", "there is no such key"),
    "wrapped for ever": (wrapped(12), "invalid", "wrapped more than 8 times"),
    "no such version": ({"action": "promote", "version": "2020/01/01/000000"}, "refused", "has no model.txt"),
    "no month": ({"month": "June"}, "invalid", "month: 'June' is no month such as .2025-06."),
    "wrong type": ({"month": 202506}, "invalid", "month"),
    "payload of a step that asks for nothing of ours": ({"Payload": {"statusCode": 200}}, "invalid", "statusCode"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_impossible_is_answered_with_the_remedy_and_counted(
    name: str,
    invoke: Callable[[object], JobResult],
    job: Job,
    ingest: RecordingIngest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    event, status, reason = REFUSALS[name]
    answer = invoke(event)
    assert answer["status"] == status
    assert_matches(answer["reason"], reason)
    assert_counted(capsys)
    assert (job.registry.served().version, ingest.asked) == (C, [])


def assert_matches(text: str, pattern: str) -> None:
    with pytest.raises(InvalidEvent, match=pattern):
        raise InvalidEvent(text)


def assert_counted(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = [
        json.loads(line) for line in capsys.readouterr().out.splitlines() if metric_names.RETRAIN_REFUSED in line
    ]
    assert (line[metric_names.RETRAIN_REFUSED], line["service"]) == ([1.0], metric_names.RETRAIN_SERVICE)


ALARM = {"alarmName": "a", "state": {"value": "ALARM", "reason": "r"}, "configuration": {}}
CREATED = {"version": "0", "bucket": {"name": "b"}, "object": {"key": "k", "size": 1}, "reason": "PutObject"}
DELIVERED: dict[str, tuple[object, type[Exception], str]] = {
    "alarm": (
        bus(ALARM, "aws.cloudwatch", "CloudWatch Alarm State Change"),
        InvalidEvent,
        "'CloudWatch Alarm State Change' of 'aws.cloudwatch' is not for retraining",
    ),
    "alarm's own action": ({"source": "aws.cloudwatch", "alarmArn": "a", "alarmData": {}}, InvalidEvent, "not for"),
    "object created": (bus(CREATED, "aws.s3", "Object Created"), InvalidEvent, "'Object Created' of 'aws.s3' is not"),
    "object created, without a detail": (bus({}, "aws.s3", "Object Created"), InvalidEvent, "not for retraining"),
    "bus without a detail": (bus({}), InvalidEvent, "'retrain' of 'factory.ops' has no detail"),
    "bus with a detail that is no request": (bus({"order": 5}), InvalidEvent, "order: there is no such key"),
    "bus that calls itself scheduled": (bus({}, kind="Scheduled Event"), InvalidEvent, "has no detail"),
    "schedule of long ago": (scheduled(time="1970-01-01T00:00:00Z"), InvalidEvent, "time"),
    "older keys on a bus": (bus({"target_month": "2025-06"}), InvalidEvent, "the key is `month`"),
    "S3's notification": ({"Records": [{"eventSource": "aws:s3", "s3": {}}]}, InvalidEvent, "'aws:s3' is not for"),
    "two messages": (sqs(BACK, BACK), InvalidEvent, "Records holds 2 messages.*batch size to 1"),
    "no message": ({"Records": []}, InvalidEvent, "Records holds 0 messages"),
    "SNS that is no JSON": ({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "hi"}}]}, InvalidEvent, "hi"),
    "promotion of no version": (bus({"action": "promote", "version": "2020/01/01/000000"}), UnknownVersion, "has no"),
}


@pytest.mark.parametrize("name", DELIVERED)
def test_what_is_impossible_and_nobody_waits_for_raises_and_is_counted(
    name: str,
    invoke: Callable[[object], JobResult],
    job: Job,
    ingest: RecordingIngest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    event, error, reason = DELIVERED[name]
    with pytest.raises(error, match=reason):
        invoke(event)
    assert_counted(capsys)
    assert (job.registry.served().version, ingest.asked) == (C, [])


EVENTS = Path(__file__).parents[4] / "events"
EXAMPLES = {
    "retrain-nightly": "skipped",
    "retrain-month": "skipped",
    "retrain-range": "skipped",
    "rollback": "rolled back",
    "rollback-bus": "rolled back",
    "promote": "refused",  # there is no such version here
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_understood(name: str, invoke: Callable[[object], JobResult]) -> None:
    assert invoke(json.loads((EVENTS / f"{name}.json").read_text()))["status"] == EXAMPLES[name]


def test_a_refused_rollback_that_was_delivered_raises(invoke: Callable[[object], JobResult], job: Job) -> None:
    for _ in range(2):
        invoke(BACK)
    with pytest.raises(ModelError, match="no earlier model"):
        invoke(bus(BACK))
    assert job.registry.served().version == A


@pytest.mark.parametrize("wrap", [bus, sqs, sns])
def test_an_event_that_is_delivered_twice_is_done_once(
    wrap: Callable[[object], Json], invoke: Callable[[object], JobResult], job: Job, ingest: RecordingIngest
) -> None:
    assert invoke(wrap(BACK)) == invoke(wrap(BACK))
    assert job.registry.served().version == B
    assert invoke(wrap(MONTH))["status"] == "skipped"
    assert invoke(wrap(MONTH))["repeated"]
    assert ingest.asked == [JUNE]


def test_who_put_an_event_on_the_bus_is_recorded(invoke: Callable[[object], JobResult], job: Job) -> None:
    invoke(bus(BACK))
    assert job.registry.history()[-1].by == "factory.ops"
    invoke({"action": "promote", "version": C})
    assert job.registry.history()[-1].by == "event"
    invoke(bus({"action": "promote", "version": A, "by": "me"}, id="another"))
    assert job.registry.history()[-1].by == "me"

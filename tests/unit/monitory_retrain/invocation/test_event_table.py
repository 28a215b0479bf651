"""What the retrain function answers to each event that reaches it, through its handler."""

import json
from collections.abc import Callable

import pytest

from monitory import metric_names
from monitory.errors import InvalidEvent, UnknownVersion
from monitory_retrain.job import Job, JobResult
from tests.support.registries import A, B, C
from tests.support.retrain.events import BACK, ID, JUNE, MONTH, Json, bus, scheduled, sns, sqs
from tests.support.retrain.jobs import RecordingIngest


def wrapped(times: int) -> Json:
    return {"event": wrapped(times - 1)} if times else {}


NIGHT = ("2026-10-31", "2026-11-20", None)
NOON = ("2026-11-02", "2026-11-22", None)
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

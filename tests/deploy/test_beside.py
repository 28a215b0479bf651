"""A second stack beside the first, as `sam deploy --config-env dev` makes it: an update, and a failure."""

import json
import tomllib
from typing import Any

import pytest

from monitory_local.artifacts.build import ROOT
from tests.deploy.conftest import PARAMETERS
from tests.support.deploy.deployment import Account, Stack, wait_for

NO_LAKE = "no-such-lake"
HOUR_SECONDS = 3600


@pytest.fixture(scope="module")
def parameters() -> dict[str, str]:
    """The second stack's, as the project's configuration has them."""
    configuration = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    overrides = configuration["dev"]["deploy"]["parameters"]["parameter_overrides"]
    chosen = dict(word.split("=", 1) for word in overrides.split())
    return {**PARAMETERS, **chosen, "BackfillStateMachine": "false"}


@pytest.fixture(scope="module")
def second(account: Account, packaged: Any, stack: Stack, parameters: dict[str, str]) -> Stack:
    """The second stack, made beside the first."""
    second = Stack(account, "monitory-dev")
    second.deploy(packaged, parameters)
    return second


def test_two_stacks_share_nothing(stack: Stack, second: Stack) -> None:
    assert set(stack.resources.values()) & set(second.resources.values()) == set()
    assert "ApiLogging" not in second.resources, "the account's one logging role is the first stack's"
    assert stack.get("/api/v1/health", key=second.key).status == 403
    assert second.get("/api/v1/health").status == 503


def test_a_changed_parameter_is_a_new_version_behind_the_alias(
    second: Stack, packaged: Any, parameters: dict[str, str]
) -> None:
    functions = second.account.client("lambda")
    name = second.outputs["PredictFunctionName"]

    def live() -> dict[str, Any]:
        configuration: dict[str, Any] = functions.get_function_configuration(FunctionName=name, Qualifier="live")
        return configuration

    before = live()
    assert second.get("/api/v1/predict", zoneId="Z", equipId="E").status == 404
    second.deploy(packaged, {**parameters, "LakeBucketName": NO_LAKE})
    after = live()
    assert int(after["Version"]) == int(before["Version"]) + 1
    assert after["Environment"]["Variables"]["S3_INPUT_DATA_BUCKET_NAME"] == NO_LAKE
    answer = second.get("/api/v1/predict", zoneId="Z", equipId="E")
    assert answer.status == 503, answer


def test_a_failing_event_reaches_the_queue_and_the_alarms_metrics(second: Stack) -> None:
    account, emulator = second.account, second.account.emulator
    event = {"start": "2026-11-01", "end": "2026-11-02"}
    account.client("lambda").invoke(
        FunctionName=second.outputs["RetrainFunctionName"], InvocationType="Event", Payload=json.dumps(event).encode()
    )
    queue = account.client("sqs")

    def message() -> dict[str, Any] | None:
        received = queue.receive_message(QueueUrl=second.resources["FailedRetrains"], WaitTimeSeconds=1)
        messages: list[dict[str, Any]] = received.get("Messages", [])
        return json.loads(messages[0]["Body"]) if messages else None

    failed = wait_for("failed event in the queue", message, emulator)
    assert failed["requestPayload"] == event
    assert failed["requestContext"]["condition"] == "RetriesExhausted"

    (watched,) = account.client("cloudwatch").describe_alarms(AlarmNames=[second.resources["RetrainFailedAlarm"]])[
        "MetricAlarms"
    ]
    counted = [
        line[watched["MetricName"]]
        for line in _metrics(second, "RetrainLogGroup")
        if line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == watched["Namespace"]
        and all(line.get(dimension["Name"]) == dimension["Value"] for dimension in watched["Dimensions"])
        and watched["MetricName"] in line
    ]
    assert counted == [[1.0]] * 3, "once in each of three attempts"


def _metrics(stack: Stack, group: str) -> list[dict[str, Any]]:
    """The metrics among a log group's lines."""
    logs = stack.account.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=stack.resources[group])
    lines = [event["message"] for page in pages for event in page["events"]]
    return [json.loads(line) for line in lines if line.startswith('{"_aws"')]

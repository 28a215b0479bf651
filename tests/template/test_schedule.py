"""The nightly run and the hourly one: when they come, where it goes, and where it is kept when it does not arrive."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.template.iam import may
from tests.support.template.reading import Stack


def firings(expression: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """The minutes (UTC) at which an EventBridge cron expression of plain numbers, * and ? fires."""
    fields = expression.removeprefix("cron(").removesuffix(")").split()
    assert len(fields) == 6
    now = start
    while now < end:
        weekday = now.isoweekday() % 7 + 1
        actual = (now.minute, now.hour, now.day, now.month, weekday, now.year)
        if all(field in ("*", "?") or int(field) == value for field, value in zip(fields, actual, strict=True)):
            yield now
        now += timedelta(minutes=1)


@pytest.mark.parametrize("month", [1, 3, 7, 11])
def test_the_rule_fires_at_every_midnight_in_seoul_and_at_no_other_time(stack: Stack, month: int) -> None:
    seoul = ZoneInfo("Asia/Seoul")
    start = datetime(2026, month, 1, tzinfo=seoul).astimezone(UTC)
    expression = stack["NightlyRule"]["ScheduleExpression"]
    fired = [time.astimezone(seoul) for time in firings(expression, start, start + timedelta(days=5))]
    assert [(time.day, time.hour, time.minute) for time in fired] == [(day, 0, 0) for day in range(1, 6)]


def test_the_rule_hands_over_its_own_event(stack: Stack) -> None:
    # the 21 days are counted back from the event's time, which an Input of our own would hide
    (target,) = stack["NightlyRule"]["Targets"]
    assert not {"Input", "InputPath", "InputTransformer"} & target.keys()


def test_an_undelivered_event_is_tried_for_hours_and_then_kept(stack: Stack) -> None:
    (target,) = stack["NightlyRule"]["Targets"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] >= 10
    # the next night's event must not meet the last one's
    assert 3600 <= target["RetryPolicy"]["MaximumEventAgeInSeconds"] < 24 * 3600
    assert target["DeadLetterConfig"]["Arn"] == "<FailedRetrains.Arn>"


def test_the_queue_takes_events_of_this_rule_only(stack: Stack) -> None:
    policy = stack["FailedRetrainsPolicy"]
    assert policy["Queues"] == ["<FailedRetrains>"]
    (allowed,) = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Action"] == "sqs:SendMessage"
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": "<NightlyRule.Arn>"}}


def test_the_rule_may_invoke_what_it_targets(stack: Stack) -> None:
    (target,) = stack["NightlyRule"]["Targets"]
    assert target["Arn"] == "<RetrainFunction.Arn>"
    permission = stack["NightlyPermission"]
    assert permission["FunctionName"] == "<RetrainFunction>"
    assert permission["SourceArn"] == "<NightlyRule.Arn>"
    assert permission["Principal"] == "events.amazonaws.com"


def test_with_the_state_machine_the_rule_starts_that_instead(looping_stack: Stack) -> None:
    (target,) = looping_stack["NightlyRule"]["Targets"]
    assert (target["Arn"], target["RoleArn"]) == ("<RetrainLoop>", "<NightlyRole.Arn>")
    assert target["DeadLetterConfig"]["Arn"] == "<FailedRetrains.Arn>"
    assert "NightlyPermission" not in looping_stack.resources


def test_the_rule_can_be_switched_off(template: dict[str, Any], stack: Stack) -> None:
    assert stack["NightlyRule"]["State"] == "ENABLED"
    assert Stack(template, NightlyRetrain="DISABLED")["NightlyRule"]["State"] == "DISABLED"


def schedule(stack: Stack, name: str = "Hourly") -> dict[str, Any]:
    return stack[f"ScoreFunction{name}"]


@pytest.mark.parametrize("minute", ["0", "10", "59"])
def test_machines_are_scored_once_an_hour_at_the_minute_of_the_parameter(template: dict[str, Any], minute: str) -> None:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    expression = schedule(Stack(template, ScoreMinute=minute))["ScheduleExpression"]
    fired = [*firings(expression, start, start + timedelta(hours=5))]
    assert [(time.hour, time.minute) for time in fired] == [(hour, int(minute)) for hour in range(5)]


def test_an_undelivered_hour_is_tried_until_the_next_and_then_kept(stack: Stack) -> None:
    target = schedule(stack)["Target"]
    assert target["Arn"] == "<ScoreFunction.Arn>"
    assert target["RoleArn"] == "<ScoreScheduleRole.Arn>"
    assert target["RetryPolicy"]["MaximumRetryAttempts"] >= 2
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] < 3600
    assert target["DeadLetterConfig"]["Arn"] == "<FailedScores.Arn>"


def test_the_digest_is_sent_on_mondays_in_the_factorys_time(template: dict[str, Any], stack: Stack) -> None:
    weekly = schedule(stack, "Weekly")
    assert (weekly["ScheduleExpression"], weekly["ScheduleExpressionTimezone"]) == ("cron(0 8 ? * MON *)", "Asia/Seoul")
    assert weekly["Target"]["Arn"] == "<ScoreFunction.Arn>"
    assert json.loads(weekly["Target"]["Input"]) == {"action": "digest"}
    states = [
        schedule(Stack(template, **parameters), "Weekly")["State"]
        for parameters in ({}, {"DigestSchedule": ""}, {"Scoring": "false"})
    ]
    assert states == ["ENABLED", "DISABLED", "DISABLED"]


def test_new_objects_are_scored_at_once_by_parameter(template: dict[str, Any], stack: Stack) -> None:
    assert not stack.of_type("AWS::Lambda::EventSourceMapping")
    eager = Stack(template, ScoreAtObjects="true", LakeBucketName="lake", LakePrefix="EQUIPMENT/")
    detail = eager["NewObjectsRule"]["EventPattern"]["detail"]
    assert detail == {"bucket": {"name": ["lake"]}, "object": {"key": [{"prefix": "EQUIPMENT/"}]}}
    mapping = eager["NewObjectsMapping"]
    assert (mapping["EventSourceArn"], mapping["FunctionName"]) == ("<NewObjects.Arn>", "<ScoreFunction>")
    assert eager["NewObjects"]["VisibilityTimeout"] >= eager["ScoreFunction"]["Timeout"]
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        assert may(eager, "ScoreRole", action, "<NewObjects.Arn>")
        assert not may(stack, "ScoreRole", action, "<NewObjects.Arn>")
    assert schedule(eager)["State"] == "ENABLED", "late objects and silent machines are the hourly run's"
    assert "NewObjects" not in Stack(template, ScoreAtObjects="true", Scoring="false").resources


def test_scoring_can_be_switched_off(template: dict[str, Any], stack: Stack) -> None:
    assert schedule(stack)["State"] == "ENABLED"
    assert schedule(Stack(template, Scoring="false"))["State"] == "DISABLED"
    environment = Stack(template, Scoring="false")["PredictFunction"]["Environment"]["Variables"]
    assert environment["SCORING"] == "false"

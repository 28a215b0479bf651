"""Alarms look at what is really published, tell somebody, and follow the parameters.

A misspelt metric or dimension passes every linter, and its alarm stays silent for ever.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from monitory import metric_names
from monitory.settings import PredictSettings, RetrainSettings, ScoreSettings, Settings, from_environment
from monitory_predict.telemetry import EmfTelemetry
from monitory_retrain.invocation import telemetry as retrain_telemetry
from monitory_score import telemetry as score_telemetry
from monitory_score.run import Summary
from tests.support.template.reading import Stack

OF_PREDICT = {
    metric_names.PREDICTIONS,
    metric_names.PREDICT_LATENCY,
    metric_names.PREDICTED_RUL,
    metric_names.REJECTED_READINGS,
    metric_names.MODEL_AGE_HOURS,
    metric_names.LAST_GOOD_MODEL_IN_USE,
    metric_names.DATA_AGE_MINUTES,
    metric_names.NO_DATA,
}
OF_RETRAIN = {
    metric_names.RETRAIN_COMPLETED,
    metric_names.RETRAIN_FAILED,
    metric_names.RETRAIN_REFUSED,
    metric_names.RETRAIN_SKIPPED,
    metric_names.MODEL_PROMOTED,
    metric_names.MODEL_REJECTED,
    metric_names.HOLDOUT_MAE_DAYS,
    metric_names.READINGS_READ,
    metric_names.REJECTED_READINGS,
    metric_names.TRAINING_ROWS,
    metric_names.DRIFTED_SENSORS,
    metric_names.REALISED_MAE_DAYS,
    metric_names.REALISED_COVERAGE,
    metric_names.FAILURES_ANNOUNCED,
    metric_names.FAILURES_MISSED,
    metric_names.FALSE_ANNOUNCEMENTS,
    metric_names.PROMISES_BROKEN,
}
OF_SCORE = {metric_names.SCORE_COMPLETED, metric_names.MACHINES_SCORED, metric_names.MACHINES_NOT_SCORED}
BY_SERVICE = {
    metric_names.PREDICT_SERVICE: OF_PREDICT,
    metric_names.RETRAIN_SERVICE: OF_RETRAIN,
    metric_names.SCORE_SERVICE: OF_SCORE,
}

# what AWS itself publishes, with the dimensions under which it does
API = {"ApiName": "monitory", "Stage": "prod"}
BY_AWS: list[tuple[str, str, dict[str, str]]] = [
    ("AWS/ApiGateway", "5XXError", API),
    ("AWS/ApiGateway", "Count", API),
    ("AWS/ApiGateway", "Latency", API),
    ("AWS/Lambda", "Errors", {"FunctionName": "<RetrainFunction>"}),
    ("AWS/Lambda", "Errors", {"FunctionName": "<ScoreFunction>"}),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "<FailedRetrains.QueueName>"}),
    ("AWS/States", "ExecutionsFailed", {"StateMachineArn": "<RetrainLoop>"}),
    ("AWS/States", "ExecutionsTimedOut", {"StateMachineArn": "<RetrainLoop>"}),
]


def watched(alarm: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of the metrics behind an alarm."""
    single = [alarm] if "MetricName" in alarm else []
    for metric in single + [q["MetricStat"]["Metric"] for q in alarm.get("Metrics", []) if "MetricStat" in q]:
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
        yield metric["Namespace"], metric["MetricName"], dimensions


def emitted(output: str) -> list[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of the metrics in lines of embedded metric format."""
    found = []
    for line in map(json.loads, output.splitlines()):
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = {name: line[name] for name in names}
                found += [(directive["Namespace"], metric["Name"], dimensions) for metric in directive["Metrics"]]
    return found


def test_each_alarm_watches_what_is_published(looping_stack: Stack) -> None:
    version = next(iter(looping_stack.of_type("AWS::Lambda::Version")))
    of_alias = {"FunctionName": "<PredictFunction>", "Resource": "<PredictFunction>:live"}
    known = [*BY_AWS, ("AWS/Lambda", "Errors", {**of_alias, "ExecutedVersion": f"<{version}.Version>"})]
    for service, names in BY_SERVICE.items():
        known += [(metric_names.NAMESPACE, name, {"service": service}) for name in names]
    alarms = looping_stack.of_type("AWS::CloudWatch::Alarm")
    for name, alarm in alarms.items():
        for metric in watched(alarm):
            assert metric in known, name


def test_the_api_is_called_what_its_alarms_call_it(stack: Stack) -> None:
    assert stack["Api"]["Name"] == API["ApiName"]
    assert stack["ApiStage"]["StageName"] == API["Stage"]


def namespace_of(template: dict[str, Any], function: str, kind: type[Settings]) -> str:
    """The namespace that a function's code finds in the environment that the template gives it."""
    stack = Stack(template, MetricsNamespace="MonitoryDev", ExistingModelBucketName="models")
    variables = stack[function]["Environment"]["Variables"]
    with pytest.MonkeyPatch.context() as environment:
        for name, value in variables.items():
            environment.setenv(name, value)
        return from_environment(kind).powertools_metrics_namespace


def test_predict_emits_under_that_namespace_name_and_dimension(
    template: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    EmfTelemetry(namespace_of(template, "PredictFunction", PredictSettings)).no_data()
    assert emitted(capsys.readouterr().out) == [
        ("MonitoryDev", metric_names.NO_DATA, {"service": metric_names.PREDICT_SERVICE})
    ]


def test_retrain_emits_under_that_namespace_name_and_dimension(
    template: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    retrain_telemetry.failed(namespace_of(template, "RetrainFunction", RetrainSettings))
    assert emitted(capsys.readouterr().out) == [
        ("MonitoryDev", metric_names.RETRAIN_FAILED, {"service": metric_names.RETRAIN_SERVICE})
    ]


def test_score_emits_under_that_namespace_names_and_dimension(
    template: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    namespace = namespace_of(template, "ScoreFunction", ScoreSettings)
    score_telemetry.emit(Summary(3, 2, 1, 0, 2, 2, 0.5), namespace)
    assert {(where, name) for where, name, _ in emitted(capsys.readouterr().out)} == {
        ("MonitoryDev", name) for name in OF_SCORE
    }


def test_where_scoring_is_switched_off_nobody_is_told_that_it_is_late(template: dict[str, Any]) -> None:
    silent = Stack(template, Scoring="false").of_type("AWS::CloudWatch::Alarm")
    assert [name for name, alarm in silent.items() if alarm.get("ActionsEnabled") is False] == ["ScoreOverdueAlarm"]


def test_every_alarm_tells_somebody_and_says_what_to_do(looping_stack: Stack) -> None:
    for name, alarm in looping_stack.of_type("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == ["<AlarmTopic>"], name
        assert len(alarm["AlarmDescription"].split(". ")) >= 2, name
        assert alarm["TreatMissingData"] in ("breaching", "notBreaching", "ignore"), name


def test_an_address_is_subscribed_where_one_is_given(template: dict[str, Any], stack: Stack) -> None:
    assert not stack.of_type("AWS::SNS::Subscription")
    (subscription,) = Stack(template, AlarmEmail="line3@example.com").of_type("AWS::SNS::Subscription").values()
    assert subscription == {"TopicArn": "<AlarmTopic>", "Protocol": "email", "Endpoint": "line3@example.com"}


def test_windows_are_of_a_length_that_cloudwatch_takes(looping_stack: Stack) -> None:
    for name, alarm in looping_stack.of_type("AWS::CloudWatch::Alarm").items():
        periods = {query["MetricStat"]["Period"] for query in alarm.get("Metrics", []) if "MetricStat" in query}
        (period,) = periods or {alarm["Period"]}
        longest = 7 * 86400 if period >= 3600 else 86400
        assert period * alarm["EvaluationPeriods"] <= longest, name


def test_an_expression_is_what_its_alarm_compares(looping_stack: Stack) -> None:
    for name, alarm in looping_stack.of_type("AWS::CloudWatch::Alarm").items():
        returned = [query for query in alarm.get("Metrics", []) if query.get("ReturnData", True)]
        assert all("Expression" in query for query in returned), name
        assert len(returned) == ("Metrics" in alarm), name


def test_alarms_watch_as_many_metrics_as_the_documents_say(looping_stack: Stack, stack: Stack) -> None:
    # each metric in an expression is billed as an alarm of its own
    billed = [
        sum(len([*watched(a)]) for a in s.of_type("AWS::CloudWatch::Alarm").values()) for s in (stack, looping_stack)
    ]
    assert billed == [14, 16]


def test_a_stack_that_is_retrained_by_hand_is_not_told_of_missed_nights(template: dict[str, Any]) -> None:
    silent = Stack(template, NightlyRetrain="DISABLED").of_type("AWS::CloudWatch::Alarm")
    assert [name for name, alarm in silent.items() if alarm.get("ActionsEnabled") is False] == ["RetrainOverdueAlarm"]
    nightly = Stack(template).of_type("AWS::CloudWatch::Alarm")
    assert all(alarm.get("ActionsEnabled", True) is True for alarm in nightly.values())


def test_the_age_that_raises_the_alarm_is_a_parameter(template: dict[str, Any]) -> None:
    assert Stack(template, MaxModelAgeDays="5")["ModelAgeAlarm"]["Threshold"] == "5"


def test_another_namespace_moves_the_alarms_along(template: dict[str, Any]) -> None:
    stack = Stack(template, MetricsNamespace="MonitoryDev")
    own = {
        namespace
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
        for namespace, _, _ in watched(alarm)
        if not namespace.startswith("AWS/")
    }
    assert own == {"MonitoryDev"}

"""Alarms: they look at what is really published, and are raised when they should be.

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
from tests.support.template.cloudwatch import in_alarm, series
from tests.support.template.reading import Stack

NOTHING = None
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


@pytest.mark.parametrize(("hours_ago", "raised"), [(0, False), (2, False), (3, True), (9, True)])
def test_hours_without_scoring_raise_an_alarm(stack: Stack, hours_ago: int, raised: bool) -> None:
    alarm = stack["ScoreOverdueAlarm"]
    runs: list[float | None] = [NOTHING] * 20
    runs[-1 - hours_ago] = 1
    assert in_alarm(alarm, series(alarm, {"ScoreCompleted": runs})) is raised


@pytest.mark.parametrize(("errors", "raised"), [(1, True), (0, False), (NOTHING, False)])
def test_a_run_of_scoring_that_failed_or_was_killed_raises_an_alarm(
    stack: Stack, errors: float | None, raised: bool
) -> None:
    alarm = stack["ScoreFailedAlarm"]
    assert in_alarm(alarm, series(alarm, {"Errors": [NOTHING] * 9 + [errors]})) is raised


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


@pytest.mark.parametrize(
    ("errors", "calls", "raised"),
    [(0, 100, False), (5, 100, False), (6, 100, True), (1, 1, True), (0, 0, False), (NOTHING, NOTHING, False)],
)
def test_one_bad_burst_of_calls_is_enough(
    stack: Stack, errors: float | None, calls: float | None, raised: bool
) -> None:
    alarm = stack["PredictErrorRateAlarm"]
    quiet: list[float | None] = [NOTHING] * 11
    points = series(alarm, {"5XXError": [*quiet, errors], "Count": [*quiet, calls]})
    assert in_alarm(alarm, points) is raised


@pytest.mark.parametrize(("latency", "raised"), [(2900.0, False), (3100.0, True), (NOTHING, False)])
def test_slow_answers_raise_an_alarm(stack: Stack, latency: float | None, raised: bool) -> None:
    alarm = stack["PredictLatencyAlarm"]
    assert alarm["ExtendedStatistic"] == "p99"
    assert in_alarm(alarm, series(alarm, {"Latency": [NOTHING] * 11 + [latency]})) is raised


@pytest.mark.parametrize(
    ("said", "counted", "raised"), [(1, 1, True), (NOTHING, 1, True), (1, NOTHING, True), (0, 0, False)]
)
def test_a_retrain_that_failed_or_was_killed_raises_an_alarm(
    stack: Stack, said: float | None, counted: float | None, raised: bool
) -> None:
    alarm = stack["RetrainFailedAlarm"]
    quiet: list[float | None] = [NOTHING] * 9
    points = series(alarm, {"RetrainFailed": [*quiet, said], "Errors": [*quiet, counted]})
    assert in_alarm(alarm, points) is raised


@pytest.mark.parametrize(("refused", "raised"), [(1, True), (0, False), (NOTHING, False)])
def test_a_refused_event_raises_an_alarm(stack: Stack, refused: float | None, raised: bool) -> None:
    alarm = stack["RetrainRefusedAlarm"]
    assert in_alarm(alarm, series(alarm, {"RetrainRefused": [NOTHING] * 9 + [refused]})) is raised


def test_alarms_watch_as_many_metrics_as_the_documents_say(looping_stack: Stack, stack: Stack) -> None:
    # each metric in an expression is billed as an alarm of its own
    billed = [
        sum(len([*watched(a)]) for a in s.of_type("AWS::CloudWatch::Alarm").values()) for s in (stack, looping_stack)
    ]
    assert billed == [14, 16]


def test_an_error_counted_at_the_start_of_the_invocation_is_still_in_the_window(stack: Stack) -> None:
    alarm = stack["RetrainFailedAlarm"]
    # the run began before the hour and was killed after it: the count stands in the period before the current one
    points = series(alarm, {"RetrainFailed": [NOTHING] * 10, "Errors": [NOTHING] * 8 + [1, 0]})
    assert in_alarm(alarm, points) is True


@pytest.mark.parametrize(("hours_ago", "raised"), [(0, False), (24, False), (25, False), (26, True), (40, True)])
def test_a_missed_night_raises_an_alarm_after_26_hours(stack: Stack, hours_ago: int, raised: bool) -> None:
    alarm = stack["RetrainOverdueAlarm"]
    runs: list[float | None] = [NOTHING] * 60
    runs[-1 - hours_ago] = 1
    assert in_alarm(alarm, series(alarm, {"RetrainCompleted": runs})) is raised


def test_without_fill_the_missed_night_would_go_unnoticed(stack: Stack) -> None:
    alarm = stack["RetrainOverdueAlarm"]
    runs: list[float | None] = [NOTHING] * 60
    runs[-1 - 26] = 1
    assert in_alarm(alarm, runs) is False


def test_a_stack_that_is_retrained_by_hand_is_not_told_of_missed_nights(template: dict[str, Any]) -> None:
    silent = Stack(template, NightlyRetrain="DISABLED").of_type("AWS::CloudWatch::Alarm")
    assert [name for name, alarm in silent.items() if alarm.get("ActionsEnabled") is False] == ["RetrainOverdueAlarm"]
    nightly = Stack(template).of_type("AWS::CloudWatch::Alarm")
    assert all(alarm.get("ActionsEnabled", True) is True for alarm in nightly.values())


def test_a_stack_that_never_retrained_says_so(stack: Stack) -> None:
    alarm = stack["RetrainOverdueAlarm"]
    assert in_alarm(alarm, series(alarm, {"RetrainCompleted": [NOTHING] * 60})) is True


@pytest.mark.parametrize(("hours", "raised"), [(13.9 * 24, False), (14.1 * 24, True), (NOTHING, None)])
def test_an_old_model_raises_an_alarm_and_silence_changes_nothing(
    stack: Stack, hours: float | None, raised: bool | None
) -> None:
    alarm = stack["ModelAgeAlarm"]
    assert in_alarm(alarm, series(alarm, {"ModelAgeHours": [NOTHING] * 9 + [hours]})) is raised


def test_the_age_that_raises_the_alarm_is_a_parameter(template: dict[str, Any]) -> None:
    assert Stack(template, MaxModelAgeDays="5")["ModelAgeAlarm"]["Threshold"] == "5"


@pytest.mark.parametrize(("in_use", "raised"), [(0, False), (1, True), (NOTHING, None)])
def test_the_last_good_model_in_use_raises_an_alarm(stack: Stack, in_use: float | None, raised: bool | None) -> None:
    alarm = stack["LastGoodModelAlarm"]
    assert in_alarm(alarm, series(alarm, {"LastGoodModelInUse": [NOTHING] * 9 + [in_use]})) is raised


@pytest.mark.parametrize(("broken", "raised"), [(0, False), (1, True), (NOTHING, None)])
def test_a_broken_promise_raises_an_alarm_until_the_next_night(
    stack: Stack, broken: float | None, raised: bool | None
) -> None:
    alarm = stack["PromisesBrokenAlarm"]
    assert in_alarm(alarm, series(alarm, {"PromisesBroken": [NOTHING] * 9 + [broken]})) is raised


@pytest.mark.parametrize(("waiting", "raised"), [(0, False), (1, True)])
def test_a_dead_letter_raises_an_alarm(stack: Stack, waiting: float, raised: bool) -> None:
    alarm = stack["DeadLettersAlarm"]
    points = series(alarm, {"ApproximateNumberOfMessagesVisible": [0] * 9 + [waiting]})
    assert in_alarm(alarm, points) is raised


def test_a_state_machine_that_gives_up_raises_an_alarm(looping_stack: Stack, stack: Stack) -> None:
    alarm = looping_stack["RetrainLoopFailedAlarm"]
    points = series(alarm, {"ExecutionsFailed": [NOTHING] * 9 + [1], "ExecutionsTimedOut": [NOTHING] * 10})
    assert in_alarm(alarm, points) is True
    assert "RetrainLoopFailedAlarm" not in stack.resources


def test_another_namespace_moves_the_alarms_along(template: dict[str, Any]) -> None:
    stack = Stack(template, MetricsNamespace="MonitoryDev")
    own = {
        namespace
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
        for namespace, _, _ in watched(alarm)
        if not namespace.startswith("AWS/")
    }
    assert own == {"MonitoryDev"}

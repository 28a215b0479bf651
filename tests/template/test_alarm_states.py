"""Alarms are raised when they should be, and only then."""

import pytest

from tests.support.template.cloudwatch import in_alarm, series
from tests.support.template.reading import Stack

NOTHING = None


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


def test_a_stack_that_never_retrained_says_so(stack: Stack) -> None:
    alarm = stack["RetrainOverdueAlarm"]
    assert in_alarm(alarm, series(alarm, {"RetrainCompleted": [NOTHING] * 60})) is True


@pytest.mark.parametrize(("hours", "raised"), [(13.9 * 24, False), (14.1 * 24, True), (NOTHING, None)])
def test_an_old_model_raises_an_alarm_and_silence_changes_nothing(
    stack: Stack, hours: float | None, raised: bool | None
) -> None:
    alarm = stack["ModelAgeAlarm"]
    assert in_alarm(alarm, series(alarm, {"ModelAgeHours": [NOTHING] * 9 + [hours]})) is raised


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

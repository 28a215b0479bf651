"""The state machine that goes on with a retrain until nothing is left."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.template.reading import Stack
from tests.support.template.states import START_TIME, Execution, TaskFailed, definition_of

EVENT = {"month": "2026-10", "round": "a key that the loop uses, too"}


@pytest.fixture(scope="module")
def run(looping_stack: Stack) -> Callable[..., Execution]:
    """Start an execution with functions that answer in turn; an exception among the answers is raised."""
    definition = definition_of(looping_stack["RetrainLoop"])

    def start(*answers: Any, event: Any = EVENT, seen: list[Any] | None = None) -> Execution:
        turn = iter(answers)

        def invoke(function: str, payload: Any) -> Any:
            assert function == "<RetrainFunction.Arn>"
            if seen is not None:
                seen.append(payload)
            answer = next(turn)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return Execution(definition, event, invoke)

    return start


def left(*days: str) -> dict[str, Any]:
    return {"status": "continue", "left": list(days)}


TRAINED = {"status": "trained", "version": "2026/11/20/150102", "promoted": True}


def test_one_round_is_enough_where_nothing_is_left(run: Callable[..., Execution]) -> None:
    assert run(TRAINED).output == TRAINED


def test_rounds_go_on_with_the_same_event_until_nothing_is_left(run: Callable[..., Execution]) -> None:
    seen: list[Any] = []
    execution = run(left("2026-10-02", "2026-10-03"), left("2026-10-03"), TRAINED, seen=seen)
    assert execution.output == TRAINED
    assert seen == [EVENT, EVENT, EVENT]


def test_rounds_that_refresh_read_anew_what_was_kept_before_the_first_one(run: Callable[..., Execution]) -> None:
    seen: list[Any] = []
    run(left("2026-10-02"), TRAINED, event={**EVENT, "refresh": True}, seen=seen)
    assert seen == [{**EVENT, "refresh": START_TIME}] * 2
    for refresh in (False, "2026-11-01T00:00:00Z", None):
        run(TRAINED, event={"refresh": refresh}, seen=seen)
        assert seen[-1] == {"refresh": refresh}


@pytest.mark.parametrize("status", ["skipped", "unchanged"])
def test_a_retrain_with_nothing_to_do_is_a_success(run: Callable[..., Execution], status: str) -> None:
    assert run({"status": status, "reason": "too few readings"}).error is None


@pytest.mark.parametrize("status", ["invalid", "refused"])
def test_an_event_that_is_refused_is_a_failure_with_its_reason(run: Callable[..., Execution], status: str) -> None:
    execution = run({"status": status, "reason": "month 2026-13 does not exist"})
    assert (execution.error, execution.cause) == ("Refused", "month 2026-13 does not exist")


def test_an_answer_without_a_status_ends_the_loop(run: Callable[..., Execution]) -> None:
    assert run({"version": "2026/11/20/150102"}).error is None


def test_it_waits_for_another_retrain_to_end(run: Callable[..., Execution]) -> None:
    busy = TaskFailed("Lambda.TooManyRequestsException")
    execution = run(*[busy] * 20, TRAINED)
    assert execution.output == TRAINED
    # the other one takes 15 minutes at most
    assert execution.waited >= 15 * 60


@pytest.mark.parametrize("error", ["Sandbox.Timedout", "Lambda.Unknown", "Lambda.ServiceException"])
def test_a_round_that_was_killed_is_tried_again(run: Callable[..., Execution], error: str) -> None:
    assert run(TaskFailed(error), TRAINED).output == TRAINED


def test_a_retrain_that_fails_for_good_fails_the_execution_with_its_reason(run: Callable[..., Execution]) -> None:
    execution = run(TaskFailed("StorageUnavailable", "the lake does not answer"))
    assert execution.error == "RetrainFailed"
    assert json.loads(str(execution.cause)) == {"Error": "StorageUnavailable", "Cause": "the lake does not answer"}


@pytest.mark.parametrize("error", ["States.Timeout", "Sandbox.Timedout"])
def test_a_reserved_name_of_an_error_is_not_an_error_of_ours(run: Callable[..., Execution], error: str) -> None:
    execution = run(*[TaskFailed(error)] * 4)
    assert execution.error == "RetrainFailed"
    assert error in str(execution.cause)


def test_no_failure_takes_its_name_from_what_failed(looping_stack: Stack) -> None:
    states = definition_of(looping_stack["RetrainLoop"])["States"].values()
    failures = [state for state in states if state["Type"] == "Fail"]
    assert len(failures) == 3
    assert not [state for state in failures if "ErrorPath" in state or state["Error"].startswith("States.")]


def test_a_retrain_that_never_ends_is_stopped(run: Callable[..., Execution]) -> None:
    rounds: list[Any] = []
    execution = run(*[left("2026-10-03")] * 1000, seen=rounds)
    assert execution.error == "Endless"
    assert 31 < len(rounds) <= 400


def test_a_round_may_take_as_long_as_the_function(looping_stack: Stack) -> None:
    definition = definition_of(looping_stack["RetrainLoop"])
    timeout = looping_stack["RetrainFunction"]["Timeout"]
    assert definition["States"]["Retrain"]["TimeoutSeconds"] > timeout
    assert definition["TimeoutSeconds"] >= 300 * timeout


def test_it_exists_only_where_it_is_asked_for(stack: Stack, looping_stack: Stack) -> None:
    assert not stack.of_type("AWS::StepFunctions::StateMachine")
    assert "RetrainLoopArn" not in stack.outputs
    assert looping_stack["RetrainLoop"]["StateMachineType"] == "STANDARD"
    assert looping_stack["RetrainLoop"]["RoleArn"] == "<RetrainLoopRole.Arn>"

"""The state machine that plans, reads batches side by side, and retrains until nothing is left."""

import json
from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

import pytest

from monitory_retrain.ingest.backfill.batches import MAX_BATCHES
from tests.support.template.reading import Stack
from tests.support.template.states import START_TIME, Execution, TaskFailed, definition_of

EVENT = {"month": "2026-10", "round": "a key that the loop uses, too"}


RETRAIN, READ = "<RetrainFunction.Arn>", "<ReadFunction.Arn>"
KEY = "cache/backfill/plans/1a2b/0123.jsonl"
BATCHES = [{"day": f"2026-10-0{day}", "machines": [["Z", f"E{number}"]]} for day in (1, 2) for number in range(1, 6)]
NOTHING = {"status": "nothing", "key": None, "distribute": False, "after": None}
LARGE = {"status": "planned", "key": KEY, "distribute": True, "after": None}
SMALL = {**LARGE, "distribute": False}


def manifest(bucket: str, key: str) -> bytes:
    assert (bucket, key) == ("<ModelBucket>", KEY)
    return b"".join(json.dumps(batch).encode() + b"\n" for batch in BATCHES)


@pytest.fixture(scope="module")
def run(looping_stack: Stack) -> Callable[..., Execution]:
    """Start an execution with functions that answer in turn; an exception among the answers is raised.

    `answers` are the retrain function's to its own events, `plans` those to plans, `reads` the read function's; without
    `reads` each batch is read.
    """
    definition = definition_of(looping_stack["RetrainLoop"])

    def start(
        *answers: Any,
        event: Any = EVENT,
        plans: tuple[Any, ...] = (NOTHING,),
        reads: Iterable[Any] | None = None,
        seen: list[Any] | None = None,
    ) -> Execution:
        turn, plan, read = iter(answers), iter(plans), iter(repeat({"status": "read"}) if reads is None else reads)

        def invoke(function: str, payload: Any) -> Any:
            action = payload.get("action") if isinstance(payload, dict) else None
            planned = action == "plan" and payload.keys() == {"action", "event", "after"}
            assert function == (READ if action == "read" else RETRAIN)
            if seen is not None and not (planned and len(plans) == 1):
                seen.append(payload)
            answer = next(plan if planned else read if action == "read" else turn)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return Execution(definition, event, invoke, manifest)

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
    assert len(failures) == 4
    assert not [state for state in failures if "ErrorPath" in state or state["Error"].startswith("States.")]


def test_a_retrain_that_never_ends_is_stopped(run: Callable[..., Execution]) -> None:
    rounds: list[Any] = []
    execution = run(*[left("2026-10-03")] * 1000, seen=rounds)
    assert execution.error == "Endless"
    assert 31 < len(rounds) <= 400


@pytest.mark.parametrize("plan", [NOTHING, SMALL])
def test_what_one_function_can_read_is_not_distributed(run: Callable[..., Execution], plan: Any) -> None:
    execution = run(TRAINED, plans=(plan,))
    assert (execution.output, execution.items) == (TRAINED, [])


def test_what_is_more_is_read_batch_by_batch_before_the_retrain(run: Callable[..., Execution]) -> None:
    seen: list[Any] = []
    execution = run(TRAINED, plans=(LARGE,), seen=seen)
    assert execution.output == TRAINED
    assert seen == [*({"action": "read", "batch": batch} for batch in BATCHES), EVENT]


def test_the_plan_is_of_the_executions_own_event(run: Callable[..., Execution]) -> None:
    nightly = {"detail-type": "Scheduled Event", "source": "aws.events", "time": "2026-11-25T15:00:00Z", "detail": {}}
    seen: list[Any] = []
    run(TRAINED, event=nightly, plans=(LARGE, None), seen=seen)
    assert seen[0] == {"action": "plan", "event": nightly, "after": None}
    assert seen[-1] == nightly


def test_what_batches_leave_fits_into_a_state_however_many_they_are(run: Callable[..., Execution]) -> None:
    execution = run(TRAINED, plans=(LARGE,))
    longest = max(len(json.dumps(item.output)) for item in execution.items)
    assert (longest + 1) * MAX_BATCHES < 256 * 1024


def test_days_that_a_plan_did_not_reach_are_planned_after_the_others_are_read(run: Callable[..., Execution]) -> None:
    seen: list[Any] = []
    execution = run(TRAINED, plans=({**LARGE, "after": "2026-10-10"}, NOTHING), seen=seen)
    assert execution.output == TRAINED
    plans = [payload["after"] for payload in seen if payload.get("action") == "plan"]
    assert plans == [None, "2026-10-10"]


def test_a_batch_that_is_out_of_time_goes_on(run: Callable[..., Execution]) -> None:
    again = [{"status": "continue", "left": ["Z/E1"]}, {"status": "read"}]
    seen: list[Any] = []
    execution = run(TRAINED, plans=(LARGE,), reads=[*again, *[{"status": "read"}] * 9], seen=seen)
    assert execution.output == TRAINED
    assert seen[0] == seen[1] == {"action": "read", "batch": BATCHES[0]}


def test_a_batch_that_is_killed_is_tried_again(run: Callable[..., Execution]) -> None:
    killed = TaskFailed("Runtime.ExitError")
    execution = run(TRAINED, plans=(LARGE,), reads=[killed, killed, *[{"status": "read"}] * 10])
    assert (execution.output, [item.error for item in execution.items]) == (TRAINED, [None] * 10)


def test_a_batch_waits_for_a_place_to_run(run: Callable[..., Execution]) -> None:
    busy = TaskFailed("Lambda.TooManyRequestsException")
    execution = run(TRAINED, plans=(LARGE,), reads=[*[busy] * 100, *[{"status": "read"}] * 10])
    assert execution.output == TRAINED
    assert execution.items[0].waited >= 15 * 60


def test_one_batch_of_ten_may_fail_and_is_left_to_the_retrain(run: Callable[..., Execution]) -> None:
    failed = [TaskFailed("StorageUnavailable", "the lake does not answer")] * 4
    execution = run(TRAINED, plans=(LARGE,), reads=[*failed, *[{"status": "read"}] * 9])
    assert execution.output == TRAINED
    assert [item.error for item in execution.items] == ["StorageUnavailable", *[None] * 9]


@pytest.mark.parametrize(
    "answer", [TaskFailed("StorageUnavailable"), {"status": "invalid", "reason": "no such batch"}, {}]
)
def test_more_than_that_ends_the_execution(run: Callable[..., Execution], answer: Any) -> None:
    execution = run(plans=(LARGE,), reads=repeat(answer))
    assert execution.error == "RetrainFailed"
    assert "States.ExceedToleratedFailureThreshold" in str(execution.cause)


def test_a_plan_that_is_asked_for_is_read_without_a_retrain(run: Callable[..., Execution]) -> None:
    event = {"action": "plan", "month": "2026-10"}
    execution = run(event=event, plans=(LARGE,))
    assert (execution.output, len(execution.items)) == (LARGE, len(BATCHES))
    assert run(event=event, plans=(SMALL,)).output == SMALL


def test_an_event_that_is_refused_is_not_planned(run: Callable[..., Execution]) -> None:
    execution = run(plans=({"status": "invalid", "reason": "month 2026-13 does not exist"},))
    assert (execution.error, execution.cause) == ("Refused", "month 2026-13 does not exist")


def test_a_plan_waits_and_is_repeated_as_a_retrain_is(run: Callable[..., Execution], looping_stack: Stack) -> None:
    states = definition_of(looping_stack["RetrainLoop"])["States"]
    assert states["Plan"]["Retry"] == states["Retrain"]["Retry"]
    failed = run(plans=(TaskFailed("StorageUnavailable", "the lake does not answer"),))
    assert failed.error == "RetrainFailed"


def test_batches_run_at_once_as_many_as_the_parameter_says(template: dict[str, Any]) -> None:
    stack = Stack(template, BackfillStateMachine="true", ReadConcurrency="40")
    read = definition_of(stack["RetrainLoop"])["States"]["Read"]
    assert read["MaxConcurrency"] == 40
    assert read["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert not {"ItemBatcher", "ResultWriter"} & read.keys()
    assert (
        definition_of(Stack(template, BackfillStateMachine="true")["RetrainLoop"])["States"]["Read"]["MaxConcurrency"]
        < 10
    )


def test_a_batch_may_take_as_long_as_its_function(looping_stack: Stack) -> None:
    batch = definition_of(looping_stack["RetrainLoop"])["States"]["Read"]["ItemProcessor"]["States"]["Read batch"]
    assert batch["TimeoutSeconds"] > looping_stack["ReadFunction"]["Timeout"]


def test_a_round_may_take_as_long_as_the_function(looping_stack: Stack) -> None:
    definition = definition_of(looping_stack["RetrainLoop"])
    timeout = looping_stack["RetrainFunction"]["Timeout"]
    assert definition["States"]["Retrain"]["TimeoutSeconds"] > timeout
    assert definition["TimeoutSeconds"] >= 300 * timeout


def test_it_exists_only_where_it_is_asked_for(stack: Stack, looping_stack: Stack) -> None:
    assert not stack.of_type("AWS::StepFunctions::StateMachine")
    assert "RetrainLoopArn" not in stack.outputs
    assert "ReadFunction" not in stack.resources
    assert looping_stack["RetrainLoop"]["StateMachineType"] == "STANDARD"
    assert looping_stack["RetrainLoop"]["RoleArn"] == "<RetrainLoopRole.Arn>"

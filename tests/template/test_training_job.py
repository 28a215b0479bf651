"""Learning in a training job of a larger machine: the states on the way to it, what it is given, and who may do what.

Not run on AWS: what it would be asked is held against the service's own description of its requests.
"""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

from monitory_retrain import learn
from monitory_retrain.invocation import envelope, idempotency
from tests.support.template.iam import may, statements
from tests.support.template.reading import PSEUDO, STACK_ID, Stack, as_list, source
from tests.support.template.states import START_TIME, Execution, TaskFailed, definition_of

NOTHING = {"status": "nothing", "key": None, "distribute": False, "after": None}
NIGHTLY = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": PSEUDO["AWS::AccountId"],
    "time": "2026-11-25T15:00:00Z",
    "region": PSEUDO["AWS::Region"],
    "resources": [f"arn:aws:events:ap-northeast-2:{PSEUDO['AWS::AccountId']}:rule/{'x' * 64}"],
    "detail": {},
}
GET_FUNCTION = "arn:aws:states:::aws-sdk:lambda:getFunction"
RUN_JOB = "arn:aws:states:::sagemaker:createTrainingJob.sync"
ROLE = "arn:aws:iam::123456789012:role/monitory-LearnRole-1A2B"
IMAGE = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/retrain:1"
FAILED = TaskFailed("States.TaskFailed", '{"FailureReason": "AlgorithmError: no such day"}')

Run = Callable[..., tuple[Execution, list[tuple[str, Any]]]]


@pytest.fixture
def run(job_stack: Stack) -> Run:
    """Start an execution; it and the calls of other services than Lambda's functions. Jobs end as told, in turn."""

    def start(event: Any, *ends: Exception | None) -> tuple[Execution, list[tuple[str, Any]]]:
        calls: list[tuple[str, Any]] = []
        turn = iter(ends or [None])

        def invoke(function: str, payload: Any) -> Any:
            calls.append((function, payload))
            return NOTHING if payload.get("action") == "plan" else {"status": "rolled back"}

        def call(resource: str, parameters: Any) -> Any:
            calls.append((resource, parameters))
            if resource == GET_FUNCTION:
                variables = job_stack["RetrainFunction"]["Environment"]["Variables"]
                return {"Code": {"ImageUri": IMAGE}, "Configuration": {"Environment": {"Variables": variables}}}
            if end := next(turn):
                raise end
            return {"TrainingJobName": parameters["TrainingJobName"], "TrainingJobStatus": "Completed"}

        return Execution(definition_of(job_stack["RetrainLoop"]), event, invoke, call=call), calls

    return start


def request_of(calls: list[tuple[str, Any]]) -> dict[str, Any]:
    """What SageMaker is asked for."""
    ((_, parameters),) = [call for call in calls if call[0] == RUN_JOB]
    request: dict[str, Any] = parameters
    return request


def test_it_learns_in_a_job_after_the_plan(run: Run) -> None:
    execution, calls = run(NIGHTLY)
    assert [resource for resource, _ in calls] == ["<RetrainFunction.Arn>", GET_FUNCTION, RUN_JOB]
    assert calls[1][1] == {"FunctionName": "<RetrainFunction.Arn>"}
    assert execution.output == {"status": "learnt in a job", "job": request_of(calls)["TrainingJobName"]}


@pytest.mark.parametrize("event", [NIGHTLY, {"month": "2026-10"}, {"action": "train"}, {"refresh": True}])
def test_the_job_is_one_that_sagemaker_takes(run: Run, event: Any) -> None:
    request = request_of(run(event)[1])
    client = boto3.client("sagemaker", region_name="ap-northeast-2")
    shape = client.meta.service_model.operation_model("CreateTrainingJob").input_shape
    assert ParamValidator().validate({**request, "RoleArn": ROLE}, shape).generate_report() == ""
    assert max(len(value) for value in request["Environment"].values()) <= 512
    assert len(request["TrainingJobName"]) <= 63
    assert request["ResourceConfig"]["InstanceType"] == "ml.m5.xlarge"


def test_the_job_is_the_functions_image_and_settings_with_the_event(run: Run, job_stack: Stack) -> None:
    request = request_of(run(NIGHTLY)[1])
    assert request["AlgorithmSpecification"]["TrainingImage"] == IMAGE
    assert request["AlgorithmSpecification"]["ContainerEntrypoint"] == ["python", "-m", learn.__name__]
    variables = job_stack["RetrainFunction"]["Environment"]["Variables"]
    own = {name: value for name, value in request["Environment"].items() if name not in variables}
    assert own.keys() == {learn.EVENT, "AWS_REGION"}
    assert own["AWS_REGION"] == PSEUDO["AWS::Region"]
    assert json.loads(own[learn.EVENT]) == NIGHTLY
    assert request["Environment"].items() >= variables.items()
    assert request["RoleArn"] == "<LearnRole.Arn>"


def test_each_job_has_a_name_of_its_own_below_the_stacks(run: Run) -> None:
    names = [request_of(run(NIGHTLY)[1])["TrainingJobName"] for _ in range(5)]
    assert len(set(names)) == 5
    assert all(name.startswith(f"monitory-{STACK_ID}-") for name in names)


def test_a_refresh_reads_anew_what_was_kept_before_the_execution(run: Run) -> None:
    request = request_of(run({"refresh": True})[1])
    assert json.loads(request["Environment"][learn.EVENT]) == {"refresh": START_TIME}


def test_what_does_not_learn_is_left_to_the_function(run: Run) -> None:
    execution, calls = run({"action": "rollback"})
    assert execution.output == {"status": "rolled back"}
    assert {resource for resource, _ in calls} == {"<RetrainFunction.Arn>"}


def test_a_job_that_failed_fails_the_execution_with_its_reason(run: Run) -> None:
    execution, _ = run(NIGHTLY, FAILED)
    assert execution.error == "RetrainFailed"
    assert "no such day" in str(execution.cause)


def test_a_job_waits_for_another_one_that_has_what_the_quota_allows(run: Run) -> None:
    busy = TaskFailed("SageMaker.ResourceLimitExceededException")
    execution, calls = run(NIGHTLY, *[busy] * 20, None)
    assert execution.error is None
    names = {parameters["TrainingJobName"] for resource, parameters in calls if resource == RUN_JOB}
    assert len(names) == 1
    assert execution.waited >= 15 * 60


def test_the_state_machine_outlasts_the_job(job_stack: Stack) -> None:
    definition = definition_of(job_stack["RetrainLoop"])
    state = definition["States"]["Learn"]
    assert (
        state["Parameters"]["StoppingCondition"]["MaxRuntimeInSeconds"]
        < state["TimeoutSeconds"]
        < definition["TimeoutSeconds"]
    )


def test_a_state_sent_again_as_an_event_is_understood(run: Run) -> None:
    execution, _ = run(NIGHTLY, FAILED)
    state = {**execution.data, "error": None}
    del state["error"]
    assert envelope.unwrap(state).request == NIGHTLY


def test_without_an_instance_type_the_function_learns_and_nobody_may_run_jobs(looping_stack: Stack) -> None:
    definition = definition_of(looping_stack["RetrainLoop"])
    answer = {"status": "trained"}
    execution = Execution(definition, NIGHTLY, lambda _, payload: NOTHING if "action" in payload else answer)
    assert execution.output == answer
    # a state machine that waits for a job is only made where its role may follow one
    assert ".sync" not in json.dumps(definition)
    assert "LearnRole" not in looping_stack.resources
    assert not [
        action
        for role in looping_stack.of_type("AWS::IAM::Role")
        for statement in statements(looping_stack, role)
        for action in as_list(statement["Action"])
        if action.partition(":")[0] in {"sagemaker", "ecr", "iam"} or action == "lambda:GetFunction"
    ]


def test_an_instance_type_brings_the_state_machine(job_stack: Stack, looping_stack: Stack) -> None:
    assert job_stack.resources.keys() - looping_stack.resources.keys() == {"LearnRole"}
    assert job_stack.outputs.keys() == looping_stack.outputs.keys()


def test_both_ways_every_state_is_reached_and_every_target_is_there(job_stack: Stack, looping_stack: Stack) -> None:
    for stack in (job_stack, looping_stack):
        definition = definition_of(stack["RetrainLoop"])
        reached, waiting = set(), [definition["StartAt"]]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                state = definition["States"][name]
                parts = [state, *state.get("Choices", []), *state.get("Catch", [])]
                waiting += [part[key] for part in parts for key in ("Next", "Default") if key in part]
        assert reached == definition["States"].keys()


def test_the_job_may_what_the_function_may_in_s3(template: dict[str, Any]) -> None:
    keys = {kind: f"arn:aws:kms:ap-northeast-2:123456789012:key/{kind}" for kind in ("lake", "models")}
    full = {"LakeKmsKeyArn": keys["lake"], "ModelKmsKeyArn": keys["models"], "FailureLogKey": "log.ndjson"}
    stack = Stack(template, RetrainInstanceType="ml.m5.xlarge", **full)
    policy = stack["LearnPolicy"]
    assert policy["Roles"] == ["<RetrainRole>", "<LearnRole>"]
    shared = policy["PolicyDocument"]["Statement"]
    of_s3 = [s for s in statements(stack, "LearnRole") if as_list(s["Action"])[0].partition(":")[0] in {"s3", "kms"}]
    assert of_s3 == shared
    output = request_prefix(stack)
    assert may(stack, "LearnRole", "s3:PutObject", f"{output}x/output/model.tar.gz")
    assert may(stack, "LearnRole", "s3:PutObject", f"arn:aws:s3:::<ModelBucket>/{idempotency.FOLDER}/monitory-1.json")
    assert not may(stack, "LearnRole", "s3:PutObject", "arn:aws:s3:::<ModelBucket>/records/x")


def request_prefix(stack: Stack) -> str:
    """The ARN below which SageMaker puts what a job leaves."""
    path: str = definition_of(stack["RetrainLoop"])["States"]["Learn"]["Parameters"]["OutputDataConfig"]["S3OutputPath"]
    return path.replace("s3://", "arn:aws:s3:::")


def test_the_job_pulls_images_and_writes_its_own_log(job_stack: Stack) -> None:
    role = job_stack["LearnRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert [statement["Principal"] for statement in role] == [{"Service": "sagemaker.amazonaws.com"}]
    registry = "arn:aws:ecr:ap-northeast-2:123456789012:repository/monitory/retrain"
    assert may(job_stack, "LearnRole", "ecr:BatchGetImage", registry)
    assert not may(job_stack, "LearnRole", "ecr:PutImage", registry)
    streams = "arn:aws:logs:ap-northeast-2:123456789012:log-group:/aws/sagemaker/TrainingJobs:log-stream:"
    assert may(job_stack, "LearnRole", "logs:PutLogEvents", f"{streams}monitory-{STACK_ID}-1a2b/algo-1-1")
    assert not may(job_stack, "LearnRole", "logs:PutLogEvents", f"{streams}another/algo-1-1")
    stars = [
        statement["Action"] for statement in statements(job_stack, "LearnRole") if "*" in as_list(statement["Resource"])
    ]
    assert stars == ["ecr:GetAuthorizationToken"], "which AWS allows for no narrower resource"


def test_the_state_machine_runs_the_stacks_jobs_with_their_role_alone(job_stack: Stack) -> None:
    jobs = "arn:aws:sagemaker:ap-northeast-2:123456789012:training-job/"
    for action in ("CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob", "AddTags"):
        assert may(job_stack, "RetrainLoopRole", f"sagemaker:{action}", f"{jobs}monitory-{STACK_ID}-1a2b")
        assert not may(job_stack, "RetrainLoopRole", f"sagemaker:{action}", f"{jobs}monitory-other-1a2b")
    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert may(job_stack, "RetrainLoopRole", "iam:PassRole", "<LearnRole.Arn>", passed)
    assert not may(job_stack, "RetrainLoopRole", "iam:PassRole", "<RetrainRole.Arn>", passed)
    assert not may(job_stack, "RetrainLoopRole", "iam:PassRole", "<LearnRole.Arn>")
    rules = "arn:aws:events:ap-northeast-2:123456789012:rule/"
    assert may(
        job_stack, "RetrainLoopRole", "events:PutRule", f"{rules}StepFunctionsGetEventsForSageMakerTrainingJobsRule"
    )
    assert not may(job_stack, "RetrainLoopRole", "events:PutRule", f"{rules}monitory-NightlyRule")
    assert may(job_stack, "RetrainLoopRole", "lambda:GetFunction", "<RetrainFunction.Arn>")


def test_an_arm_image_is_refused_before_anything_is_made() -> None:
    (rule,) = source()["Rules"].values()
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "RetrainInstanceType"}, ""]}]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Equals": [{"Ref": "Architecture"}, "x86_64"]}

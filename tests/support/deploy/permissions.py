"""Statements of the stack's roles, taken out and put back; and what was seen without them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.support.deploy.deployment import Stack
from tests.support.deploy.emulator import ACCOUNT

ROLES = ("PredictRole", "ScoreRole", "ScoreScheduleRole", "RetrainRole", "ReadRole", "NightlyRole", "RetrainLoopRole")

SEEN: list[str] = []
"""A line for each statement that was taken out, printed at the end of the run."""


class Unenforced(NamedTuple):
    """A statement whose lack no caller sees: the emulator's IAM simulator judges instead.

    Either only a service needs it, which the emulator lets act without, or the function makes do without it.

    Attributes:
        action: that the service takes.
        reason: who needs it on AWS.
    """

    action: str
    reason: str


_LOGS = "Lambda writes the function's lines"
_QUEUE = "Lambda hands failed events to the queue"
_LATER = "without it predictions go on, and learn of a failure a night later"
_KEY = "S3 asks the key on the caller's behalf"

UNENFORCED = {
    ("PredictRole", "DecryptReadings"): Unenforced("kms:Decrypt", _KEY),
    ("PredictRole", "ReadFailureLog"): Unenforced("s3:GetObject", _LATER),
    ("PredictRole", "KeepRecentHourRows"): Unenforced(
        "s3:GetObject", "without it predictions go on, and read a week of objects anew"
    ),
    ("PredictRole", "WriteLogs"): Unenforced("logs:PutLogEvents", _LOGS),
    ("PredictRole", "EncryptModels"): Unenforced("kms:Decrypt", _KEY),
    ("ScoreRole", "DecryptReadings"): Unenforced("kms:Decrypt", _KEY),
    ("ScoreRole", "ReadFailureLog"): Unenforced("s3:GetObject", _LATER),
    ("ScoreRole", "ListModels"): Unenforced("s3:ListBucket", "without it S3 says 403 of what is not there yet"),
    ("ScoreRole", "SendEventsAboutCases"): Unenforced("events:PutEvents", "where a case has changed, the bus is told"),
    ("ScoreRole", "MailAboutCases"): Unenforced("sns:Publish", "where a case has changed, the topic is told"),
    ("ScoreRole", "WriteLogs"): Unenforced("logs:PutLogEvents", _LOGS),
    ("ScoreRole", "KeepFailedEvents"): Unenforced("sqs:SendMessage", _QUEUE),
    ("ScoreRole", "EncryptModels"): Unenforced("kms:GenerateDataKey", _KEY),
    ("ScoreScheduleRole", "Score"): Unenforced("lambda:InvokeFunction", "the schedule invokes the function"),
    ("ScoreScheduleRole", "KeepUndeliveredEvents"): Unenforced(
        "sqs:SendMessage", "the schedule hands events to the queue"
    ),
    ("RetrainRole", "DecryptReadings"): Unenforced("kms:Decrypt", _KEY),
    ("RetrainRole", "ReadPredictions"): Unenforced(
        "s3:GetObject", "without it a retrain goes on, and what predictions came to is not measured"
    ),
    ("RetrainRole", "KeepFailedEvents"): Unenforced("sqs:SendMessage", _QUEUE),
    ("RetrainRole", "WriteLogs"): Unenforced("logs:PutLogEvents", _LOGS),
    ("RetrainRole", "EncryptModels"): Unenforced("kms:GenerateDataKey", _KEY),
    ("NightlyRole", "StartRetrainLoop"): Unenforced("states:StartExecution", "EventBridge starts the state machine"),
    ("ReadRole", "DecryptReadings"): Unenforced("kms:Decrypt", _KEY),
    ("ReadRole", "EncryptPieces"): Unenforced("kms:GenerateDataKey", _KEY),
    ("ReadRole", "ListModels"): Unenforced("s3:ListBucket", "without it S3 says 403 of what is not there yet"),
    ("ReadRole", "ReadScoredRows"): Unenforced("s3:GetObject", "without it a batch is read all the same, and anew"),
    ("ReadRole", "WriteLogs"): Unenforced("logs:PutLogEvents", _LOGS),
    ("RetrainLoopRole", "Retrain"): Unenforced("lambda:InvokeFunction", "Step Functions invokes the function"),
    ("RetrainLoopRole", "ReadBatches"): Unenforced("lambda:InvokeFunction", "Step Functions invokes the function"),
    ("RetrainLoopRole", "ReadManifest"): Unenforced("s3:GetObject", "Step Functions reads the manifest"),
    ("RetrainLoopRole", "DecryptManifest"): Unenforced("kms:Decrypt", _KEY),
    ("RetrainLoopRole", "StartBatches"): Unenforced("states:StartExecution", "Step Functions starts each batch"),
    ("RetrainLoopRole", "FollowBatches"): Unenforced("states:DescribeExecution", "Step Functions follows each batch"),
}


def statements(stack: Stack) -> dict[tuple[str, str], dict[str, Any]]:
    """The statements of every role, by role and Sid."""
    return {
        (role, statement["Sid"]): statement
        for role in ROLES
        for document in _documents(stack, role).values()
        for statement in document["Statement"]
    }


@contextmanager
def without(stack: Stack, role: str, sid: str) -> Iterator[None]:
    """Take a statement out of a role; it is back on leaving."""
    ((policy, document),) = (
        (policy, document)
        for policy, document in _documents(stack, role).items()
        if sid in {statement["Sid"] for statement in document["Statement"]}
    )
    rest = [statement for statement in document["Statement"] if statement["Sid"] != sid]
    iam, name = stack.account.client("iam"), stack.resources[role]
    if rest:
        _put(iam, name, policy, {**document, "Statement": rest})
    else:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    try:
        yield
    finally:
        _put(iam, name, policy, document)


def allowed(stack: Stack, role: str, action: str, resource: str) -> bool:
    """What the emulator's IAM simulator says of a role."""
    (result,) = stack.account.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/{stack.resources[role]}",
        ActionNames=[action],
        ResourceArns=[resource],
    )["EvaluationResults"]
    return bool(result["EvalDecision"] == "allowed")


def _documents(stack: Stack, role: str) -> dict[str, dict[str, Any]]:
    """The documents of a role's policies by their names."""
    iam, name = stack.account.client("iam"), stack.resources[role]
    return {
        policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }


def _put(iam: Any, role: str, policy: str, document: dict[str, Any]) -> None:
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))

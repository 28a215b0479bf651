"""Stacks on the emulator: put there by `sam`, reached by the gateway and by AWS's clients."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import boto3

from monitory.clock import now
from monitory.machine import Machine
from tests.support.deploy.emulator import ACCOUNT, REGION, Emulator
from tests.support.gateways import rest_event

ARTIFACTS = "artifacts"
KEYS = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "loopback-only"}
SAM_SECONDS = 120
CALL_SECONDS = 60

T = TypeVar("T")


class DeploymentFailed(Exception):
    """`sam` ended with an error; what it printed is the message."""


@dataclass(frozen=True)
class Answer:
    """What the gateway answered."""

    status: int
    text: str

    @property
    def body(self) -> dict[str, Any]:
        """The body, of JSON."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed


@dataclass(frozen=True)
class Account:
    """An account on the emulator."""

    emulator: Emulator

    def client(self, service: str) -> Any:
        """AWS's client of a service, with the account's own rights."""
        session: Any = boto3.Session(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
        return session.client(service, endpoint_url=self.emulator.endpoint, verify=str(self.emulator.certificate))

    def bucket(self, name: str) -> Any:
        """A bucket's objects, with the account's own rights."""
        session: Any = boto3.Session(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
        s3 = session.resource("s3", endpoint_url=self.emulator.endpoint, verify=str(self.emulator.certificate))
        return s3.Bucket(name)

    @property
    def environment(self) -> dict[str, str]:
        """With it programs reach the account."""
        trusted = str(self.emulator.certificate)
        return {
            **KEYS,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.emulator.endpoint,
            "AWS_CA_BUNDLE": trusted,
            "SSL_CERT_FILE": trusted,
        }

    def make_bucket(self, name: str) -> None:
        """Create a bucket."""
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def sam(self, folder: Path, *arguments: str) -> str:
        """Run `sam` in a folder; what it printed.

        Raises:
            EmulatorError: the emulator ended.
            DeploymentFailed: `sam` ended with an error.
        """
        self.emulator.assert_alive()
        done = subprocess.run(
            [str(Path(sys.executable).with_name("sam")), *arguments],
            cwd=folder,
            env={
                **self.environment,
                "HOME": str(folder),
                "PATH": os.defpath,
                "SAM_CLI_TELEMETRY": "0",
                "SAM_CLI_POLL_DELAY": "0.5",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SAM_SECONDS,
            check=False,
        )
        if done.returncode:
            self.emulator.assert_alive()
            raise DeploymentFailed(f"sam {arguments[0]}: {done.stdout[-4000:]}")
        return done.stdout


@dataclass
class Stack:
    """A deployed stack."""

    account: Account
    name: str
    outputs: dict[str, str] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    key: str = ""
    stage: str = "prod"

    def deploy(self, packaged: Path, parameters: Mapping[str, str]) -> None:
        """Create or update it, as a user does."""
        self.account.sam(
            packaged.parent,
            *("deploy", "--template-file", packaged.name, "--stack-name", self.name, "--s3-bucket", ARTIFACTS),
            *("--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar"),
            *("--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())),
        )
        stacks = self.account.client("cloudformation")
        (described,) = stacks.describe_stacks(StackName=self.name)["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        self.resources = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in stacks.describe_stack_resources(StackName=self.name)["StackResources"]
        }
        keys = self.account.client("apigateway")
        self.key = keys.get_api_key(apiKey=self.outputs["ApiKeyId"], includeValue=True)["value"]
        self.stage = self.outputs["ApiUrl"].rpartition("/")[2]

    def delete(self) -> None:
        """Delete it, and wait until that is done."""
        stacks = self.account.client("cloudformation")
        stacks.delete_stack(StackName=self.name)
        self.account.emulator.assert_alive()
        stacks.get_waiter("stack_delete_complete").wait(
            StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def get(self, path: str, *, key: str | None = None, **query: str) -> Answer:
        """A call through the gateway, with the stack's key unless another is given; '' sends none."""
        self.account.emulator.assert_alive()
        api = self.outputs["ApiUrl"].removeprefix("https://").split(".")[0]
        key = self.key if key is None else key
        headers = {"Host": f"{api}.execute-api.localhost"} | ({"x-api-key": key} if key else {})
        connection = self.account.emulator.connection(CALL_SECONDS)
        try:
            connection.request(
                "GET", f"/{self.stage}{path}" + (f"?{urlencode(query)}" if query else ""), headers=headers
            )
            response = connection.getresponse()
            return Answer(response.status, response.read().decode())
        finally:
            connection.close()

    def record(self, machine: Machine, name: str, *, key_id: str | None = None) -> Answer:
        """Write a record under an idempotency key, by an operator's key unless another is given.

        The function is invoked with the gateway's event: the emulator's own does not say which key a call has.
        """
        event = rest_event(f"/api/v1/machines/{machine.zone_id}/{machine.equip_id}/records", method="POST")
        headers = {"Content-Type": "application/json", "Idempotency-Key": name}
        event |= {
            "headers": headers,
            "multiValueHeaders": {header: [value] for header, value in headers.items()},
            "body": json.dumps({"kind": "seen", "start": now().isoformat()}),
        }
        event["requestContext"]["identity"]["apiKeyId"] = self.outputs["OperatorKeyId"] if key_id is None else key_id
        answer = self._invoke_function(self.resources["PredictFunction"], event)
        return Answer(answer["statusCode"], answer["body"])

    def invoke_retrain(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke the retrain function and wait; its answer, or the error that Lambda reports."""
        return self._invoke("RetrainFunctionName", event)

    def score(self) -> dict[str, Any]:
        """Invoke the score function as its schedule does, and wait; its answer, or the error that Lambda reports."""
        return self._invoke("ScoreFunctionName", {})

    def read(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke the read function with a batch, as the state machine does, and wait; its answer, or the error."""
        return self._invoke_function(self.resources["ReadFunction"], {"action": "read", "batch": batch})

    def _invoke(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        return self._invoke_function(self.outputs[function], event)

    def _invoke_function(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        self.account.emulator.assert_alive()
        answer = self.account.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        return result


EXECUTION_SECONDS = 300.0


def output_of(stack: Stack, execution: str) -> dict[str, Any]:
    """The output of an execution of a state machine, once it has succeeded."""
    states = stack.account.client("stepfunctions")

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=execution)
        return None if described["status"] == "RUNNING" else described

    described = wait_for("end of the execution", ended, stack.account.emulator, EXECUTION_SECONDS)
    assert described["status"] == "SUCCEEDED", f"{described.get('error')}: {described.get('cause')}"
    output: dict[str, Any] = json.loads(described["output"])
    return output


def wait_for(what: str, look: Callable[[], T | None], emulator: Emulator, seconds: float = 60.0) -> T:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        emulator.assert_alive()
        assert time.monotonic() < deadline, f"no {what} within {seconds:.0f} s"
        time.sleep(0.2)
    return found

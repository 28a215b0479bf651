"""The template, transformed once for all tests of it."""

from typing import Any

import pytest

from tests.support.template.reading import Stack, transformed


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """The template after the Serverless transform."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")  # the transform asks for the partition
        return transformed()


@pytest.fixture(scope="session")
def stack(template: dict[str, Any]) -> Stack:
    """The stack that the parameters' defaults make."""
    return Stack(template)


@pytest.fixture(scope="session")
def looping_stack(template: dict[str, Any]) -> Stack:
    """The stack with the state machine."""
    return Stack(template, BackfillStateMachine="true")


@pytest.fixture(scope="session")
def job_stack(template: dict[str, Any]) -> Stack:
    """The stack that learns in training jobs, which has the state machine, too."""
    return Stack(template, RetrainInstanceType="ml.m5.xlarge")

"""The Lambda handler: one event, one result."""

from typing import Any

from monitory.settings import RetrainSettings, from_environment
from monitory_retrain.bootstrap import build_job, handle
from monitory_retrain.job import JobResult

_job = build_job(from_environment(RetrainSettings))


def lambda_handler(event: Any, context: Any) -> JobResult:
    """Train, promote or roll back, see events.py."""
    return handle(_job, event, lambda: context.get_remaining_time_in_millis() / 1000, context.aws_request_id)

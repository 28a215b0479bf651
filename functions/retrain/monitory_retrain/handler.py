"""The Lambda handler: one event, one result."""

from typing import Any

from monitory.settings import RetrainSettings, load
from monitory_retrain.bootstrap import answer, build_job
from monitory_retrain.job import JobResult

_job = build_job(load(RetrainSettings))


def lambda_handler(event: Any, context: Any) -> JobResult:
    """Train, promote or roll back, see events.py."""
    return answer(_job, event, lambda: context.get_remaining_time_in_millis() / 1000, context.aws_request_id)

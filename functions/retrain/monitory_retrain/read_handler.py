"""The Lambda handler of the read function: one batch of a plan, one result."""

from typing import Any

from monitory.settings import RetrainSettings, from_environment
from monitory_retrain.backfill import read
from monitory_retrain.invocation.events import JobResult

_reader = read.open_reader(from_environment(RetrainSettings))


def lambda_handler(event: Any, context: Any) -> JobResult:
    """Read a batch, see backfill/read.py."""
    return read.handle(_reader, event, lambda: context.get_remaining_time_in_millis() / 1000)

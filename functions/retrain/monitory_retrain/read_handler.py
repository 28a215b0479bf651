"""The Lambda handler of the read function: one batch of a plan, one result."""

from typing import Any

from monitory.settings import RetrainSettings, from_environment
from monitory_retrain import batch_reading
from monitory_retrain.invocation.events import JobResult

_reader = batch_reading.open_reader(from_environment(RetrainSettings))


def lambda_handler(event: Any, context: Any) -> JobResult:
    """Read a batch, see batch_reading.py."""
    return batch_reading.handle(_reader, event, lambda: context.get_remaining_time_in_millis() / 1000)

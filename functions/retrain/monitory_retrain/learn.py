"""The retrain job as a process of its own, for what takes longer than a function may: one event, an exit status.

    RETRAIN_EVENT='{"month": "2025-06"}' python -m monitory_retrain.learn

With `RetrainInstanceType` the state machine runs it as a SageMaker training job, out of the function's image and with
the function's environment. Nobody gets such a job's answer: it is logged, and kept in the model bucket under its name.
"""

import math
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path

import msgspec

from monitory.settings import RetrainSettings, from_environment
from monitory_retrain.invocation.events import JobResult

EVENT = "RETRAIN_EVENT"
"""Environment variable with the event as text, in whatever envelope."""

JOB_NAME = "TRAINING_JOB_NAME"
"""Environment variable with the job's name, which SageMaker sets: a job that is run again does nothing again."""

FAILURE_FILE = Path("/opt/ml/output/failure")
"""SageMaker's: the first 1,024 characters of it become the job's reason of failure."""

FAILURE_CHARACTERS = 1024
_REFUSALS = {"invalid", "refused"}


def main() -> int:
    """Do what the event asks for; 1 where that failed, or was refused."""
    try:
        result = learn(os.environ.get(EVENT, ""), os.environ.get(JOB_NAME))
    except Exception as exc:  # whatever it is, the process ends here
        traceback.print_exc()
        return _fail(f"{type(exc).__name__}: {exc}")
    sys.stdout.write(f"{msgspec.json.encode(result).decode()}\n")
    return _fail(result["reason"]) if result["status"] in _REFUSALS else 0


def learn(event: str, name: str | None) -> JobResult:
    """What the function does with an event, without its time limit; a job that is repeated gets its first result.

    Raises:
        MonitoryError: as `build_job` and `handle`.
    """
    # here: processes that read the lake import this module, too, and need nothing of what learning takes
    from monitory_retrain import bootstrap
    from monitory_retrain.invocation import idempotency

    job = bootstrap.build_job(from_environment(RetrainSettings))
    if earlier := idempotency.read(job.models, name):
        return {**earlier, "repeated": True}
    result = bootstrap.handle(job, event, lambda: math.inf, name)
    if result["status"] not in _REFUSALS:
        idempotency.write(job.models, name, result)
    return result


def _fail(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    # not written where the image's user may not write there: the log has it as well
    with suppress(OSError):
        FAILURE_FILE.write_text(reason[:FAILURE_CHARACTERS], encoding="utf-8")
    return 1


if __name__ == "__main__":
    sys.exit(main())

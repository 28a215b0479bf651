"""The plan of a backfill, with its manifest."""

from collections.abc import Callable

from monitory import clock
from monitory_retrain.ingest.backfill import batches
from monitory_retrain.ingest.backfill.planner import Planner
from monitory_retrain.ingest.cache.day_cache import PIECES
from monitory_retrain.invocation import events, ingest_results
from monitory_retrain.invocation.events import JobResult
from monitory_retrain.job import Job

MANIFESTS = f"{PIECES}/plans"


def plan(job: Job, request: events.PlanRequest, in_time: Callable[[], bool]) -> JobResult:
    """Write down what a training has to read; nothing is to be read for a sample, or an event without days.

    The same plan is the same object, whoever makes it.

    Args:
        job: the retrain job.
        request: which training.
        in_time: as in `Planner.plan`.

    Returns:
        `status` `planned` with the manifest's `key`, or `nothing`; what it holds; whether it is more than one function
        can read (`distribute`); the last day that was looked at where there are more (`after`).

    Raises:
        StorageUnavailable: the store failed.
    """
    training = request.training
    days = [day for day in training.days if not request.after or day > request.after] if training else []
    refresh = training.refresh if training else None
    if training and training.sample:
        days = []  # each object by itself, past the cache
    planner = Planner(job.ingest.config, job.models, job.log)
    made = planner.plan(days, clock.now().date(), refresh=refresh, in_time=in_time)
    if not made.batches:
        return ingest_results.planned(made, None)
    body = batches.manifest(made.batches)
    key = f"{MANIFESTS}/{job.ingest.config.fingerprint()}/{batches.digest(body)}.jsonl"
    job.models.put(key, body, content_type="application/jsonl")
    return ingest_results.planned(made, key)

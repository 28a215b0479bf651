"""Puts the retrain function together from its settings, and handles its events."""

from collections.abc import Callable

import msgspec

from monitory import clock, log, metric_names
from monitory.errors import Conflict, InvalidEvent, ModelError, MonitoryError, StorageError, UnreadableObject
from monitory.logbook import records
from monitory.logbook.records import NO_RECORDS
from monitory.registry.registry import Registry
from monitory.settings import RetrainSettings
from monitory.storage.s3 import S3Storage
from monitory_retrain.backfill import plan, read
from monitory_retrain.check import check, page, text
from monitory_retrain.check.result import Finding
from monitory_retrain.ingest import lake_config, logbook_source
from monitory_retrain.ingest.backfill.reader import BatchReader
from monitory_retrain.ingest.ingest import Ingest
from monitory_retrain.invocation import envelope, events, telemetry
from monitory_retrain.job import Job, JobResult
from monitory_retrain.runtime import processes
from monitory_retrain.training.training import Recipe

TRAINING_RESERVE_SECONDS = 240.0
"""Reading stops this long before the function times out, so that training can finish."""


def build_job(settings: RetrainSettings) -> Job:
    """The job for the buckets that the settings name.

    Raises:
        SensorSetError, LakeLayoutError: a file of the sensors or of the lake's shape cannot be used.
        SettingsError: there is no such time zone.
    """
    logger = log.logger(metric_names.RETRAIN_SERVICE, settings)
    config = lake_config.of_settings(settings)
    models = S3Storage(settings.s3_model_bucket_name, region=settings.aws_region)
    return Job(
        settings=settings,
        sensors=config.sensors,
        lake=S3Storage(config.bucket, region=config.region),
        models=models,
        registry=Registry(models, settings.s3_model_key),
        ingest=Ingest(config, models, logger, processes.cores()),
        recipe=Recipe(),
        log=logger,
    )


def handle(
    job: Job, payload: object, remaining_seconds: Callable[[], float], request_id: str | None = None
) -> JobResult:
    """Handle an event.

    An impossible request is refused in the result when a caller may be waiting for it. A bus, a schedule, a topic and
    a queue never wait: for their events a refusal raises, so that Lambda moves the event to the failed-events queue
    after its retries. Lambda hides whether a plain request is asynchronous; if it is, its result is dropped, but the
    log line and the metric `RetrainRefused` remain.

    Args:
        job: the retrain job.
        payload: the event.
        remaining_seconds: of this invocation.
        request_id: of the invocation, the same in Lambda's retries. The id of a bus's event or a queue's message takes
            precedence: these services may deliver an event in several invocations.

    Returns:
        The job's result; `status` `invalid` or `refused` with a `reason` where the request is impossible.

    Raises:
        InvalidEvent, ModelError, Conflict: the request of a delivered event is impossible.
        StorageUnavailable: the store failed; Lambda retries, and an alarm fires.
    """
    namespace = job.settings.powertools_metrics_namespace
    request: events.Request | None = None
    try:
        request = events.parse(payload, clock.now(), job.settings.training_days)
        if isinstance(request, events.PromotionRequest):
            result = job.promote(request, request.event_id or request_id)
        elif isinstance(request, events.RollbackRequest):
            result = job.rollback(request, request.event_id or request_id)
        elif isinstance(request, events.CheckRequest):
            result = check_lake(job)
        elif isinstance(request, events.PlanRequest):
            result = plan.plan(job, request, lambda: remaining_seconds() > read.RESERVE_SECONDS)
        elif isinstance(request, events.ReadRequest):
            result = read.read(BatchReader(job.ingest.config, job.models, job.log), request, remaining_seconds)
        else:
            result = job.train(request, lambda: remaining_seconds() > TRAINING_RESERVE_SECONDS)
            if not result.get("repeated"):  # a repeated delivery counts once
                telemetry.emit(result, namespace)
    except InvalidEvent as exc:
        return _refusal(job, payload, "invalid", exc)
    except (ModelError, Conflict) as exc:
        if isinstance(
            request, events.TrainingRequest
        ):  # no request names the model: the store holds what it should not
            telemetry.failed(namespace)
            raise
        return _refusal(job, payload, "refused", exc)
    except Exception:
        if not isinstance(request, events.ReadRequest):  # the state machine repeats it, and others read what it cannot
            telemetry.failed(namespace)
        raise
    return result


def check_lake(job: Job) -> JobResult:
    """The result of a check of the job's lake, in JSON types, with its text and the page with its pictures."""
    file, recorded, faults = None, NO_RECORDS, []
    try:
        file = logbook_source.log_file(job.lake, job.settings.failure_log_key)
    except (StorageError, UnreadableObject) as exc:
        faults.append(Finding("stop", f"the failure log cannot be read: {exc}", "write it, or unset FAILURE_LOG_KEY"))
    try:
        recorded = records.read_all(job.models)
    except StorageError as exc:
        remedy = "S3_MODEL_BUCKET_NAME has to name a bucket that may be listed and read"
        faults.append(Finding("stop", f"the records in the model bucket cannot be read: {exc}", remedy))
    logbook = logbook_source.joined(file, recorded)
    result, table, days = check.check(job.lake, job.ingest.config, job.settings, clock.now(), logbook, faults)
    builtins: JobResult = msgspec.to_builtins(result, str_keys=True)
    return {**builtins, "text": text.text(result), "page": page.render(result, job.sensors, table, days).decode()}


def _refusal(job: Job, payload: object, status: str, exc: MonitoryError) -> JobResult:
    job.log.error("%s: %s", status, exc)
    telemetry.refused(job.settings.powertools_metrics_namespace)
    if envelope.is_delivered(payload):
        raise exc
    return {"status": status, "reason": str(exc)}

"""Puts the retrain function together from its settings, and answers its events."""

from collections.abc import Callable

from monitory import clock, log, metric_names, sensors
from monitory.errors import Conflict, InvalidEvent, ModelError, MonitoryError
from monitory.registry.registry import Registry
from monitory.settings import RetrainSettings
from monitory.storage.s3 import S3Storage
from monitory_retrain import envelope, events, telemetry
from monitory_retrain.ingest import workers
from monitory_retrain.ingest.ingest import Ingest
from monitory_retrain.job import Job, JobResult
from monitory_retrain.runtime import processes
from monitory_retrain.training.training import Recipe

TRAINING_RESERVE_SECONDS = 240.0
"""Time kept back for training when reading must stop before the function's time is over."""


def build_job(settings: RetrainSettings) -> Job:
    """The job for the buckets that the settings name.

    Raises:
        SensorSetError: the sensor set cannot be used.
        SettingsError: there is no such time zone.
    """
    logger = log.logger(metric_names.RETRAIN_SERVICE, settings)
    clock.set_zone(settings.factory_time_zone)
    sensor_set = sensors.load(settings.sensors_file)
    lake, region = settings.s3_input_data_bucket_name, settings.lake_region
    models = S3Storage(settings.s3_model_bucket_name, region=settings.aws_region)
    source = workers.Source(lake, region, settings.s3_input_data_key, sensor_set, settings.factory_time_zone)
    return Job(
        settings=settings,
        sensors=sensor_set,
        lake=S3Storage(lake, region=region),
        models=models,
        registry=Registry(models, settings.s3_model_key),
        ingest=Ingest(source, models, logger, processes.cores()),
        recipe=Recipe(),
        log=logger,
    )


def answer(
    job: Job, payload: object, remaining_seconds: Callable[[], float], request_id: str | None = None
) -> JobResult:
    """Do what an event asks for.

    What asks for the impossible is answered where somebody waits for the answer. Lambda does not tell whether anybody
    does, and drops the answer of an asynchronous invocation; but a bus, a schedule, a topic and a queue wait for
    none. What they deliver raises an error, so that Lambda puts it into the failed-events queue after its retries. A
    plain request that is invoked asynchronously can't be told from a synchronous one: its answer is dropped, the log
    and the metric `RetrainRefused`, which each refusal emits, remain.

    Args:
        job: does it.
        payload: the event.
        remaining_seconds: of this invocation.
        request_id: of this invocation and, where Lambda tries an event again, of the ones before. A bus's or a
            queue's own name for the event goes before it: they deliver one event in several invocations, too.

    Returns:
        What was done; `status` `invalid` or `refused` with a `reason` where the event asks for what can't be.

    Raises:
        InvalidEvent, ModelError, Conflict: the same of an event that was delivered.
        StorageUnavailable: the store failed: Lambda tries again, and an alarm tells.
    """
    namespace = job.settings.powertools_metrics_namespace
    try:
        request = events.parse(payload, clock.now(), job.settings.training_days)
        if isinstance(request, events.PromotionRequest):
            done = job.promote(request, request.event_id or request_id)
        elif isinstance(request, events.RollbackRequest):
            done = job.rollback(request, request.event_id or request_id)
        else:
            done = job.train(request, lambda: remaining_seconds() > TRAINING_RESERVE_SECONDS)
            if not done.get("repeated"):  # a run that was delivered again was counted the first time
                telemetry.emit(done, namespace)
    except InvalidEvent as exc:
        return _refusal(job, payload, "invalid", exc)
    except (ModelError, Conflict) as exc:
        if isinstance(
            request, events.TrainingRequest
        ):  # nobody asked for a model by name: the store holds what it should not
            telemetry.failed(namespace)
            raise
        return _refusal(job, payload, "refused", exc)
    except Exception:
        telemetry.failed(namespace)
        raise
    return done


def _refusal(job: Job, payload: object, status: str, exc: MonitoryError) -> JobResult:
    job.log.error("%s: %s", status, exc)
    telemetry.refused(job.settings.powertools_metrics_namespace)
    if envelope.is_delivered(payload):
        raise exc
    return {"status": status, "reason": str(exc)}

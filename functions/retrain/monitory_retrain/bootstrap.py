"""Puts the retrain function together from its settings, and answers its events."""

from collections.abc import Callable
from typing import Any

from monitory import clock, log, metric_names, sensors
from monitory.errors import Conflict, InvalidEvent, ModelError
from monitory.registry.registry import Registry
from monitory.settings import RetrainSettings
from monitory.storage.s3 import S3Storage
from monitory_retrain import events, telemetry
from monitory_retrain.ingest import workers
from monitory_retrain.ingest.ingest import Ingest
from monitory_retrain.job import Answer, Job
from monitory_retrain.runtime import processes
from monitory_retrain.training.training import Recipe

TRAINING_RESERVE_SECONDS = 240.0
"""Time kept back for training when reading must stop before the function's time is over."""


def build_job(settings: RetrainSettings) -> Job:
    """The job for the buckets that the settings name.

    Raises:
        SensorSetError: the sensor set cannot be used.
    """
    logger = log.logger(metric_names.RETRAIN_SERVICE, settings)
    sensor_set = sensors.load(settings.sensors_file)
    lake, region = settings.s3_input_data_bucket_name, settings.aws_region
    models = S3Storage(settings.s3_model_bucket_name, region=region)
    source = workers.Source(lake, region, settings.s3_input_data_key, sensor_set)
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


def answer(job: Job, payload: object, remaining_seconds: Callable[[], float], request_id: str | None = None) -> Answer:
    """Do what an event asks for.

    Args:
        job: does it.
        payload: the event.
        remaining_seconds: of this invocation.
        request_id: of this invocation and, where Lambda tries an event again, of the ones before.

    Returns:
        What was done; `status` `invalid` or `refused` with a `reason` where the event asks for what can't be.

    Raises:
        StorageUnavailable: the store failed: Lambda tries again, and an alarm tells.
    """
    namespace = job.settings.powertools_metrics_namespace
    try:
        request = events.parse(payload, clock.now(), job.settings.training_days)
        if isinstance(request, events.Promotion):
            done = job.promote(request, request_id)
        elif isinstance(request, events.Rollback):
            done = job.rollback(request, request_id)
        else:
            done = job.train(request, lambda: remaining_seconds() > TRAINING_RESERVE_SECONDS)
            if not done.get("repeated"):  # a run that was delivered again was counted the first time
                telemetry.emit(done, namespace)
    except InvalidEvent as exc:
        return _refusal(job, "invalid", exc)
    except (ModelError, Conflict) as exc:
        if isinstance(request, events.Training):  # nobody asked for a model by name: the store holds what it should not
            telemetry.failed(namespace)
            raise
        return _refusal(job, "refused", exc)
    except Exception:
        telemetry.failed(namespace)
        raise
    return done


def _refusal(job: Job, status: str, exc: Exception) -> dict[str, Any]:
    job.log.error("%s: %s", status, exc)
    return {"status": status, "reason": str(exc)}

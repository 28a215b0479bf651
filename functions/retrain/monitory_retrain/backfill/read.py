"""Reads a batch of a plan; imports nothing that only training needs."""

from collections.abc import Callable

from monitory import clock, log, metric_names
from monitory.errors import InvalidEvent
from monitory.settings import RetrainSettings
from monitory.storage.s3 import S3Storage
from monitory_retrain.ingest import lake_config
from monitory_retrain.ingest.backfill.reader import BatchReader
from monitory_retrain.invocation import events, ingest_results
from monitory_retrain.invocation.events import JobResult

RESERVE_SECONDS = 60.0
"""Reading stops this long before the function times out: the machine under work ends, and what was read is stored."""


def open_reader(settings: RetrainSettings) -> BatchReader:
    """The reader of the lake that settings name.

    Raises:
        SensorSetError, LakeLayoutError: a file of the sensors or of the lake's shape cannot be used.
        SettingsError: there is no such time zone.
    """
    logger = log.logger(metric_names.RETRAIN_SERVICE, settings)
    models = S3Storage(settings.s3_model_bucket_name, region=settings.aws_region)
    return BatchReader(lake_config.of_settings(settings), models, logger)


def handle(reader: BatchReader, payload: object, remaining_seconds: Callable[[], float]) -> JobResult:
    """Handle an event of the read function, see `read`; `status` `invalid` where it is no request to read a batch.

    Args:
        reader: of the lake.
        payload: the event.
        remaining_seconds: of this invocation.

    Raises:
        StorageUnavailable: the store failed.
    """
    try:
        request = events.parse(payload, clock.now(), training_days=1)
        if not isinstance(request, events.ReadRequest):
            raise InvalidEvent('action: this function reads batches: {"action": "read", "batch": …}')
    except InvalidEvent as exc:
        reader.log.error("invalid: %s", exc)
        return {"status": "invalid", "reason": str(exc)}
    return read(reader, request, remaining_seconds)


def read(reader: BatchReader, request: events.ReadRequest, remaining_seconds: Callable[[], float]) -> JobResult:
    """Read a batch: `status` `read`, or `continue` with the machines that are `left` for the next invocation.

    Raises:
        StorageUnavailable: the store failed; a repeated request reads what is missing.
    """
    batch = request.batch
    done = reader.read(batch, lambda: remaining_seconds() > RESERVE_SECONDS)
    result = ingest_results.read(done, batch)
    reader.log.info("batch %s of %s: %s", batch.name, batch.day, result["data"])
    return result

"""Puts the score function together from its settings, and handles its events."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from monitory import clock, log, metric_names, sensors
from monitory.errors import DeliveryFailed, LakeLayoutError
from monitory.history.history_store import HistoryStore
from monitory.lake import Lake
from monitory.layout import lake_layout
from monitory.registry.registry import Registry
from monitory.scoring.failure_cache import FailureCache
from monitory.scoring.model_cache import ModelCache
from monitory.scoring.replacement import stop_costs
from monitory.settings import ScoreSettings
from monitory.storage.s3 import S3Storage
from monitory_score import delivery, telemetry
from monitory_score.alerting import Alerting, rule_of
from monitory_score.delivery import Channel
from monitory_score.digest import WeeklyDigest
from monitory_score.machine_scorer import MachineScorer
from monitory_score.run import Run

THREADS = 8
"""Machines in parallel: their requests wait for the store, their readings take turns at the processor."""

RESERVE_SECONDS = 45.0
"""Scoring stops this long before the function times out, so that log and state can be written."""


def build_run(settings: ScoreSettings, channels: Sequence[Channel] = ()) -> Run:
    """The run for the buckets that the settings name.

    Raises:
        SensorSetError: the sensor set cannot be used.
        LakeLayoutError: the lake's shape cannot be used, or this function does not read it.
        SettingsError: the time zone does not exist, or the costs of stops contradict each other.
    """
    logger = log.logger(metric_names.SCORE_SERVICE, settings)
    costs = stop_costs(settings.planned_stop_cost, settings.unplanned_stop_cost)
    lake = _lake(settings)
    models = _models(settings)
    max_age = timedelta(hours=settings.max_data_age_hours)
    return Run(
        lake,
        models,
        ModelCache(Registry(models, settings.s3_model_key), lake.sensors, settings.max_rul_days),
        FailureCache(models, lake.storage, logger, lake.fingerprint(), for_scoring=True),
        MachineScorer(lake, HistoryStore(models, lake, logger), lake.sensors, logger, max_age, costs),
        Alerting(
            models,
            lake.fingerprint(),
            rule_of(settings),
            [*delivery.channels(settings, logger), *channels],
            logger,
        ),
        ThreadPoolExecutor(THREADS, thread_name_prefix="score"),
        logger,
        max_age,
    )


def build_digest(settings: ScoreSettings) -> WeeklyDigest:
    """The digest of the lake that the settings name.

    Raises:
        SensorSetError: the sensor set cannot be used.
        LakeLayoutError: the lake's shape cannot be used, or this function does not read it.
        SettingsError: the time zone does not exist.
    """
    logger = log.logger(metric_names.SCORE_SERVICE, settings)
    lake, topic = _lake(settings), delivery.topic(settings, logger)
    return WeeklyDigest(_models(settings), lake.fingerprint(), topic, settings.alert_language, logger)


def _models(settings: ScoreSettings) -> S3Storage:
    return S3Storage(settings.s3_model_bucket_name, region=settings.aws_region)


def _lake(settings: ScoreSettings) -> Lake:
    """The lake, after its time zone has become the factory's."""
    sensor_set = sensors.load(settings.sensors_file)
    layout = lake_layout.load(settings.lake_file, settings.sensors_file)
    if layout.is_shared or layout.format == "parquet":
        shape = "Parquet" if layout.format == "parquet" else "several machines in one object"
        raise LakeLayoutError(
            "the score function reads objects of one machine, in JSON or CSV: "
            f"set Scoring (SCORING) to false for a lake of {shape}"
        )
    clock.set_zone(settings.factory_time_zone or layout.time_zone)
    readings = S3Storage(settings.s3_input_data_bucket_name, region=settings.lake_region)
    return Lake(readings, settings.s3_input_data_key, sensor_set, layout=layout)


def handle(run: Run, remaining_seconds: Callable[[], float], namespace: str = metric_names.NAMESPACE) -> dict[str, Any]:
    """Score what is new.

    Args:
        run: the run.
        remaining_seconds: of this invocation.
        namespace: of the metrics.

    Returns:
        The run's figures and a `status`: `scored`, or `continue` where machines are left for the next run.

    Raises:
        StorageUnavailable: the store failed; Lambda retries, and an alarm fires.
        DeliveryFailed: all is done but what changed about cases could not be sent; the same.
    """
    summary = run.score(clock.now(), lambda: remaining_seconds() > RESERVE_SECONDS)
    telemetry.emit(summary, namespace)
    run.log.info("scored: %s", summary)
    if summary.unsent:
        raise DeliveryFailed(f"{summary.unsent} transitions of cases are not sent yet; they wait for the next run")
    return {"status": "continue" if summary.left else "scored", **summary._asdict()}

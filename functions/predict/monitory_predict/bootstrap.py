"""Starts the predict service from its settings, without the web framework."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import NamedTuple

from monitory import clock, log, metric_names, sensors
from monitory.errors import MonitoryError
from monitory.lake import Lake
from monitory.layout import lake_layout
from monitory.log import Logger
from monitory.registry.registry import Registry
from monitory.scoring import fleet, trends
from monitory.scoring.failure_cache import FailureCache
from monitory.scoring.model_cache import CurrentModel, ModelCache
from monitory.scoring.replacement import stop_costs
from monitory.settings import PredictSettings
from monitory.storage.s3 import S3Storage
from monitory_predict.cache.history import HistoryCache
from monitory_predict.cache.scored_answers import ScoredAnswers
from monitory_predict.cache.state import StateCache
from monitory_predict.service import PredictService

READ_THREADS = 8
"""Objects read in parallel; one after the other their round trips would add up."""

REQUEST_SECONDS = 4.0
"""Time-out of one request to the store."""

RETRY_SECONDS = 5.0
"""How long a failing request is repeated."""

ANSWER_SECONDS = 14.0
"""How long a caller waits for a slow store; the function's own time-out is 20 s, the gateway's 29 s."""

START_SECONDS = 6.0
"""How long a start waits for the model; Lambda ends a start after 10 s."""


class Startup(NamedTuple):
    """A service whose model is loading, so that the first caller does not wait for it."""

    service: PredictService
    log: Logger
    model: Future[CurrentModel]

    def ready(self) -> PredictService:
        """The service, with its model if that loads in time."""
        try:
            self.model.result(START_SECONDS)
        except MonitoryError as exc:
            self.log.warning("no model at start: %s", exc)
        except TimeoutError:
            self.log.warning("no model at start: the store did not answer within %g s", START_SECONDS)
        except Exception:  # the first request tries again; Lambda would repeat a failing start for ever
            self.log.exception("no model at start")
        return self.service


def start(settings: PredictSettings) -> Startup:
    """The service for the buckets that the settings name.

    Raises:
        SensorSetError, LakeLayoutError: a file of the sensors or of the lake's shape cannot be used.
        SettingsError: the time zone does not exist, or the costs of stops contradict each other.
    """
    logger = log.logger(metric_names.PREDICT_SERVICE, settings)
    costs = stop_costs(settings.planned_stop_cost, settings.unplanned_stop_cost)
    sensor_set = sensors.load(settings.sensors_file)
    layout = lake_layout.load(settings.lake_file, settings.sensors_file)
    clock.set_zone(settings.factory_time_zone or layout.time_zone)
    models = _storage(settings.s3_model_bucket_name, settings.aws_region)
    executor = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="s3")
    registry = Registry(models, settings.s3_model_key)
    cache = ModelCache(registry, sensor_set, settings.max_rul_days)
    model = executor.submit(cache.current)
    lake_storage = _storage(settings.s3_input_data_bucket_name, settings.lake_region)
    lake = Lake(lake_storage, settings.s3_input_data_key, sensor_set, layout=layout)
    max_age = timedelta(hours=settings.max_data_age_hours)
    rows = HistoryCache(lake, models, executor, logger, max_age, read_only=settings.scoring)
    failures = FailureCache(models, lake_storage, logger, lake.fingerprint())
    scored = ScoredAnswers(
        StateCache(models, fleet.state_object(lake.fingerprint())),
        StateCache(models, trends.state_object(lake.fingerprint())),
        cache,
        failures,
        logger,
        max_age,
    )
    service = PredictService(
        cache,
        rows,
        failures,
        registry,
        sensor_set,
        executor,
        ANSWER_SECONDS,
        scored=scored if settings.scoring else None,
        costs=costs,
        operators=settings.operators,
    )
    return Startup(service, logger, model)


def _storage(bucket: str, region: str) -> S3Storage:
    """A bucket with time-outs shorter than a caller's patience."""
    return S3Storage(bucket, region=region, timeout_seconds=REQUEST_SECONDS, retry_seconds=RETRY_SECONDS)

"""A factory and its models in memory, and the predict function on top of them."""

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec
from fastapi import FastAPI

from monitory import clock
from monitory.lake import Lake
from monitory.log import Logger
from monitory.machine import Machine
from monitory.model.card import Card
from monitory.registry.registry import CARD_FILE, METRICS_FILE, MODEL_FILE, Registry
from monitory.scoring.failure_cache import FailureCache
from monitory.scoring.model_cache import ModelCache
from monitory_predict.api.routes import create_app
from monitory_predict.cache.history import HistoryCache
from monitory_predict.function import function_handler
from monitory_predict.plain.wire import Handler
from monitory_predict.service import PredictService
from monitory_predict.telemetry import NoTelemetry, Telemetry
from tests.support.fakes import WatchedStorage
from tests.support.models import SENSORS, card, small_text
from tests.support.registries import KEY, promote
from tests.support.samples import MACHINE, hour_of_lines, hour_of_readings, lake_key, ndjson

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=clock.KST)
V1, V2, V3 = "2026/11/18/150000", "2026/11/19/150000", "2026/11/20/150000"
MAX_AGE = timedelta(hours=3)

_executor = ThreadPoolExecutor(8, thread_name_prefix="test-s3")


@contextmanager
def event_loop() -> Iterator[None]:
    """A loop for Mangum, which otherwise asks Python for one that isn't there, with a warning."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class World:
    """A lake, a model bucket and a predict service that looks at them.

    Attributes:
        lake_storage, model_storage: what the service reads and writes; calls are counted.
        registry: of the model bucket, through a door of its own that isn't counted.
        service: as the routes use it.
    """

    def __init__(self, answer_seconds: float = 30.0) -> None:
        self.lake_storage = WatchedStorage("lake")
        self.model_storage = WatchedStorage("models")
        door = WatchedStorage("models")
        door.objects = self.model_storage.objects
        self.registry = Registry(door, KEY)
        self.log = Logger(service="test-predict", level="CRITICAL")
        self.models = ModelCache(Registry(self.model_storage, KEY), SENSORS, 30.0)
        self.rows = self.new_rows()
        self.service = PredictService(
            self.models,
            self.rows,
            FailureCache(self.model_storage, self.lake_storage, self.log),
            Registry(self.model_storage, KEY),
            SENSORS,
            _executor,
            answer_seconds,
        )

    def new_rows(self) -> HistoryCache:
        """The recent rows as another container sees them: nothing in memory, the same buckets."""
        lake = Lake(self.lake_storage, "EQUIPMENT/", SENSORS)
        return HistoryCache(lake, self.model_storage, _executor, self.log, MAX_AGE)

    def app(self, telemetry: Telemetry | None = None) -> FastAPI:
        """The HTTP application."""
        return create_app(self.service, self.log, telemetry or NoTelemetry())

    def handler(self, telemetry: Telemetry | None = None) -> Handler:
        """The Lambda handler."""
        return function_handler(self.service, self.log, telemetry or NoTelemetry())

    def write(self, start: datetime, name: str = "", machine: Machine = MACHINE, **others: object) -> str:
        """Write the object of an hour that starts then (KST), and return its key."""
        start = start.replace(tzinfo=None, minute=0, second=0, microsecond=0)
        key = lake_key(start.date(), name or f"{start:%H}", machine)
        made = ndjson(hour_of_readings(start, machine=machine, **others)) if others else hour_of_lines(start, machine)  # type: ignore[arg-type]
        self.lake_storage.put(key, made)
        return key

    def write_hours(self, ages: Iterable[int], now: datetime = NOW) -> None:
        """Write the hours that started so many hours ago."""
        for age in ages:
            self.write(now - timedelta(hours=age))

    def store(self, version: str, seed: int = 0, made: Card | None = None, text: bytes | None = None) -> None:
        """Store a version with its model card."""
        files = {
            MODEL_FILE: (text or small_text(seed), "text/plain"),
            CARD_FILE: (msgspec.json.encode(made or card(version)), "application/json"),
            METRICS_FILE: (msgspec.json.encode({"mae": 1.5 + seed}), "application/json"),
        }
        self.registry.store(version, files)

    def promote(self, version: str, seed: int = 0, made: Card | None = None) -> None:
        """Store a version and serve it."""
        self.store(version, seed, made)
        promote(self.registry, version)

    def reset_calls(self) -> None:
        """Count from 0."""
        self.lake_storage.calls.clear()
        self.model_storage.calls.clear()

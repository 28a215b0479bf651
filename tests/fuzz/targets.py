"""What the fuzzers call with any bytes: each target may refuse them in the product's own words, and nothing else."""

import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from monitory import sensors
from monitory.clock import KST
from monitory.errors import BrokenModel, InvalidEvent, SensorSetError, UnreadableObject
from monitory.lake import Lake
from monitory.log import logger
from monitory.logbook.logbook import read_logbook
from monitory.model import untrusted
from monitory.model.card import decode_card
from monitory.readings.by_hour import ReadingsByHour
from monitory.registry.promotions import from_metadata
from monitory.registry.registry import Registry
from monitory.scoring.failure_cache import FailureCache
from monitory.scoring.model_cache import ModelCache
from monitory.settings import PredictSettings
from monitory_predict.cache.history import HistoryCache
from monitory_predict.function import function_handler
from monitory_predict.plain.wire import Handler
from monitory_predict.service import PredictService
from monitory_predict.telemetry import NoTelemetry
from monitory_retrain.invocation import day_range, events
from tests.support import uniform as uniform_objects
from tests.support.fakes import MemoryStorage
from tests.support.samples import SOURCE

SENSORS = sensors.load()
NOW = datetime(2026, 11, 20, 12, tzinfo=KST)
ANSWERS = frozenset({200, 404, 405, 422, 503})


def readings(data: bytes) -> None:
    """An object of the lake; its first byte says in what pieces it comes."""
    size = data[0] + 1 if data else 1
    chunks = [data[at : at + size * 7] for at in range(1, len(data), size * 7)]
    found = ReadingsByHour(SENSORS)
    try:
        found.add(SOURCE, chunks)
    except UnreadableObject:
        return
    for columns in found.hours.values():
        for column in columns.values():
            assert all(map(math.isfinite, column.settled_values()))


def uniform(data: bytes) -> None:
    """An object whose lines are all alike, and more of them, grown from the data: C and Python agree."""
    uniform_objects.check(data)


def retrain_event(data: bytes) -> None:
    """A retrain function's payload."""
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return
    try:
        request = events.parse(payload, NOW, 21)
    except InvalidEvent:
        return
    if isinstance(request, events.TrainingRequest):
        assert request.first <= request.last
        assert len(request.days) <= day_range.MAX_DAYS


def query(data: bytes) -> None:
    """A path and a query string, as API Gateway hands them on."""
    path, _, text = data.decode("latin-1").partition("?")
    parsed = parse_qs(text, keep_blank_values=True)
    _ask(f"/api/v1/{path}", parsed)
    _ask("/api/v1/predict", parsed)


def model_text(data: bytes) -> None:
    """A foreign model's trees, before the native library sees them."""
    try:
        untrusted.check_trees(data)
    except BrokenModel:
        return


def model_card(data: bytes) -> None:
    """A model card."""
    try:
        decode_card(data)
    except (BrokenModel, SensorSetError):
        return


def metadata(data: bytes) -> None:
    """A served object's metadata, a name and a value a line."""
    lines = (line.partition("=") for line in data.decode("latin-1").split("\n"))
    from_metadata({name: value for name, _, value in lines})


def failures(data: bytes) -> None:
    """A log of failures and maintenance."""
    with suppress(UnreadableObject):
        read_logbook(data)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (readings, uniform, retrain_event, query, model_text, model_card, metadata, failures)
}


def _ask(path: str, parsed: dict[str, list[str]]) -> None:
    answer = handler()(rest_event(path, parsed), None)
    assert answer["statusCode"] in ANSWERS, answer


def rest_event(path: str, parsed: dict[str, list[str]], method: str = "GET") -> dict[str, Any]:
    """The event of API Gateway's REST API."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"Host": "api"},
        "multiValueHeaders": {"Host": ["api"]},
        "queryStringParameters": {name: values[-1] for name, values in parsed.items()} or None,
        "multiValueQueryStringParameters": parsed or None,
        "requestContext": {"resourcePath": "/{proxy+}", "httpMethod": method, "path": path, "stage": "prod"},
        "body": None,
        "isBase64Encoded": False,
    }


@cache
def handler() -> Handler:
    """The predict function over buckets in memory that hold nothing."""
    settings = PredictSettings(log_level="CRITICAL")
    log = logger("fuzz", settings)
    executor = ThreadPoolExecutor(2)
    lake, models = MemoryStorage(), MemoryStorage()
    registry = Registry(models, settings.s3_model_key)
    service = PredictService(
        ModelCache(registry, SENSORS, 30.0),
        HistoryCache(Lake(lake, "EQUIPMENT", SENSORS), models, executor, log, timedelta(hours=3)),
        FailureCache(models, lake, log),
        registry,
        SENSORS,
        executor,
        10.0,
    )
    return function_handler(service, log, NoTelemetry())

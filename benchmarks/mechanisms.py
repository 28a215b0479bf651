"""What each mechanism of the request path gains: the same request with it and without it, in turns.

    python -m benchmarks.mechanisms

One machine with a week of history, on an S3 server whose every request waits `ROUND_TRIP_SECONDS` longer, as a store in
the same region does. Figures are medians per request; CPU is this process's with all threads.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from statistics import median
from typing import Any
from unittest.mock import patch

from benchmarks import stage
from benchmarks.sides import cpu_seconds, say
from monitory import clock
from monitory.errors import ModelError, NoData
from monitory.features import vector
from monitory.machine import machine
from monitory.settings import PredictSettings, from_environment
from monitory.storage.port import Blob, Entry
from monitory_predict import bootstrap
from monitory_predict.cache import history, lru
from monitory_predict.service import PredictService

ROUND_TRIP_SECONDS = 0.015
ROUNDS = 10
MACHINE = machine("ZONE-001", "EQUIP-001")
STRANGER = machine("ZONE-001", "EQUIP-999")
RATE_SECONDS = 30.0
_FOLDERS = count()

Request = Callable[[], object]


class DistantStorage(stage.CountedStorage):
    """A counted storage with a round trip."""

    def get_if_changed(self, key: str, etag: str | None) -> Blob | None:
        """See Storage."""
        time.sleep(ROUND_TRIP_SECONDS)
        return super().get_if_changed(key, etag)

    def list(self, folder: str) -> Iterator[Entry]:
        """See Storage."""
        time.sleep(ROUND_TRIP_SECONDS)
        yield from super().list(folder)

    def put(self, key: str, body: bytes, *, content_type: str, **others: Any) -> str:
        """See Storage."""
        time.sleep(ROUND_TRIP_SECONDS)
        return super().put(key, body, content_type=content_type, **others)


def main() -> None:
    """Measure."""
    with stage.buckets() as (lake, models):
        stage.write_days(lake, 1, vector.HISTORY_HOURS // 24, RATE_SECONDS)
        stage.promote_model(models)
        now = clock.hour_start(stage.START + vector.HISTORY_HOURS).replace(minute=5)
        with patch.object(bootstrap, "S3Storage", DistantStorage):
            measure_caches(now)
            measure_pool(now)
            measure_refusal(models)


def service() -> PredictService:
    """A warm predict service."""
    return bootstrap.start(from_environment(PredictSettings)).ready()


def measure_caches(now: datetime) -> None:
    """Every cache of a request: once as it is, once emptied before each request."""
    warm = service()

    def predict() -> object:
        return warm.predict(MACHINE, now)

    predict()
    models, histories, state = warm.models, warm.histories, warm.failures

    def forget_model() -> None:
        models._last_good = None

    def forget_history() -> None:
        histories._entries = lru.LruCache()

    def forget_failures() -> None:
        state._read_at = None

    def forget_prediction() -> None:
        warm._predictions._last = lru.LruCache()

    compare("model in memory by ETag", predict, forget_model)
    compare("last prediction in memory", predict, forget_prediction)
    compare("hour rows in memory", predict, forget_history)
    compare("failures kept for 10 min", predict, forget_failures)
    with patch.object(history, "RELIST_AFTER", timedelta(-1)):
        always = measure(predict)
    report("past days listed every 6 h", measure(predict), always)

    def predict_stranger() -> object:
        try:
            return warm.predict(STRANGER, now)
        except NoData:
            return None

    def forget_absence() -> None:
        histories._absences = lru.LruCache()

    predict_stranger()
    compare("'no data' kept for 10 min", predict_stranger, forget_absence)


def measure_pool(now: datetime) -> None:
    """A repeated and a first request with pools of several sizes."""
    for threads in (16, 8, 4, 2, 1):
        with patch.object(bootstrap, "READ_THREADS", threads):
            measure_threads(threads, service(), now)


def measure_threads(threads: int, warm: PredictService, now: datetime) -> None:
    """A repeated request, one with empty memory, and the first one of a machine, which reads a week of objects."""

    def forget_memory() -> None:
        warm.models._last_good = None
        warm.histories._entries = lru.LruCache()
        warm.failures._read_at = None

    def forget_machine() -> None:
        forget_memory()
        warm.histories._store._folder = f"cache/empty-{next(_FOLDERS)}"

    def predict() -> object:
        return warm.predict(MACHINE, now)

    say(
        "threads for single reads",
        threads=threads,
        repeat_ms=measure(predict)["wall_ms"],
        empty_memory_ms=measure(predict, forget_memory)["wall_ms"],
        first_of_machine_ms=measure(predict, forget_machine)["wall_ms"],
    )


def measure_refusal(models: str) -> None:
    """Requests while the served object, put there by hand, is half a model."""
    warm = service()
    bucket = stage.bucket(models)
    text = bucket.get(stage.MODEL_KEY).body
    bucket.put(stage.MODEL_KEY, text[: len(text) // 2], content_type="text/plain")

    def current() -> object:
        try:
            return warm.models.current()
        except ModelError:
            return None

    def forget_refusal() -> None:
        warm.models._refused = None

    current()
    compare("refused object kept for 60 s", current, forget_refusal)


def compare(name: str, request: Request, forget: Callable[[], None]) -> None:
    """Report a request, and the same after `forget` has emptied a cache."""
    report(name, measure(request), measure(request, forget))


def measure(request: Request, before: Callable[[], None] = lambda: None) -> dict[str, float]:
    """CPU and wall milliseconds of a request, medians, and its requests to the store, means."""
    cpu, wall = [], []
    with counted() as requests:
        for _ in range(ROUNDS):
            before()
            used, began = cpu_seconds(), time.perf_counter()
            request()
            wall.append(time.perf_counter() - began)
            cpu.append(cpu_seconds() - used)
        sent = {verb: count / ROUNDS for verb, count in requests.items()}
    return {"cpu_ms": median(cpu) * 1e3, "wall_ms": median(wall) * 1e3, **sent}


@contextmanager
def counted() -> Iterator[dict[str, int]]:
    """The requests to the store within a block."""
    DistantStorage.requests.clear()
    yield DistantStorage.requests


def report(name: str, mine: dict[str, float], without: dict[str, float]) -> None:
    """Print a mechanism's figures with it and without it."""
    say(name, **mine, **{f"without_{key}": value for key, value in without.items()})


if __name__ == "__main__":
    main()

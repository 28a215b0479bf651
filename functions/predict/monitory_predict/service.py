"""The predict service without HTTP: joins the model, the machines' histories and the registry."""

import time
from concurrent.futures import Executor, Future
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TypeVar

import msgspec

from monitory.errors import UNDECODABLE, ModelError, MonitoryError, StorageError, StorageUnavailable
from monitory.machine import Machine
from monitory.registry.registry import METRICS_FILE, Promotion, Registry
from monitory.scoring.failure_cache import FailureCache
from monitory.scoring.machine_prediction import MachinePrediction, machine_prediction
from monitory.scoring.model_cache import CurrentModel, ModelCache
from monitory.sensors import SensorSet
from monitory_predict.cache.history import HistoryCache

NEWEST_VERSIONS = 20
NEWEST_PROMOTIONS = 50

MODEL_SHARE = 0.85
"""Share of the answer time to wait for the newest model; the rest is for the last good one."""

T = TypeVar("T")


class StoredVersion(NamedTuple):
    """A version and its metrics; None where they cannot be read."""

    version: str
    metrics: dict[str, object] | None


class PredictService:
    """Answers questions about machines and models.

    Its methods block as long as the store does. After `answer_seconds` a caller leaves them running in their thread:
    their results are in the caches for the next call.
    """

    def __init__(
        self,
        models: ModelCache,
        histories: HistoryCache,
        failures: FailureCache,
        registry: Registry,
        sensors: SensorSet,
        executor: Executor,
        answer_seconds: float,
    ) -> None:
        """Join the parts; nothing is read yet. Tasks of the executor must not wait for one another."""
        self.models = models
        self.answer_seconds = answer_seconds
        self._histories = histories
        self._failures = failures
        self._registry = registry
        self._sensors = sensors
        self._executor = executor

    def predict(self, machine: Machine, now: datetime) -> MachinePrediction:
        """The RUL of a machine as of now. The model is checked while the lake is read.

        If the store is slow, the last good model and failures are used.

        Raises:
            NoData, StaleData, NoModel, BrokenModel, StorageUnavailable: as their names say.
        """
        model_until = self._model_until()
        checking = self._executor.submit(self.models.current)
        reading = self._executor.submit(self._failures.current)
        history = self._histories.history_at(machine, now)
        current = _result(checking, model_until) or self.models.last_good(self._too_slow())
        failures = _result(reading, model_until) or self._failures.last_good
        return machine_prediction(machine, history, current, failures, self._sensors)

    def current_model(self) -> CurrentModel:
        """The model of `ModelCache.current`; the last good one if the store is slow.

        Raises:
            NoModel, BrokenModel, StorageUnavailable: there is none.
        """
        checking = self._executor.submit(self.models.current)
        return _result(checking, self._model_until()) or self.models.last_good(self._too_slow())

    def versions(self) -> tuple[list[StoredVersion], list[Promotion], Promotion | None]:
        """The newest versions and the served one, with metrics; the newest promotions; the served object's promotion.

        Raises:
            StorageUnavailable: the store failed.
        """
        newest = list(islice(reversed(list(self._registry.versions())), NEWEST_VERSIONS))
        try:
            served = self._registry.served().promotion
        except ModelError:
            served = None
        if served and served.version not in newest:
            newest.append(served.version)  # however old
        stored = list(self._executor.map(self._stored, newest))
        return stored, self._registry.history(NEWEST_PROMOTIONS, self._executor), served

    def report(self, version: str) -> bytes:
        """The report page of a version.

        Raises:
            UnknownVersion: there is no such version, or it has no report.
            StorageUnavailable: the store failed.
        """
        return self._registry.read(version, "report.html")

    def _model_until(self) -> float:
        return time.monotonic() + MODEL_SHARE * self.answer_seconds

    def _too_slow(self) -> StorageUnavailable:
        seconds = MODEL_SHARE * self.answer_seconds
        return StorageUnavailable(f"the served model could not be read within {seconds:.3g} s")

    def _stored(self, version: str) -> StoredVersion:
        try:
            metrics = msgspec.json.decode(self._registry.read(version, METRICS_FILE), type=dict[str, object])
        except (MonitoryError, *UNDECODABLE) as exc:
            if isinstance(exc, StorageError):
                raise
            metrics = None
        return StoredVersion(version, metrics)


def _result(future: Future[T], until: float) -> T | None:
    """A result; None if it takes longer than `until` (`time.monotonic`)."""
    try:
        return future.result(max(until - time.monotonic(), 0.0))
    except TimeoutError:
        return None

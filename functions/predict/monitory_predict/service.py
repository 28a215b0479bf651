"""What the routes ask for: storage, model and recent rows joined, still without HTTP."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from itertools import islice
from typing import NamedTuple, TypeVar

import msgspec

from monitory.errors import UNDECODABLE, ModelError, MonitoryError, StorageError, StorageUnavailable
from monitory.lake import Hour
from monitory.machine import Machine
from monitory.model.model import Model
from monitory.registry.registry import METRICS_FILE, Promotion, Registry
from monitory.sensors import SensorSet
from monitory_predict.cache.failures import Failures
from monitory_predict.cache.history import Recent, RecentRows
from monitory_predict.cache.lru import hold
from monitory_predict.cache.model import Current, ModelCache
from monitory_predict.prediction import LATE, Prediction, predict

NEWEST_VERSIONS = 20
NEWEST_PROMOTIONS = 50
WAITING_ANSWERS = 64
"""Answers that can be waited for at a time; Lambda asks for one, a local server for forty."""

T = TypeVar("T")


class _Said(NamedTuple):
    """The prediction that was made of some rows."""

    model: Model
    rows: list[Hour]
    last_failure: int | None
    prediction: Prediction


class Answer(NamedTuple):
    """A prediction, the data it rests on and the model it came from."""

    prediction: Prediction
    recent: Recent
    current: Current


class StoredVersion(NamedTuple):
    """A version and its metrics, None where they can't be read."""

    version: str
    metrics: dict[str, object] | None


class PredictService:
    """Answers questions about machines and models."""

    def __init__(
        self,
        models: ModelCache,
        rows: RecentRows,
        failures: Failures,
        registry: Registry,
        sensors: SensorSet,
        executor: Executor,
        patience: float,
    ) -> None:
        """Join the parts; nothing is read yet. `patience` is how many seconds an answer may take."""
        self.models = models
        self._rows = rows
        self._failures = failures
        self._registry = registry
        self._sensors = sensors
        self._executor = executor
        self._patience = patience
        self._said: OrderedDict[Machine, _Said] = OrderedDict()
        self._lock = threading.Lock()
        # apart from the readers, for these wait for readers
        self._answers = ThreadPoolExecutor(WAITING_ANSWERS, thread_name_prefix="answer")

    def predict(self, machine: Machine, now: datetime) -> Answer:
        """The RUL of a machine as of now. The model is checked while the lake is read.

        Where the store is too slow, the last good model and the failures known before stand in for newer ones. Reading
        goes on behind an answer that could not wait for it, so that the next call finds more.

        Raises:
            NoData, StaleData, NoModel, BrokenModel, StorageUnavailable: as their names say.
        """
        until = time.monotonic() + self._patience
        checking = self._answers.submit(self.models.current)
        failures = self._answers.submit(self._failures.state)
        reading = self._answers.submit(self._rows.up_to, machine, now)
        recent = self._in_time(reading, until)
        if recent is None:
            raise StorageUnavailable(f"the readings of {machine} could not be read within {self._patience:g} s")
        current = self._in_time(checking, until) or self.models.last_good(self._too_slow())
        known = self._in_time(failures, until) or self._failures.last_known
        last_failure = known.last_failure(machine, recent.rows, self._sensors)
        return Answer(self._prediction(machine, recent, current.served.model, last_failure), recent, current)

    def _prediction(self, machine: Machine, recent: Recent, model: Model, last_failure: int | None) -> Prediction:
        """A prediction. What was said of the same rows is not computed anew; of late data its present age is told."""
        asked = (model, recent.rows, last_failure)
        with self._lock:
            said = self._said.get(machine)
        if said and recent.age <= LATE and said[:-1] == asked:
            return said.prediction
        prediction = predict(recent.rows, machine, model, self._sensors, last_failure, recent.age)
        if recent.age <= LATE:
            with self._lock:
                hold(self._said, machine, _Said(*asked, prediction))
        return prediction

    def current_model(self) -> Current:
        """The model that answers, as `ModelCache.current`, without waiting longer than an answer may take.

        Raises:
            NoModel, BrokenModel, StorageUnavailable: there's none.
        """
        checking = self._answers.submit(self.models.current)
        return self._in_time(checking, time.monotonic() + self._patience) or self.models.last_good(self._too_slow())

    def _too_slow(self) -> StorageUnavailable:
        return StorageUnavailable(f"the served model could not be read within {self._patience:g} s")

    def _soon(self, ask: Callable[[], T]) -> T:
        """What a call returns.

        Raises:
            StorageUnavailable: it takes longer than an answer may.
        """
        try:
            return self._answers.submit(ask).result(self._patience)
        except TimeoutError as exc:
            raise StorageUnavailable(f"the store did not answer within {self._patience:g} s") from exc

    def _in_time(self, future: Future[T], until: float) -> T | None:
        """A result, None where it takes longer than `until` (`time.monotonic`)."""
        try:
            return future.result(max(until - time.monotonic(), 0.0))
        except TimeoutError:
            return None

    def versions(self) -> tuple[list[StoredVersion], list[Promotion], Promotion | None]:
        """The newest versions and the served one with metrics, the newest promotions, and the one of what is served.

        Raises:
            StorageUnavailable: the store failed, or was too slow.
        """
        return self._soon(self._versions)

    def _versions(self) -> tuple[list[StoredVersion], list[Promotion], Promotion | None]:
        newest = list(islice(reversed(list(self._registry.versions())), NEWEST_VERSIONS))
        try:
            served = self._registry.served().promotion
        except ModelError:
            served = None
        if served and served.version not in newest:
            newest.append(served.version)  # however old it is
        stored = list(self._executor.map(self._stored, newest))
        return stored, self._registry.history(NEWEST_PROMOTIONS, self._executor), served

    def report(self, version: str) -> bytes:
        """The report page of a version.

        Raises:
            UnknownVersion: there is no such version, or it has no report.
            StorageUnavailable: the store failed, or was too slow.
        """
        return self._soon(partial(self._registry.read, version, "report.html"))

    def _stored(self, version: str) -> StoredVersion:
        try:
            metrics = msgspec.json.decode(self._registry.read(version, METRICS_FILE), type=dict[str, object])
        except (MonitoryError, *UNDECODABLE) as exc:
            if isinstance(exc, StorageError):
                raise
            metrics = None
        return StoredVersion(version, metrics)

"""Predictions without HTTP: joins the model, the machines' histories and what scoring has stored."""

import time
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future
from datetime import datetime
from typing import NamedTuple, TypeVar

from monitory.errors import MonitoryError, StorageUnavailable
from monitory.history.machine_history import History
from monitory.machine import Machine
from monitory.registry.registry import Registry
from monitory.scoring.answer import PredictResponse, predict_response
from monitory.scoring.failure_cache import FailureCache
from monitory.scoring.machine_prediction import MachinePrediction
from monitory.scoring.model_cache import CurrentModel, ModelCache
from monitory.scoring.replacement import StopCosts
from monitory.sensors import SensorSet
from monitory_predict.cache.history import HistoryCache
from monitory_predict.cache.predictions import PredictionCache
from monitory_predict.cache.scored_answers import ScoredAnswers

MODEL_SHARE = 0.85
"""Share of the answer time to wait for the newest model; the rest is for the last good one."""

T = TypeVar("T")


class Answer(NamedTuple):
    """An answer about a machine, and why the newest model did not give it; None where it did."""

    response: PredictResponse
    problem: MonitoryError | None = None


class PredictService:
    """Answers what is predicted of machines, and has the parts of all other answers.

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
        scored: ScoredAnswers | None = None,
        costs: StopCosts | None = None,
        operators: Collection[str] = (),
    ) -> None:
        """Join the parts; nothing is read yet. Tasks of the executor must not wait for one another.

        `scored` are the answers of the score function, where there is one; `costs` are those of stops, where known;
        `operators` are the ids of the API keys that may write records.
        """
        self.models = models
        self.histories = histories
        self.failures = failures
        self.registry = registry
        self.sensors = sensors
        self.executor = executor
        self.answer_seconds = answer_seconds
        self.scored = scored
        self.costs = costs
        self.operators = operators
        self._predictions = PredictionCache(sensors)

    def answer(self, machine: Machine, now: datetime, key: str | None = None) -> Answer:
        """The answer about a machine as of now: the stored one, or a new one where a newer object is there.

        Args:
            machine: which.
            now: the present, aware.
            key: of the machine's newest object, which saves the listing; needs the score function's answers.

        Raises:
            InvalidIdentifier: the key is not that of an object of this machine.
            NoData, StaleData, NoModel, BrokenModel, StorageUnavailable: as their names say.
        """
        if self.scored is None:
            return _computed(self.predict(machine, now))
        if key:
            stored = self.scored.with_object(machine, now, key)
            if stored is None and (history := self.histories.history_with(machine, now, key)):
                return _computed(self._predict(machine, lambda: history))
            return Answer(stored) if stored else _computed(self.predict(machine, now))
        listings = self.histories.newest_listings(machine, now)
        if stored := self.scored.with_listings(machine, now, listings):
            return Answer(stored)
        return _computed(self._predict(machine, lambda: self.histories.history_at(machine, now, listings)))

    def predict(self, machine: Machine, now: datetime) -> MachinePrediction:
        """The RUL of a machine as of now, computed. The model is checked while the lake is read.

        If the store is slow, the last good model and failures are used.

        Raises:
            NoData, StaleData, NoModel, BrokenModel, StorageUnavailable: as their names say.
        """
        return self._predict(machine, lambda: self.histories.history_at(machine, now))

    def _predict(self, machine: Machine, read_history: Callable[[], History]) -> MachinePrediction:
        model_until = self._model_until()
        checking = self.executor.submit(self.models.current)
        reading = self.executor.submit(self.failures.current)
        history = read_history()
        current = _result(checking, model_until) or self.models.last_good(self._too_slow())
        failures = _result(reading, model_until) or self.failures.last_good
        return self._predictions.predict(machine, history, current, failures, self.costs)

    def current_model(self) -> CurrentModel:
        """The model of `ModelCache.current`; the last good one if the store is slow.

        Raises:
            NoModel, BrokenModel, StorageUnavailable: there is none.
        """
        checking = self.executor.submit(self.models.current)
        return _result(checking, self._model_until()) or self.models.last_good(self._too_slow())

    def _model_until(self) -> float:
        return time.monotonic() + MODEL_SHARE * self.answer_seconds

    def _too_slow(self) -> StorageUnavailable:
        seconds = MODEL_SHARE * self.answer_seconds
        return StorageUnavailable(f"the served model could not be read within {seconds:.3g} s")


def _computed(answer: MachinePrediction) -> Answer:
    return Answer(predict_response(answer), answer.current.problem)


def _result(future: Future[T], until: float) -> T | None:
    """A result; None if it takes longer than `until` (`time.monotonic`)."""
    try:
        return future.result(max(until - time.monotonic(), 0.0))
    except TimeoutError:
        return None

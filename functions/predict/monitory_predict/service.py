"""The predict service without HTTP: joins the model, the machines' histories and the registry."""

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TypeVar

import msgspec

from monitory import clock
from monitory.errors import UNDECODABLE, ModelError, MonitoryError, NoData, StorageError, StorageUnavailable
from monitory.features.hour_row import HourRow
from monitory.history.machine_history import History
from monitory.logbook.logbook import Logbook
from monitory.machine import Machine
from monitory.registry.registry import METRICS_FILE, Promotion, Registry
from monitory.scoring import performance
from monitory.scoring.answer import PredictResponse, predict_response
from monitory.scoring.failure_cache import FailureCache, Failures
from monitory.scoring.machine_prediction import MachinePrediction, machine_prediction
from monitory.scoring.model_cache import CurrentModel, ModelCache
from monitory.scoring.performance import Performance
from monitory.scoring.replacement import StopCosts
from monitory.scoring.trends import KEEP_HOURS
from monitory.sensors import SensorSet
from monitory_predict.cache.history import HistoryCache
from monitory_predict.cache.scored_answers import ScoredAnswers
from monitory_predict.case_book import CaseBook, MachineBook
from monitory_predict.machine_log import HistoryResponse, machine_log
from monitory_predict.views.fleet_page import FleetQuery, fleet_page, limits_of
from monitory_predict.views.fleet_view import FleetResponse
from monitory_predict.views.machine_page import MachineParts, MachineResponse, machine_page
from monitory_predict.views.machine_runs import Run, runs
from monitory_predict.views.record_view import RecordView

NEWEST_VERSIONS = 20
NEWEST_PROMOTIONS = 50

MODEL_SHARE = 0.85
"""Share of the answer time to wait for the newest model; the rest is for the last good one."""

T = TypeVar("T")


class Answer(NamedTuple):
    """An answer about a machine, and why the newest model did not give it; None where it did."""

    response: PredictResponse
    problem: MonitoryError | None = None


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
        scored: ScoredAnswers | None = None,
        costs: StopCosts | None = None,
        operators: Collection[str] = (),
    ) -> None:
        """Join the parts; nothing is read yet. Tasks of the executor must not wait for one another.

        `scored` are the answers of the score function, where there is one; `costs` are those of stops, where known;
        `operators` are the ids of the API keys that may write records.
        """
        self.case_book = CaseBook(registry.storage, histories.lake_name, operators)
        self._costs = costs
        self._scored = scored
        self.models = models
        self.answer_seconds = answer_seconds
        self._histories = histories
        self._failures = failures
        self._registry = registry
        self._sensors = sensors
        self._executor = executor

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
        if self._scored is None:
            return _computed(self.predict(machine, now))
        if key:
            stored = self._scored.with_object(machine, now, key)
            if stored is None and (history := self._histories.history_with(machine, now, key)):
                return _computed(self._predict(machine, lambda: history))
            return Answer(stored) if stored else _computed(self.predict(machine, now))
        listings = self._histories.newest_listings(machine, now)
        if stored := self._scored.with_listings(machine, now, listings):
            return Answer(stored)
        return _computed(self._predict(machine, lambda: self._histories.history_at(machine, now, listings)))

    def fleet(self, query: FleetQuery, now: datetime) -> FleetResponse:
        """A page of the fleet, the most urgent machines first.

        Raises:
            NoData: the score function has not run yet, or is switched off.
            StorageError: the fleet state cannot be read.
        """
        if self._scored is None:
            raise NoData("there is no fleet state: scoring is switched off")
        fleet = self._scored.fleet()
        served = self._scored.served_model()
        trends = self._scored.trends() if query.with_trend else None
        cap_days = served.model.cap_days if served else None
        return fleet_page(fleet, query, now, self._scored.max_age, cap_days, trends)

    def machine(self, machine: Machine, now: datetime) -> MachineResponse:
        """What is known of a machine beside its present prediction.

        Raises:
            NoData: it is in no fleet state, or scoring is switched off.
            StorageUnavailable: the store failed.
            StorageError: the cases or the records are damaged.
        """
        if self._scored is None:
            raise NoData("there is no fleet state: scoring is switched off")
        fleet = self._scored.fleet()
        if str(machine) not in fleet.machines:
            raise NoData(f"{machine} is not in the fleet state: it has had no object in the last 30 days")
        serving = self._executor.submit(self._scored.served_model)
        reading_trends = self._executor.submit(self._scored.trends)
        reading_failures = self._executor.submit(self._failures.current)
        reading_book = self._executor.submit(self.case_book.of, machine, now)
        rows = self._histories.stored_rows(machine, now)
        served, book = serving.result(), reading_book.result()
        present = clock.hour_of(now)
        parts = MachineParts(
            machine=machine,
            limits_days=limits_of(fleet),
            cap_days=served.model.cap_days if served else None,
            card=served.model.card if served else None,
            rows=rows,
            trend=reading_trends.result().points(str(machine), present - KEEP_HOURS),
            runs=self._runs(machine, rows, reading_failures.result(), book, present),
            records=[RecordView.of(record) for record in book.records],
            cases=book.cases,
        )
        return machine_page(parts, self._sensors)

    def _runs(
        self, machine: Machine, rows: Sequence[HourRow], failures: Failures, book: MachineBook, present: int
    ) -> list[Run]:
        """The runs of a machine by its rows, the log of failures and its records; none known without rows."""
        if not rows:
            return []
        logbook = failures.logbook
        if logbook or failures.state.log_key is None:  # else the log's file cannot be read, and may list failures
            logbook = (logbook or Logbook()).with_records(book.entries)
        stops = failures.state.stops(machine, rows, self._sensors, logbook)
        decides = logbook is None or logbook.lists_failures
        return runs(stops, rows[-1].hour, present, logbook_decides=decides)

    def history(self, machine: Machine, days: int, now: datetime) -> HistoryResponse:
        """What a machine was predicted in the last days, out of the prediction log.

        Raises:
            NoData: nothing. StorageUnavailable: the store failed.
        """
        return machine_log(self._registry.storage, self._histories.lake_name, self._executor, machine, days, now)

    def performance(self) -> Performance:
        """What logged predictions came to.

        Raises:
            NoData: no retrain has measured it yet. StorageError: it cannot be read.
        """
        figures = performance.latest(self._registry.storage)
        if figures is None:
            raise NoData("nothing has been measured yet: a retrain does it once the prediction log has lines")
        return figures

    def predict(self, machine: Machine, now: datetime) -> MachinePrediction:
        """The RUL of a machine as of now, computed. The model is checked while the lake is read.

        If the store is slow, the last good model and failures are used.

        Raises:
            NoData, StaleData, NoModel, BrokenModel, StorageUnavailable: as their names say.
        """
        return self._predict(machine, lambda: self._histories.history_at(machine, now))

    def _predict(self, machine: Machine, read_history: Callable[[], History]) -> MachinePrediction:
        model_until = self._model_until()
        checking = self._executor.submit(self.models.current)
        reading = self._executor.submit(self._failures.current)
        history = read_history()
        current = _result(checking, model_until) or self.models.last_good(self._too_slow())
        failures = _result(reading, model_until) or self._failures.last_good
        return machine_prediction(machine, history, current, failures, self._sensors, self._costs)

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


def _computed(answer: MachinePrediction) -> Answer:
    return Answer(predict_response(answer), answer.current.problem)


def _result(future: Future[T], until: float) -> T | None:
    """A result; None if it takes longer than `until` (`time.monotonic`)."""
    try:
        return future.result(max(until - time.monotonic(), 0.0))
    except TimeoutError:
        return None

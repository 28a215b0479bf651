"""The score function's answers: used while no newer object, no other model and no other log of failures is there."""

import threading
import time
from datetime import datetime, timedelta

from pydantic import ValidationError

from monitory import clock
from monitory.errors import UNDECODABLE, MonitoryError, NoData, StaleData
from monitory.history.machine_history import fingerprint, too_old
from monitory.log import Logger
from monitory.machine import Machine
from monitory.scoring.answer import PredictResponse, aged
from monitory.scoring.failure_cache import FailureCache
from monitory.scoring.fleet import FleetState, MachineState
from monitory.scoring.model_cache import ModelCache, ServedModel
from monitory.scoring.trends import Trends
from monitory_predict.cache.history import Listings
from monitory_predict.cache.state import StateCache

MODEL_SECONDS = 60.0
"""How long a stored answer is trusted to be the served model's; a promotion scores all machines within the hour."""


class ScoredAnswers:
    """Answers out of the fleet state."""

    def __init__(
        self,
        fleet: StateCache[FleetState],
        trends: StateCache[Trends],
        models: ModelCache,
        failures: FailureCache,
        log: Logger,
        max_age: timedelta,
    ) -> None:
        """Nothing is read yet; readings older than `max_age` are stale."""
        self.max_age = max_age
        self._fleet = fleet
        self._trends = trends
        self._models = models
        self._failures = failures
        self._log = log
        self._lock = threading.Lock()
        self._model: ServedModel | None = None
        self._model_until = 0.0

    def fleet(self) -> FleetState:
        """The fleet state, by one conditional read.

        Raises:
            NoData: no machine has been scored yet.
            StorageError: it cannot be read.
        """
        state = self._fleet.current().value
        if not state.machines:
            raise NoData("there is no fleet state: no machine has been scored yet")
        return state

    def trends(self) -> Trends:
        """The trends, by one conditional read; empty without usable ones."""
        return self._trends.current_or_empty(self._log)

    def with_listings(self, machine: Machine, now: datetime, listings: Listings) -> PredictResponse | None:
        """The stored answer if it rests on exactly the listed objects; None otherwise.

        Raises:
            StaleData: it does, and its newest reading is too old.
            StorageUnavailable: a listing failed.
        """
        state = self._state(machine)
        if state is None or not any(listing.result() for listing in listings.values()):
            return None
        if any(state.days.get(day, "") != fingerprint(listing.result()) for day, listing in listings.items()):
            return None
        return self._answer(machine, state, now)

    def with_object(self, machine: Machine, now: datetime, key: str) -> PredictResponse | None:
        """The stored answer if an object is one of those that hold its newest hour; None otherwise.

        Raises:
            StaleData: it is, and the newest reading is too old.
        """
        state = self._state(machine)
        return self._answer(machine, state, now) if state and key in state.newest else None

    def _state(self, machine: Machine) -> MachineState | None:
        """The state of a machine, by one conditional read; None without a usable one."""
        try:
            return self._fleet.current_or_empty(self._log).machine(machine)
        except UNDECODABLE as exc:
            self._log.warning("the fleet state of %s is damaged: %s", machine, exc)
            return None

    def _answer(self, machine: Machine, state: MachineState, now: datetime) -> PredictResponse | None:
        if not state.has_answer or state.problem:
            return None
        served = self.served_model()
        if served is None or state.model != served.etag or state.log != self._log_etag():
            return None
        try:
            answer = PredictResponse.model_validate_json(bytes(state.answer))
        except ValidationError as exc:  # of another version of this service
            self._log.warning("the stored answer about %s cannot be used: %s", machine, exc)
            return None
        age = now - answer.as_of
        if age > self.max_age:
            raise StaleData(too_old(machine, clock.naive(answer.as_of), age, self.max_age))
        return aged(answer, now)

    def _log_etag(self) -> str:
        """The present log's: what people report is told at once, and not with the next run."""
        self._failures.current()
        return self._failures.log_etag

    def served_model(self) -> ServedModel | None:
        """The served model as of the last `MODEL_SECONDS`; the last good one while none can be read, None before."""
        with self._lock:
            if time.monotonic() > self._model_until:
                try:
                    self._model = self._models.current().served
                except MonitoryError as exc:
                    self._log.warning("the served model cannot be checked: %s", exc)
                self._model_until = time.monotonic() + MODEL_SECONDS
            return self._model

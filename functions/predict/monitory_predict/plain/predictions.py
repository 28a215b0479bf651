"""Predictions as callers get them: within a time limit, counted, as JSON."""

import time
from concurrent.futures import ThreadPoolExecutor

from monitory import clock, errors
from monitory.log import Logger
from monitory.machine import Machine
from monitory_predict.service import PredictService
from monitory_predict.telemetry import Telemetry

THREADS = 32
"""As many answers are computed or abandoned at once, at most; Lambda asks for one at a time."""


class Predictions:
    """Asks a service in a thread, so that a slow store cannot hold up a caller."""

    def __init__(self, service: PredictService, log: Logger, telemetry: Telemetry) -> None:
        """Nothing is asked yet."""
        self._service = service
        self._log = log
        self._telemetry = telemetry
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="predict")

    def json(self, machine: Machine, key: str | None) -> str:
        """The answer about a machine; what is late goes on in its thread, for the next caller.

        Raises:
            MonitoryError: as `PredictService.answer`; StorageUnavailable after the service's `answer_seconds`, too.
        """
        started = time.perf_counter()
        asked = self._threads.submit(self._service.answer, machine, clock.now(), key)
        seconds = self._service.answer_seconds
        try:
            answer = asked.result(seconds)
        except errors.NoData:
            self._telemetry.no_data()
            raise
        except TimeoutError as exc:
            raise errors.StorageUnavailable(f"no answer within {seconds:g} s") from exc
        self._telemetry.predicted(answer, time.perf_counter() - started)
        if answer.problem:
            self._log.error("the last good model answers: %s", answer.problem)
        return answer.response.model_dump_json()

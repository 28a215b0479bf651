"""One run of scoring: list, read, predict, then write the log, trends, the fleet state and, last, the cases.

Each step may be repeated: rows and log lines that are there stay as they are, and the fleet state, whose objects' ETags
decide what is read, is replaced on condition. So a run that dies, meets another or runs out of time costs the next one
some work, never a line.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

import msgspec

from monitory import clock
from monitory.errors import ModelError, StorageError, StorageUnavailable
from monitory.lake import Lake
from monitory.log import Logger
from monitory.machine import Machine
from monitory.scoring import fleet, prediction_log, trends
from monitory.scoring.failure_cache import FailureCache
from monitory.scoring.fleet import FleetState
from monitory.scoring.model_cache import CurrentModel, ModelCache
from monitory.scoring.trends import TrendPoint
from monitory.storage.port import Storage
from monitory.storage.state_object import Stored
from monitory_score import plan
from monitory_score.alerting import Alerting
from monitory_score.machine_scorer import STORAGE_FAILS, Basis, MachineResult, MachineScorer

_FIRST_HOURS = 2
"""Hours before the first run that are logged: the newest object is up to 65 minutes behind its hour."""

AHEAD = 16
"""Machines that are worked on or wait for a thread; of few objects are held."""


class Summary(NamedTuple):
    """What a run did.

    Attributes:
        machines: number of machines in the state.
        scored: machines with new objects, or with a new model or new failures.
        failed: machines among them that could not be scored.
        left: machines that are left for the next run, for lack of time.
        read: objects that were read.
        logged: lines that were added to the prediction log.
        seconds: how long it took.
        open_cases: cases that are not closed.
        silent_machines: those among them that are about silence.
        sent: transitions of cases that were sent.
        unsent: transitions that wait for the next run.
    """

    machines: int
    scored: int
    failed: int
    left: int
    read: int
    logged: int
    seconds: float
    open_cases: int = 0
    silent_machines: int = 0
    sent: int = 0
    unsent: int = 0


class Run:
    """Scores all machines of a lake; one process may run it again and again."""

    def __init__(
        self,
        lake: Lake,
        storage: Storage,
        models: ModelCache,
        failures: FailureCache,
        scorer: MachineScorer,
        alerting: Alerting,
        executor: Executor,
        log: Logger,
        max_age: timedelta,
    ) -> None:
        """Nothing is read yet; `max_age` is of the newest reading."""
        self._lake = lake
        self._lake_name = lake.fingerprint()
        self._fleet = fleet.state_object(self._lake_name)
        self._storage = storage
        self._models = models
        self._failures = failures
        self._scorer = scorer
        self._alerting = alerting
        self._executor = executor
        self.log = log
        self._max_age = max_age

    def score(self, now: datetime, in_time: Callable[[], bool]) -> Summary:
        """Score the machines with new objects.

        Args:
            now: the present, aware.
            in_time: called before each machine; False leaves the rest for the next run.

        Raises:
            StorageUnavailable: the store failed at what all machines need, or at every machine.
        """
        started = time.monotonic()
        stored = self._stored(now)
        days = plan.days_to_list(stored.value.days, now, self._max_age)
        listing = dict(zip(days, self._executor.map(self._lake.day, days), strict=True))
        basis = self._basis(stored.value.since)
        tasks = plan.tasks(stored.value.all_machines(), listing, basis.name)
        results = list(self._results(tasks, basis, now, in_time))
        logged = self._log_lines(results)
        self._extend_trends(tasks, results, clock.hour_of(now), stored.value.since)
        left = len(tasks) - len(results)
        failed = [result for result in results if not result.is_finished]
        unfinished = {task.machine for task in tasks} - {result.machine for result in results if result.is_finished}
        read_days = [day for day, of_day in listing.items() if unfinished.isdisjoint(of_day)]
        state = self._commit(stored, results, read_days, now)
        alerts = self._alerting.run(state, basis.failures, now)
        if results and all(result.state.problem == STORAGE_FAILS for result in results):
            raise StorageUnavailable(f"none of {len(results)} machines could be scored: {STORAGE_FAILS}")
        return Summary(
            machines=len(state.machines),
            scored=len(results),
            failed=len(failed),
            left=left,
            read=sum(result.read for result in results),
            logged=logged,
            seconds=time.monotonic() - started,
            open_cases=alerts.open_cases,
            silent_machines=alerts.silent,
            sent=alerts.sent,
            unsent=alerts.unsent,
        )

    def _stored(self, now: datetime) -> Stored[FleetState]:
        """The fleet state; a first one is written before anything is read, so that what is logged is known."""
        first = FleetState(since=clock.hour_of(now) - _FIRST_HOURS)
        return self._fleet.update(self._storage, lambda state: state if state.since else first)

    def _basis(self, since: int) -> Basis:
        current: CurrentModel | None
        try:
            current = self._models.current()
        except ModelError as exc:
            self.log.error("machines are not scored: %s", exc)
            current = None
        failures = self._failures.current()
        if not self._failures.is_read:  # what is logged cannot be taken back
            raise StorageUnavailable("the machines' last failures cannot be read")
        name = f"{current.served.etag} {current.served.version} {current.problem is None}" if current else "no model"
        return Basis(f"{name} {self._failures.fingerprint}", current, failures, self._failures.log_etag, since)

    def _results(
        self, tasks: list[plan.Task], basis: Basis, now: datetime, in_time: Callable[[], bool]
    ) -> Iterator[MachineResult]:
        waiting = iter(tasks)
        running = [self._executor.submit(self._scorer.score, task, basis, now) for task in islice(waiting, AHEAD)]
        while running:
            yield running.pop(0).result()
            if in_time():
                for task in islice(waiting, 1):
                    running.append(self._executor.submit(self._scorer.score, task, basis, now))

    def _log_lines(self, results: list[MachineResult]) -> int:
        """Write the log; machines whose lines it does not take get them in a later run."""
        by_hour: dict[int, dict[Machine, bytes]] = {}
        for result in results:
            for hour, line in result.lines.items():
                by_hour.setdefault(hour, {})[result.machine] = line
        logged = 0
        for hour, lines in sorted(by_hour.items()):
            try:
                logged += prediction_log.add(self._storage, self._lake_name, hour, lines)
            except StorageError as exc:
                self.log.error("%d predictions are not logged: %s", len(lines), exc)
                _forget(results, hour)
        return logged

    def _extend_trends(self, tasks: list[plan.Task], results: list[MachineResult], hour: int, since: int) -> None:
        """Add points to the trends where a machine has reached other six hours; else there is nothing to write."""
        before = {task.machine: task.state.points for task in tasks}
        points = {result.machine: result.state.points for result in results if result.state.points}
        if not any(_reaches_a_slot(before[machine], of_machine) for machine, of_machine in points.items()):
            return

        def earlier() -> Iterator[dict[str, TrendPoint]]:
            first = max(since, hour - trends.KEEP_HOURS)
            hours = (number for number in range(first, hour) if number % trends.SLOT_HOURS == 0)
            return self._executor.map(lambda number: trends.read_log(self._storage, self._lake_name, number), hours)

        try:
            by_name = {str(machine): of_machine for machine, of_machine in points.items()}
            trends.add(self._storage, self._lake_name, by_name, hour, earlier)
        except StorageError as exc:  # the fleet state has the points until the next six hours
            self.log.error("the trends are not written: %s", exc)

    def _commit(
        self, stored: Stored[FleetState], results: Iterable[MachineResult], read_days: Iterable[date], now: datetime
    ) -> FleetState:
        states = {str(result.machine): result.state for result in results}

        def merged(state: FleetState) -> FleetState:
            return fleet.merge(state, states, read_days, now, clock.hour_of(now), self._alerting.rule.limits_days)

        return self._fleet.update(self._storage, merged, stored).value


def _reaches_a_slot(before: Sequence[TrendPoint], after: Sequence[TrendPoint]) -> bool:
    return not before or after[-1].slot > before[-1].slot


def _forget(results: list[MachineResult], hour: int) -> None:
    """Take an hour whose lines were not written out of the states that say they were."""
    for at, result in enumerate(results):
        if hour in result.lines:
            logged = tuple(number for number in result.state.logged if number != hour)
            state = msgspec.structs.replace(result.state, logged=logged, days={})
            results[at] = result._replace(state=state, is_finished=False)

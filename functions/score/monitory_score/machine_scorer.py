"""Scores one machine: reads its new objects, stores its hour rows, and predicts."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import msgspec

from monitory.errors import MonitoryError, PreconditionFailed, StorageUnavailable
from monitory.history import machine_history
from monitory.history.history_store import HistoryStore
from monitory.history.machine_history import days_in_reach, fingerprint, history_at, refreshed_days
from monitory.history.stored_history import NEVER, CachedDay, CachedHistory
from monitory.lake import Lake
from monitory.log import Logger
from monitory.machine import Machine
from monitory.scoring import trends
from monitory.scoring.answer import PredictResponse, aged, predict_response
from monitory.scoring.failure_cache import Failures
from monitory.scoring.fleet import NO_ANSWER, HourAnswer, MachineState, recent_hours, recent_points
from monitory.scoring.machine_prediction import machine_prediction
from monitory.scoring.model_cache import CurrentModel
from monitory.scoring.replacement import StopCosts
from monitory.scoring.stored_answer import StoredShare
from monitory.scoring.trends import TrendPoint
from monitory.sensors import SensorSet
from monitory_score.plan import Task, due_hours

ANY_AGE = timedelta(days=365)
"""A machine that fell silent keeps its last answer; whoever reads it says how old it is."""

STORAGE_FAILS = "the storage fails"

_TRIES = 3


class Basis(NamedTuple):
    """What predictions rest on beside a machine's rows.

    Attributes:
        name: tells one basis from another.
        current: the model; None before the first promotion.
        failures: the machines' failures.
        log: the ETag of their log; empty without one.
        since: the first hour that is logged.
    """

    name: str
    current: CurrentModel | None
    failures: Failures
    log: str
    since: int


class MachineResult(NamedTuple):
    """A machine after a run.

    Attributes:
        machine: which.
        state: its new state.
        lines: for the prediction log, by hour.
        read: number of objects that were read.
        is_finished: whether nothing of it is left for the next run.
    """

    machine: Machine
    state: MachineState
    lines: dict[int, bytes]
    read: int = 0
    is_finished: bool = True


class MachineScorer:
    """Scores machines; safe in several threads."""

    def __init__(
        self,
        lake: Lake,
        store: HistoryStore,
        sensors: SensorSet,
        log: Logger,
        max_age: timedelta,
        costs: StopCosts | None = None,
    ) -> None:
        """Nothing is read yet; `max_age` is of the newest reading, `costs` are those of stops, where they are known."""
        self._costs = costs
        self._lake = lake
        self._store = store
        self._sensors = sensors
        self._log = log
        self._max_age = max_age

    def score(self, task: Task, basis: Basis, now: datetime) -> MachineResult:
        """Score a machine. What goes wrong with it is said in its state, and it is tried again in the next run."""
        try:
            return self._score(task, basis, now)
        except MonitoryError as exc:
            self._log.warning("%s is not scored: %s", task.machine, exc)
            problem = STORAGE_FAILS if isinstance(exc, StorageUnavailable) else str(exc)
        except Exception:  # a defect costs this machine only
            self._log.exception("%s is not scored", task.machine)
            problem = "a defect; see the log"
        state = msgspec.structs.replace(task.state, scored_at=now, problem=problem)
        return MachineResult(task.machine, state, {}, is_finished=False)

    def _score(self, task: Task, basis: Basis, now: datetime) -> MachineResult:
        days, read = self._stored_days(task, now)
        objects = [item for day in days.values() for item in day.content.objects]
        marks = {day: mark for day, mark in self._marks(task, now).items() if mark}
        silent = msgspec.structs.replace(task.state, scored_at=now, days=marks, basis=basis.name, problem=_SILENT)
        if not objects:  # the last answer stays
            return MachineResult(task.machine, silent, {}, read)
        listed = [item for of_day in task.listed.values() for item in of_day]
        history = history_at(task.machine, days, listed, now, ANY_AGE)
        if history is None:
            problem = machine_history.why_unusable(task.machine, objects)
            return MachineResult(task.machine, _unanswered(silent, problem), {}, read)
        newest = history.newest.hour
        keys = tuple(item.key for item in objects if newest in item.hours)
        state = msgspec.structs.replace(silent, hour=newest, newest=keys, problem="")
        due = due_hours(history.rows, task.state, basis.since)
        logged = tuple(sorted({*state.logged, *due}))
        if basis.current is None:
            state = _unanswered(msgspec.structs.replace(state, logged=logged), _NO_MODEL)
            return MachineResult(task.machine, state, {}, read)
        answers = {}
        for hour in due:
            if of_hour := history_at(task.machine, days, listed, now, ANY_AGE, hour):
                of_hour = of_hour._replace(age=timedelta(0))
                answers[hour] = predict_response(
                    machine_prediction(task.machine, of_hour, basis.current, basis.failures, self._sensors, self._costs)
                )
        state = msgspec.structs.replace(
            state,
            answer=msgspec.Raw(answers[newest].model_dump_json().encode()),
            model=basis.current.served.etag,
            log=basis.log,
            logged=logged,
            recent=recent_hours((*state.recent, *(_hour_answer(hour, of) for hour, of in answers.items()))),
            points=recent_points((*state.points, *(_trend_point(hour, of) for hour, of in answers.items()))),
        )
        lines = {hour: _line(aged(of, now), now) for hour, of in answers.items() if hour not in task.state.logged}
        return MachineResult(task.machine, state, lines, read)

    def _stored_days(self, task: Task, now: datetime) -> tuple[dict[date, CachedDay], int]:
        """The machine's days in reach, brought up to date and stored; and the number of objects read for it.

        Raises:
            StorageUnavailable: the store failed, or other writers were faster every time.
        """
        reach = days_in_reach(now, self._max_age)
        read = 0
        for _ in range(_TRIES):
            stored = self._store.read(task.machine)
            cached = stored.history.by_date()
            listed = {day: task.listed[day] for day in reach if day in task.listed}
            for day in reach:
                is_missing = day not in cached or cached[day].listed == NEVER  # a new machine, or rows of version 1.0
                if is_missing and day not in listed:
                    listed[day] = self._lake.machine_day(task.machine, day)
            days = {day: cached[day] for day in reach if day in cached}
            days |= refreshed_days(self._lake, cached, listed, now)
            read += sum(_unread(cached, day) for day in days.values())
            if stored.etag and all(day in cached and cached[day].content is days[day].content for day in days):
                return days, read
            if not any(day.content.objects for day in days.values()):
                return days, read
            try:
                self._store.write(task.machine, stored.etag, CachedHistory(tuple(days[day] for day in sorted(days))))
            except PreconditionFailed:  # another run was first; what it has read is not read again
                continue
            return days, read
        raise StorageUnavailable(f"the rows of {task.machine} change whenever they are about to be written")

    def _marks(self, task: Task, now: datetime) -> dict[date, str]:
        """The fingerprints of the days in reach; those that were not listed keep theirs."""
        reach = days_in_reach(now, self._max_age)
        former = {day: mark for day, mark in task.state.days.items() if day in reach}
        return former | {day: fingerprint(objects) for day, objects in task.listed.items()}


_SILENT = "no readings"
_NO_MODEL = "no model can be served"


def _unread(cached: Mapping[date, CachedDay], day: CachedDay) -> int:
    """How many objects of a day were not in its cached state."""
    before = cached[day.day].content.objects if day.day in cached else ()
    return len({(item.key, item.etag) for item in day.content.objects} - {(item.key, item.etag) for item in before})


def _unanswered(state: MachineState, problem: str) -> MachineState:
    return msgspec.structs.replace(state, answer=NO_ANSWER, model="", problem=problem)


def _hour_answer(hour: int, answer: PredictResponse) -> HourAnswer:
    return HourAnswer(hour, answer.predictions[0], answer.state)


def _trend_point(hour: int, answer: PredictResponse) -> TrendPoint:
    ends = (answer.interval.low, answer.interval.high) if answer.interval else None
    return trends.point(
        hour, answer.predictions[0], ends, (StoredShare(one.sensor, one.days) for one in answer.drivers)
    )


def _line(answer: PredictResponse, now: datetime) -> bytes:
    """A line of the prediction log: when it was scored, and the answer."""
    scored_at = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return b'{"scored_at":"' + scored_at.encode() + b'",' + answer.model_dump_json().encode()[1:]

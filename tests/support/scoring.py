"""The score function over a lake and a model bucket in memory."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import msgspec

from monitory import clock
from monitory.alerts.case import Transition
from monitory.alerts.rule import Rule
from monitory.history.history_store import HistoryStore
from monitory.lake import Lake
from monitory.layout.lake_layout import DEFAULT_LAYOUT
from monitory.machine import Machine
from monitory.registry.registry import Registry
from monitory.scoring import fleet, prediction_log, trends
from monitory.scoring.failure_cache import FailureCache
from monitory.scoring.fleet import MachineState
from monitory.scoring.model_cache import ModelCache
from monitory.storage.port import Storage
from monitory_predict.cache.history import HistoryCache
from monitory_predict.cache.scored_answers import ScoredAnswers
from monitory_predict.cache.state import StateCache
from monitory_predict.service import PredictService
from monitory_score.alerting import Alerting
from monitory_score.delivery import Channel
from monitory_score.machine_scorer import MachineScorer
from monitory_score.run import Run, Summary
from tests.support.models import SENSORS
from tests.support.predicting import MAX_AGE, NOW, World
from tests.support.registries import KEY

LAKE = DEFAULT_LAYOUT.fingerprint("lake", "EQUIPMENT")
"""The fingerprint of a world's lake."""

_executor = ThreadPoolExecutor(8, thread_name_prefix="test-score")

Line = dict[str, Any]


class Inbox:
    """A channel that remembers, and takes nothing while it fails."""

    def __init__(self, name: str = "inbox") -> None:
        self.name = name
        self.received: list[str] = []
        self.fails = False

    def send(self, transitions: Sequence[Transition]) -> set[str]:
        """See Channel."""
        if self.fails:
            return set()
        self.received += [one.id for one in transitions]
        return {one.id for one in transitions}


def new_run(
    world: World,
    models: Storage | None = None,
    lake: Storage | None = None,
    channels: Sequence[Channel] = (),
    rule: Rule | None = None,
) -> Run:
    """The score function as a new container: nothing in memory, the world's buckets or others."""
    models, readings = models or world.model_storage, lake or world.lake_storage
    of_readings = Lake(readings, "EQUIPMENT/", SENSORS)
    store = HistoryStore(models, of_readings, world.log)
    return Run(
        of_readings,
        models,
        ModelCache(Registry(models, KEY), SENSORS, 30.0),
        FailureCache(models, readings, world.log, for_scoring=True),
        MachineScorer(of_readings, store, SENSORS, world.log, MAX_AGE),
        Alerting(models, of_readings.fingerprint(), rule or Rule(), channels, world.log),
        _executor,
        world.log,
        MAX_AGE,
    )


def score(world: World, now: datetime = NOW, in_time: Callable[[], bool] = lambda: True) -> Summary:
    """Run a new container once."""
    return new_run(world).score(now, in_time)


def state_of(storage: Storage, machine: Machine) -> MachineState:
    """What the fleet state says of a machine."""
    state = fleet.state_object(LAKE).read(storage).value.machine(machine)
    assert state is not None
    return state


def answer_of(storage: Storage, machine: Machine) -> Line:
    """The stored answer about a machine."""
    answer: Line = msgspec.json.decode(state_of(storage, machine).answer)
    return answer


def log_lines(storage: Storage) -> list[Line]:
    """Every line of the prediction log."""
    names = [entry.key.rpartition("/")[2].partition(".")[0] for entry in storage.list(prediction_log.FOLDER)]
    parts = [name.partition("-") for name in names]
    return [
        msgspec.json.decode(line) for hour, _, lake in parts for line in prediction_log.read(storage, lake, int(hour))
    ]


def logged(storage: Storage) -> list[tuple[str, int]]:
    """Machine and hour of every line of the prediction log, in order."""
    return sorted(
        (line["equipId"], clock.hour_of(datetime.fromisoformat(line["window"]["start"]))) for line in log_lines(storage)
    )


def predicting(world: World, operators: Collection[str] = ()) -> PredictService:
    """The predict service beside the score function, as a new container; `operators` may write records."""
    lake = Lake(world.lake_storage, "EQUIPMENT/", SENSORS)
    models = ModelCache(Registry(world.model_storage, KEY), SENSORS, 30.0)
    failures = FailureCache(world.model_storage, world.lake_storage, world.log)
    return PredictService(
        models,
        HistoryCache(lake, world.model_storage, _executor, world.log, MAX_AGE, read_only=True),
        failures,
        Registry(world.model_storage, KEY),
        SENSORS,
        _executor,
        30.0,
        ScoredAnswers(
            StateCache(world.model_storage, fleet.state_object(LAKE)),
            StateCache(world.model_storage, trends.state_object(LAKE)),
            models,
            failures,
            world.log,
            MAX_AGE,
        ),
        operators=operators,
    )

"""A prediction is computed once for the same rows, model and failures."""

from datetime import timedelta
from typing import Any

import pytest

from monitory.features.failure_state import FailureState
from monitory.scoring.answer import predict_response
from monitory.scoring.failure_cache import Failures
from monitory.scoring.machine_prediction import machine_prediction
from monitory_predict.cache import predictions
from monitory_predict.cache.predictions import PredictionCache
from tests.support.models import SENSORS
from tests.support.predicting import NOW, V1, V2, World
from tests.support.samples import MACHINE


@pytest.fixture
def world() -> World:
    made = World()
    made.write_hours(range(1, 30))
    made.promote(V1)
    return made


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Grows by one with each prediction that is computed."""
    calls: list[Any] = []

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return machine_prediction(*arguments)

    monkeypatch.setattr(predictions, "machine_prediction", counted)
    return calls


def test_nothing_new_is_computed_once_and_answered_alike(world: World, computed: list[Any]) -> None:
    first, second = (predict_response(world.service.predict(MACHINE, NOW)) for _ in range(2))
    assert len(computed) == 1
    assert second == first
    fresh = PredictionCache(SENSORS).predict(*computed[0][:4])
    assert predict_response(fresh) == first


def test_later_the_same_prediction_has_the_present_age(world: World, computed: list[Any]) -> None:
    first = world.service.predict(MACHINE, NOW)
    later = world.service.predict(MACHINE, NOW + timedelta(minutes=10))
    assert len(computed) == 1
    assert later.history.age - first.history.age == timedelta(minutes=10)


def test_a_new_object_a_changed_one_and_a_new_model_are_computed(world: World, computed: list[Any]) -> None:
    world.service.predict(MACHINE, NOW)
    world.write(NOW)
    world.service.predict(MACHINE, NOW)
    assert len(computed) == 2
    world.write(NOW - timedelta(hours=5), value=lambda n: 60.0 + n)
    world.service.predict(MACHINE, NOW)
    assert len(computed) == 3
    world.promote(V2, seed=1)
    assert world.service.predict(MACHINE, NOW).current.served is not computed[0][2].served
    assert len(computed) == 4


def test_other_failures_are_computed(world: World, computed: list[Any]) -> None:
    world.service.predict(MACHINE, NOW)
    machine, history, current, _, *_ = computed[0]
    cache = PredictionCache(SENSORS)
    cache.predict(machine, history, current, Failures())
    failed = Failures(state=FailureState(last={str(MACHINE): history.newest.hour - 3}))
    cache.predict(machine, history, current, failed)
    cache.predict(machine, history, current, failed)
    assert len(computed) == 3


def test_what_is_said_of_late_readings_is_said_anew(world: World, computed: list[Any]) -> None:
    late = NOW + timedelta(hours=2)
    warnings = [
        world.service.predict(MACHINE, late + timedelta(minutes=minutes)).prediction.warnings for minutes in (0, 5)
    ]
    assert len(computed) == 2
    assert warnings[0] != warnings[1]

"""The date to replace by, in answers, the prediction log and the fleet."""

import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from starlette.testclient import TestClient

from monitory import clock
from monitory.errors import SettingsError
from monitory.features import failure_state
from monitory.features.failure_state import FailureState
from monitory.model.distribution import Distribution, SurvivalCurve
from monitory.scoring.replacement import StopCosts, best_replacement
from monitory.settings import PredictSettings, ScoreSettings
from monitory_predict.bootstrap import start
from monitory_score import bootstrap as score_bootstrap
from monitory_score.machine_scorer import MachineScorer
from tests.support.models import card
from tests.support.predicting import NOW, V1, World
from tests.support.samples import MACHINE
from tests.support.scoring import log_lines, new_run, predicting

PREDICT = "/api/v1/predict?zoneId=ZONE-001&equipId=EQUIP-001"
COSTS = StopCosts(1.0, 10.0)
DAYS = tuple(day / 4 for day in range(121))
WEARS = Distribution(0.9, DAYS, (SurvivalCurve(10.0, tuple(math.exp(-((day / 8) ** 4)) for day in DAYS)),))
NEWEST = clock.hour_of(clock.naive(NOW)) - 1
AGE_HOURS = 72


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    made = World()
    for age in range(1, 30):
        made.write(NOW - timedelta(hours=age), every_seconds=1800)  # too few to tell that it draws no power
    made.promote(V1, made=card(V1, distribution=WEARS))
    failure_state.write(made.model_storage, FailureState(last={str(MACHINE): NEWEST - AGE_HOURS}))
    made.service.costs = COSTS
    return made


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with TestClient(world.app()) as made:
        yield made


def test_the_date_is_the_best_time_of_this_machine_from_its_newest_reading(client: TestClient) -> None:
    answer = client.get(PREDICT).json()
    best = best_replacement(WEARS, answer["predictions"][0], AGE_HOURS / 24, COSTS)
    assert best is not None
    as_of = datetime.fromisoformat(answer["as_of"])
    assert datetime.fromisoformat(answer["replace_by"]) == as_of + timedelta(days=best.days)
    assert answer["replace_saving"] == round(best.saving, 4) > 0


def test_without_costs_the_answer_is_to_the_letter_what_it_was(client: TestClient, world: World) -> None:
    planned = client.get(PREDICT).text
    world.service.costs = None
    plain = client.get(PREDICT).text
    assert "replace" not in plain
    without = {name: value for name, value in json.loads(planned).items() if not name.startswith("replace_")}
    assert json.loads(plain) == without
    assert list(json.loads(plain)) == list(without)


def test_a_machine_whose_last_stop_is_unknown_gets_no_date(client: TestClient, world: World) -> None:
    stored = failure_state.read(world.model_storage)
    failure_state.write(world.model_storage, FailureState(), replaces=stored.etag)
    assert "replace_by" not in client.get(PREDICT).json()


def test_a_machine_that_fails_gets_no_date(client: TestClient, world: World) -> None:
    world.lake_storage.put("log", b'{"equipId":"EQUIP-001","time":"2026-11-20T10:00:00","end":"2026-11-21T10:00:00"}')
    stored = failure_state.read(world.model_storage)
    state = FailureState(last=stored.state.last, log_key="log")
    failure_state.write(world.model_storage, state, replaces=stored.etag)
    answer = client.get(PREDICT).json()
    assert answer["state"] == "failing"
    assert "replace_by" not in answer


def test_a_model_without_survival_curves_plans_nothing(client: TestClient, world: World) -> None:
    world.promote("2026/11/21/150312", seed=1)
    assert "replace_by" not in client.get(PREDICT).json()


def test_the_log_and_the_fleet_have_the_date(world: World) -> None:
    run = new_run(world)
    scorer = run._scorer
    assert isinstance(scorer, MachineScorer)
    scorer._costs = COSTS
    run.score(NOW, lambda: True)
    *_, newest = log_lines(world.model_storage)
    world.service = predicting(world)
    with TestClient(world.app()) as client:
        (machine,) = client.get("/api/v1/fleet").json()["machines"]
        answer = client.get(PREDICT).json()
    assert machine["replace_by"] == newest["replace_by"] == answer["replace_by"]
    assert machine["replace_saving"] == newest["replace_saving"] == answer["replace_saving"]


@pytest.mark.parametrize(("planned", "unplanned"), [(5.0, 0.0), (5.0, 4.0)])
def test_costs_that_contradict_each_other_end_the_start(planned: float, unplanned: float) -> None:
    with pytest.raises(SettingsError, match="STOP_COST"):
        start(PredictSettings(planned_stop_cost=planned, unplanned_stop_cost=unplanned))
    with pytest.raises(SettingsError, match="STOP_COST"):
        score_bootstrap.build_run(ScoreSettings(planned_stop_cost=planned, unplanned_stop_cost=unplanned))

"""Predict beside the score function: what it answers without computing, and what it does when more is there."""

import json
from datetime import datetime, timedelta

import pytest

from monitory.errors import InvalidIdentifier, NoData, StaleData, StorageUnavailable
from monitory.features import failure_state
from monitory.features.failure_state import FailureState
from monitory.machine import Machine
from monitory.scoring import failure_cache, fleet
from monitory_predict.cache import scored_answers
from monitory_predict.factory_service import FactoryService
from monitory_predict.service import PredictService
from monitory_predict.views.fleet_page import FleetQuery
from monitory_predict.views.fleet_view import State
from tests.support.fakes import down
from tests.support.predicting import NOW, V1, V2, World
from tests.support.samples import MACHINE, lake_key
from tests.support.scoring import LAKE, predicting, score

HOUR = timedelta(hours=1)
LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def world() -> World:
    made = World()
    made.write_hours(range(1, 30))
    made.promote(V1)
    score(made)
    return made


@pytest.fixture
def service(world: World) -> PredictService:
    made = predicting(world)
    made.answer(MACHINE, NOW)
    world.reset_calls()
    return made


def computed(world: World, now: object = LATER) -> object:
    """The answer of a service without scoring that knows nothing."""
    fresh = World()
    fresh.lake_storage.objects = world.lake_storage.objects
    fresh.model_storage.objects = {
        key: blob for key, blob in world.model_storage.objects.items() if key.startswith(("models/", "promotions/"))
    }
    return fresh.service.answer(MACHINE, now).response  # type: ignore[arg-type]


def test_a_covered_request_costs_one_conditional_read_and_one_listing(world: World, service: PredictService) -> None:
    answer = service.answer(MACHINE, LATER)
    assert answer.response == computed(world)
    assert world.model_storage.calls == {"get": 1}
    assert world.lake_storage.calls == {"list": 1}


def test_the_newest_objects_key_saves_the_listing(world: World, service: PredictService) -> None:
    key = lake_key((NOW - HOUR).date(), f"{NOW - HOUR:%H}")
    assert service.answer(MACHINE, LATER, key).response == computed(world)
    assert world.model_storage.calls == {"get": 1}
    assert world.lake_storage.calls == {}


def test_an_age_and_what_comes_of_it_are_those_of_the_moment(world: World, service: PredictService) -> None:
    late = NOW + timedelta(minutes=110)
    response = service.answer(MACHINE, late).response
    assert response == computed(world, late)
    assert response.data_age_minutes > 125
    assert any("the newest reading is" in warning for warning in response.warnings)
    with pytest.raises(StaleData, match=r"the newest reading of ZONE-001/EQUIP-001 is 3 h 25 min old"):
        service.answer(MACHINE, NOW + 3 * HOUR)


def test_a_newer_object_is_computed_with_and_nothing_is_written(world: World, service: PredictService) -> None:
    world.write(NOW)
    world.reset_calls()
    now = NOW + HOUR
    assert service.answer(MACHINE, now).response == computed(world, now)
    assert world.model_storage.calls["put"] == 0
    assert world.lake_storage.calls == {"list": 1, "get": 1}
    world.reset_calls()
    service.answer(MACHINE, now)
    assert world.lake_storage.calls == {"list": 1}, "the rows are in memory"
    score(world, now)
    world.reset_calls()
    assert service.answer(MACHINE, now).response == computed(world, now)
    assert world.model_storage.calls == {"get": 1}


def test_a_newer_objects_key_costs_no_listing(world: World, service: PredictService) -> None:
    key = world.write(NOW)
    world.reset_calls()
    now = NOW + HOUR
    assert service.answer(MACHINE, now, key).response == computed(world, now)
    assert world.model_storage.calls["put"] == 0
    assert world.lake_storage.calls == {"get": 1}


def test_a_key_behind_a_gap_is_answered_from_a_listing(world: World, service: PredictService) -> None:
    world.write(NOW)
    key = world.write(NOW + HOUR)
    now = NOW + 2 * HOUR
    assert service.answer(MACHINE, now, key).response == computed(world, now)
    assert world.lake_storage.calls["list"] == 1


@pytest.mark.parametrize(
    "key",
    [
        "EQUIPMENT/date=2026-11-20/zone_id=ZONE-001/equip_id=EQUIP-002/equip-1-0.json",
        "EQUIPMENT/date=2026-11-20/zone_id=ZONE-001/equip_id=EQUIP-001/../equip_id=EQUIP-002/equip-1-0.json",
        "EQUIPMENT/date=2026-11-20/zone_id=ZONE-001/equip_id=EQUIP-001/_SUCCESS",
        "EQUIPMENT/date=2026-13-20/zone_id=ZONE-001/equip_id=EQUIP-001/equip-1-0.json",
        "EQUIPMENT/date%3D2026-11-20/zone_id%3DZONE-001/equip_id%3DEQUIP-001/equip-1-0.json",
        "date=2026-11-20/zone_id=ZONE-001/equip_id=EQUIP-001/equip-1-0.json",
        "state/failures.json",
    ],
)
def test_a_key_of_anything_else_is_refused(world: World, service: PredictService, key: str) -> None:
    with pytest.raises(InvalidIdentifier, match="key must be that of an object of ZONE-001/EQUIP-001"):
        service.answer(MACHINE, LATER, key)
    assert world.lake_storage.calls == {}


def test_a_key_that_is_gone_is_answered_from_a_listing(world: World, service: PredictService) -> None:
    key = lake_key(NOW.date(), "gone")
    assert service.answer(MACHINE, LATER, key).response == computed(world)


def test_another_model_answers_within_a_minute(
    world: World, service: PredictService, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.promote(V2, seed=1)
    assert service.answer(MACHINE, LATER).response.model.version == V1
    monkeypatch.setattr(scored_answers, "MODEL_SECONDS", -1.0)
    service.scored._model_until = 0.0  # type: ignore[union-attr]
    assert service.answer(MACHINE, LATER).response == computed(world)
    assert service.answer(MACHINE, LATER).response.model.version == V2


def test_a_failure_that_is_reported_is_told_before_the_next_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_cache, "LOG_SECONDS", -1.0)
    failure_state.write(world.model_storage, FailureState(log_key="failures.ndjson"))
    world.lake_storage.put("failures.ndjson", b'{"equipId":"EQUIP-404","time":"2026-11-01T00:00:00"}')
    score(world)
    service = predicting(world)
    assert service.answer(MACHINE, LATER).response.state != "failing"
    world.lake_storage.put("failures.ndjson", _entry(MACHINE, NOW - 2 * HOUR))
    response = service.answer(MACHINE, LATER).response
    assert (response.state, response.predictions) == ("failing", [0.0])
    score(world, LATER)
    world.reset_calls()
    assert service.answer(MACHINE, LATER).response.state == "failing"
    assert world.lake_storage.calls == {"list": 1, "get": 1}, "the listing and the log: it is read, not computed"


def _entry(machine: Machine, start: datetime) -> bytes:
    entry = {"zoneId": machine.zone_id, "equipId": machine.equip_id, "kind": "failure", "start": start.isoformat()}
    return json.dumps(entry).encode()


@pytest.mark.parametrize("body", [b"damaged", b""])
def test_a_state_that_is_damaged_costs_a_computation(world: World, body: bytes) -> None:
    world.model_storage.put(fleet.state_object(LAKE).key, body)
    assert predicting(world).answer(MACHINE, LATER).response == computed(world)


def test_a_state_that_cannot_be_read_costs_a_computation(world: World, service: PredictService) -> None:
    world.model_storage.before = lambda verb, key: down(verb, key) if key == fleet.state_object(LAKE).key else None
    assert service.answer(MACHINE, LATER).response == computed(world)


def test_a_machine_that_there_is_not_is_refused_as_ever(service: PredictService) -> None:
    with pytest.raises(NoData, match="in the last 30 days"):
        service.answer(Machine("ZONE-001", "EQUIP-404"), LATER)


def fill_fleet(world: World) -> None:
    """Machines beside the first: one in another zone, one that fell silent, one without a usable object."""
    world.write(NOW, machine=Machine("ZONE-002", "EQUIP-001"))
    world.write(NOW - 6 * HOUR, machine=Machine("ZONE-002", "EQUIP-SILENT"))
    world.lake_storage.put(lake_key(NOW.date(), "bad", Machine("ZONE-002", "EQUIP-BAD")), b"no,such\n1,2\n")
    world.write(NOW)
    score(world, NOW + HOUR)


def test_the_fleet_lists_every_machine_in_one_read(world: World, service: PredictService) -> None:
    fill_fleet(world)
    world.reset_calls()
    page = FactoryService(service).fleet(FleetQuery(), NOW + HOUR)
    states = {f"{machine.zone_id}/{machine.equip_id}": machine.state for machine in page.machines}
    assert set(states) == {"ZONE-001/EQUIP-001", "ZONE-002/EQUIP-001", "ZONE-002/EQUIP-SILENT", "ZONE-002/EQUIP-BAD"}
    assert list(states)[2:] == ["ZONE-002/EQUIP-SILENT", "ZONE-002/EQUIP-BAD"]
    assert (states["ZONE-002/EQUIP-SILENT"], states["ZONE-002/EQUIP-BAD"]) == ("silent", "unscored")
    assert "no readings" in page.machines[3].problem
    days = [machine.rul_days for machine in page.machines[:2]]
    assert days == sorted(days, key=lambda value: value or 0.0)
    assert (page.total, page.next_offset) == (4, None)
    assert world.model_storage.calls == {"get": 1}
    assert world.lake_storage.calls == {}


@pytest.mark.parametrize(
    ("zone_id", "state", "names"),
    [
        ("ZONE-001", None, {"EQUIP-001"}),
        ("ZONE-002", None, {"EQUIP-001", "EQUIP-SILENT", "EQUIP-BAD"}),
        (None, "silent", {"EQUIP-SILENT"}),
        ("ZONE-001", "unscored", set()),
    ],
)
def test_the_fleet_is_filtered(
    world: World, service: PredictService, zone_id: str | None, state: State | None, names: set[str]
) -> None:
    fill_fleet(world)
    page = FactoryService(service).fleet(FleetQuery(zone_id, state), NOW + HOUR)
    assert {machine.equip_id for machine in page.machines} == names


def test_pages_of_the_fleet_hold_each_machine_once(world: World, service: PredictService) -> None:
    fill_fleet(world)
    names = []
    offset: int | None = 0
    while offset is not None:
        page = FactoryService(service).fleet(FleetQuery(limit=3, offset=offset), NOW + HOUR)
        names += [f"{machine.zone_id}/{machine.equip_id}" for machine in page.machines]
        offset = page.next_offset
    assert len(names) == len(set(names)) == 4


def test_without_a_state_there_is_no_fleet(world: World) -> None:
    empty = World()
    with pytest.raises(NoData, match="no machine has been scored yet"):
        FactoryService(predicting(empty)).fleet(FleetQuery(), NOW)
    with pytest.raises(NoData, match="scoring is switched off"):
        FactoryService(empty.service).fleet(FleetQuery(), NOW)


def test_a_state_that_cannot_be_read_is_not_taken_for_none(world: World) -> None:
    factory = FactoryService(predicting(world))
    world.model_storage.before = down
    with pytest.raises(StorageUnavailable):
        factory.fleet(FleetQuery(), NOW)
    with pytest.raises(StorageUnavailable):
        factory.machine(MACHINE, NOW)

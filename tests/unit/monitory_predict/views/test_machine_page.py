"""A machine's page through the API, beside the score function."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from monitory import clock
from monitory.alerts.case import Case, Cause, MachineAlerts, Outcome, Status
from monitory.alerts.store import AlertState, update
from monitory.features import failure_state
from monitory.features.failure_state import FailureState
from monitory.features.hour_row import Columns
from monitory.logbook import records
from monitory.logbook.records import Record
from monitory.machine import Machine
from monitory.model.card import Card
from monitory.scoring import trends
from monitory.scoring.trends import TrendPoint
from monitory_predict.api.routes import create_app
from monitory_predict.factory_service import FactoryService
from monitory_predict.telemetry import NoTelemetry
from monitory_predict.views.machine_page import MOST_RECORDS
from tests.support.fakes import down
from tests.support.models import SENSORS, card
from tests.support.predicting import NOW, V1, World
from tests.support.samples import MACHINE
from tests.support.scoring import LAKE, predicting, score

PAGE = f"/api/v1/machines/{MACHINE.zone_id}/{MACHINE.equip_id}"
HOUR = timedelta(hours=1)
NEWEST = clock.hour_of(NOW) - 1
RANGES = {"vibration": (1.0, 3.4), "temperature": (60.0, 81.0)}


def factory(made: Card | None = None) -> World:
    world = World()
    for age in range(1, 80):
        world.write(NOW - age * HOUR, every_seconds=1800)  # too few to tell that it draws no power
    world.promote(V1, made=made or card(V1, hourly_means=RANGES))
    score(world)
    return world


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return factory()


def client_of(world: World) -> TestClient:
    return TestClient(create_app(predicting(world), world.log, NoTelemetry()), raise_server_exceptions=False)


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with client_of(world) as made:
        yield made


def page(client: TestClient) -> dict[str, Any]:
    answer = client.get(PAGE)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def write_record(world: World, kind: str, ago: timedelta, number: int = 1, **others: Any) -> None:
    moment = NOW - ago
    records.add(
        world.model_storage,
        Record(f"r-{number:03}", moment.astimezone(UTC), "operator", *MACHINE, kind, moment.isoformat(), **others),
    )


def utc(hour: int) -> str:
    return clock.hour_start(hour).astimezone(UTC).isoformat().replace("+00:00", "Z")


def test_a_page_names_its_machine_the_limits_and_the_cap(client: TestClient) -> None:
    body = page(client)
    assert (body["status"], body["zoneId"], body["equipId"]) == ("ok", *MACHINE)
    assert (body["limits_days"], body["cap_days"]) == ([5.0, 3.0], 30.0)


def test_the_trend_is_that_of_30_days_with_its_drivers(world: World, client: TestClient) -> None:
    old = [TrendPoint(NEWEST - 31 * 24, 20.0), TrendPoint(NEWEST - 29 * 24, 9.5, 7.0, None, "vibration", -3.25)]
    trends.add(world.model_storage, LAKE, {str(MACHINE): old}, NEWEST - 28 * 24)
    body = page(client)
    assert body["trend"][0] == {
        "at": utc(NEWEST - 29 * 24 + 1),
        "rul_days": 9.5,
        "low": 7.0,
        "high": None,
        "driver": "vibration",
        "driver_days": -3.25,
    }
    newest = client.get("/api/v1/fleet").json()["machines"][0]
    last = body["trend"][-1]
    assert abs(last["rul_days"] - newest["rul_days"]) < 0.01
    assert last["at"] <= utc(NEWEST + 1)
    assert (last["low"], last["driver"]) == (newest["interval"]["low"], newest["driver"])


def test_sensors_have_their_last_72_hours_and_what_training_saw(world: World, client: TestClient) -> None:
    body = page(client)
    assert [one["sensor"] for one in body["sensors"]] == list(SENSORS.names)
    of_vibration = body["sensors"][SENSORS.names.index("vibration")]
    assert of_vibration["training"] == {"low": 1.0, "high": 3.4}
    assert body["sensors"][SENSORS.names.index("pressure")]["training"] is None
    hours = of_vibration["hours"]
    assert len(hours) == 72
    assert (hours[0]["at"], hours[-1]["at"]) == (utc(NEWEST - 71), utc(NEWEST))
    (row,) = [row for row in world.new_rows().stored_rows(MACHINE, NOW) if row.hour == NEWEST]
    columns = Columns(SENSORS)
    assert {name: hours[-1][name] for name in ("mean", "min", "max")} == {
        name: row.values[columns.index("vibration", name)] for name in ("mean", "min", "max")
    }


def test_a_silent_sensor_and_a_missing_hour_leave_gaps(world: World) -> None:
    world.write(NOW + HOUR, sensors=["temp"])
    score(world, NOW + 2 * HOUR)
    answering = FactoryService(predicting(world))
    body = answering.machine(MACHINE, NOW + 2 * HOUR)
    hours = {one.sensor: [hour.at for hour in one.hours] for one in body.sensors}
    assert hours["temperature"][-1] - hours["temperature"][-2] == 2 * HOUR
    assert hours["vibration"][-1] == hours["temperature"][-2]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(card(V1, ranges={"vibration": (0.5, 4.0)}), {"low": 0.5, "high": 4.0}, id="the mean is a feature"),
        pytest.param(card(V1), None, id="it is none"),
    ],
)
def test_a_card_of_an_older_version_has_the_range_where_the_mean_is_a_feature(
    monkeypatch: pytest.MonkeyPatch, made: Card, expected: dict[str, float] | None
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    with client_of(factory(made)) as client:
        assert page(client)["sensors"][SENSORS.names.index("vibration")]["training"] == expected


def test_runs_are_told_by_the_log_and_by_records_that_were_written_just_now(world: World) -> None:
    entry = f'{{"equipId":"EQUIP-001","start":"{NOW - 60 * HOUR:%Y-%m-%dT%H:00:00}","failureMode":"bearing"}}'
    world.lake_storage.put("log.ndjson", entry.encode())
    failure_state.write(world.model_storage, FailureState(log_key="log.ndjson"))
    failed = NEWEST + 1 - 60
    points = [TrendPoint(hour, 3.0, 1.5, 4.5) for hour in range(failed - 200, NEWEST, 6)]
    trends.add(world.model_storage, LAKE, {str(MACHINE): points}, NEWEST)
    with client_of(world) as client:
        running, before = page(client)["runs"]
        assert (running["began_at"], running["ended_at"], running["end"]) == (utc(failed + 1), None, None)
        assert (before["began_at"], before["ended_at"]) == (None, utc(failed))
        assert (before["end"], before["failure_mode"]) == ("failure", "bearing")
        assert [one["days_before"] for one in before["predicted"]] == [7, 3, 1]
        assert before["predicted"][0]["low"] == 1.5
        write_record(world, "maintenance", 2 * HOUR)
        newest, *others = page(client)["runs"]
        assert newest["began_at"] == utc(NEWEST)
        assert (others[0]["began_at"], others[0]["ended_at"]) == (utc(failed + 1), utc(NEWEST - 1))
        assert others[0]["end"] == "maintenance"


def test_a_log_that_cannot_be_read_is_no_log_without_failures(world: World) -> None:
    failure_state.write(world.model_storage, FailureState(log_key="log.ndjson", last={str(MACHINE): NEWEST - 40}))
    with client_of(world) as client:
        running, before = page(client)["runs"]
    assert running["began_at"] == utc(NEWEST - 39)
    assert (before["ended_at"], before["end"]) == (utc(NEWEST - 40), None)


def test_records_are_those_of_the_machine_the_newest_first(world: World, client: TestClient) -> None:
    write_record(world, "seen", 3 * HOUR, 1, note="loud")
    records.update_index(world.model_storage)
    write_record(world, "planned", 1 * HOUR, 2)
    other = Record("x", NOW.astimezone(UTC), "operator", "ZONE-001", "EQUIP-002", "seen", NOW.isoformat())
    records.add(world.model_storage, other)
    body = page(client)
    assert [one["id"] for one in body["records"]] == ["r-002", "r-001"]
    assert body["records"][1] == {
        "id": "r-001",
        "at": "2026-11-20T00:20:00Z",
        "by": "operator",
        "zoneId": MACHINE.zone_id,
        "equipId": MACHINE.equip_id,
        "kind": "seen",
        "start": (NOW - 3 * HOUR).isoformat(),
        "end": None,
        "failureMode": "",
        "note": "loud",
    }
    for number in range(3, MOST_RECORDS + 5):
        write_record(world, "seen", timedelta(minutes=10), number)
    assert len(page(client)["records"]) == MOST_RECORDS


def case(number: int, status: Status, opened: datetime) -> Case:
    closed = {"closed_at": opened + HOUR, "outcome": Outcome.CLEARED} if status is Status.CLOSED else {}
    return Case(f"c-{number}", *MACHINE, Cause.WEAR, 1, status, opened, opened, NEWEST - 5, **closed)  # type: ignore[arg-type]


def test_cases_are_those_of_the_machine_closed_ones_too_as_records_left_them(world: World, client: TestClient) -> None:
    opened = case(2, Status.OPEN, NOW - 5 * HOUR)
    alerts = MachineAlerts(newest=NEWEST, wear=opened, past=(case(1, Status.CLOSED, NOW - 200 * HOUR),))
    update(world.model_storage, LAKE, lambda state: (AlertState({**state.machines, str(MACHINE): alerts}), None))
    cases = page(client)["cases"]
    assert [(one["id"], one["status"]) for one in cases] == [("c-2", "open"), ("c-1", "closed")]
    write_record(world, "maintenance", HOUR)
    cases = page(client)["cases"]
    assert [(one["id"], one["status"]) for one in cases] == [("c-2", "closed"), ("c-1", "closed")]
    assert cases[0]["outcome"] == "maintenance"


def test_a_machine_that_is_in_no_fleet_state_is_not_found(client: TestClient, world: World) -> None:
    answer = client.get("/api/v1/machines/ZONE-001/EQUIP-404")
    assert answer.status_code == 404
    assert "ZONE-001/EQUIP-404 is not in the fleet state" in answer.json()["detail"]
    with TestClient(world.app()) as without_scoring:
        assert without_scoring.get(PAGE).status_code == 404


@pytest.mark.parametrize("body", [None, b"damaged"])
def test_a_page_without_its_trend_rows_or_model_is_still_of_use(
    monkeypatch: pytest.MonkeyPatch, body: bytes | None
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    world = factory()
    for key in list(world.model_storage.objects):
        if key.startswith(("cache/", trends.FOLDER, "models/")):
            del world.model_storage.objects[key]
            if body:
                world.model_storage.put(key, body)
    with client_of(world) as client:
        answer = page(client)
    assert (answer["cap_days"], answer["trend"], answer["runs"]) == (None, [], [])
    assert {len(one["hours"]) for one in answer["sensors"]} == {0}


def test_a_store_that_fails_at_the_cases_is_told(world: World) -> None:
    with client_of(world) as client:
        page(client)
        world.model_storage.before = lambda verb, key: down(verb, key) if key.startswith("state/cases/") else None
        answer = client.get(PAGE)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


def test_a_page_costs_a_handful_of_reads_and_nothing_of_the_lake(world: World) -> None:
    answering = FactoryService(predicting(world))
    answering.machine(MACHINE, NOW)
    world.reset_calls()
    answering.machine(MACHINE, NOW)
    assert world.lake_storage.calls == {}
    # fleet, trends, rows, cases, index of records; the machine's records
    assert world.model_storage.calls == {"get": 5, "list": 1}


def test_a_twin_in_another_zone_has_a_page_of_its_own(world: World) -> None:
    twin = Machine("ZONE-002", MACHINE.equip_id)
    world.write(NOW - HOUR, machine=twin)
    score(world, NOW + timedelta(minutes=5))
    write_record(world, "seen", HOUR)
    answering = FactoryService(predicting(world))
    assert answering.machine(twin, NOW).records == []
    assert len(answering.machine(MACHINE, NOW).records) == 1

"""The fleet on a page: levels, counters, search, changes and trends."""

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
import pytest

from monitory import clock
from monitory.scoring import fleet
from monitory.scoring.fleet import FleetState, HourAnswer, MachineState
from monitory.scoring.trends import TrendPoint, Trends
from monitory_predict.views.fleet_page import FleetQuery, fleet_page
from monitory_predict.views.fleet_view import FleetCounts, FleetMachine, FleetResponse, Level, State

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=clock.KST)
NEWEST = clock.hour_of(NOW) - 1
MAX_AGE = timedelta(hours=3)


def stored(
    days: float = 20.0,
    low: float | None = None,
    state: str = "ok",
    age: timedelta = timedelta(minutes=20),
    drivers: tuple[tuple[str, float], ...] = (),
    recent: tuple[HourAnswer, ...] = (),
) -> MachineState:
    answer = {
        "as_of": (NOW - age).astimezone(UTC),
        "predictions": [days],
        "state": state,
        "model": {"version": "2026/11/20/150312"},
        "interval": None if low is None else {"low": low, "high": None, "coverage": 0.9},
        "drivers": [{"sensor": sensor, "days": added} for sensor, added in drivers],
    }
    return MachineState(hour=NEWEST, answer=msgspec.Raw(msgspec.json.encode(answer)), recent=recent)


def state_of(machines: dict[str, MachineState], **others: tuple[float, ...]) -> FleetState:
    raw = {name: msgspec.Raw(msgspec.json.encode(one)) for name, one in machines.items()}
    return FleetState(since=1, scored_at=NOW, machines=raw, **others)  # type: ignore[arg-type]


def page(machines: dict[str, MachineState], query: FleetQuery | None = None, **others: object) -> FleetResponse:
    return fleet_page(state_of(machines), query or FleetQuery(), NOW, MAX_AGE, **others)  # type: ignore[arg-type]


def only(machine: MachineState, trends: Trends | None = None) -> FleetMachine:
    (one,) = page({"Z/A": machine}, trends=trends).machines
    return one


FACTORY = {
    "ZONE-001/FAILING": stored(0.0, 0.0, "failing"),
    "ZONE-001/ACT": stored(2.0, 1.0),
    "ZONE-001/PLAN": stored(4.5, 2.0),
    "ZONE-002/WATCH": stored(9.0, 4.0),
    "ZONE-002/FINE": stored(22.0, 15.0),
    "ZONE-002/SILENT": stored(2.0, 1.0, age=timedelta(hours=4)),
    "ZONE-003/UNSCORED": MachineState(hour=NEWEST, problem="no model can be served"),
}


@pytest.mark.parametrize(
    ("machine", "level"),
    [
        (stored(0.0, 0.0, "failing"), "failing"),
        (stored(3.0, 1.0), "act"),
        (stored(3.01, 1.0), "plan"),
        (stored(5.0, None), "plan"),
        (stored(5.01, 5.0), "watch"),
        (stored(5.01, 5.01), "fine"),
        (stored(5.01, None), "fine"),
        (stored(2.0, 1.0, "degraded"), "act"),
        (stored(2.0, 1.0, "failing", timedelta(hours=4)), "none"),
        (MachineState(), "none"),
    ],
)
def test_a_level_is_by_state_rul_and_interval(machine: MachineState, level: Level) -> None:
    assert only(machine).level == level


def test_levels_are_by_the_limits_of_the_alerts_that_scoring_left() -> None:
    state = state_of({"Z/A": stored(6.5, 3.0)}, limits_days=(7.0, 2.0))
    answer = fleet_page(state, FleetQuery(), NOW, MAX_AGE)
    assert (answer.limits_days, answer.machines[0].level) == ([7.0, 2.0], "plan")
    assert page({"Z/A": stored(6.5, 5.5)}).limits_days == [5.0, 3.0], "of an older version"


@pytest.mark.parametrize(
    ("query", "counts", "names"),
    [
        (FleetQuery(), FleetCounts(failing=1, act=1, plan=1, watch=1, fine=1, none=2), set(FACTORY)),
        (FleetQuery(level="act"), FleetCounts(failing=1, act=1, plan=1, watch=1, fine=1, none=2), {"ZONE-001/ACT"}),
        (
            FleetQuery(level="none", state="silent"),
            FleetCounts(failing=1, act=1, plan=1, watch=1, fine=1, none=2),
            {"ZONE-002/SILENT"},
        ),
        (FleetQuery("ZONE-001", level="fine"), FleetCounts(failing=1, act=1, plan=1), set()),
        (FleetQuery(text="fi"), FleetCounts(fine=1), {"ZONE-002/FINE"}),
        (FleetQuery(text="one-003"), FleetCounts(none=1), {"ZONE-003/UNSCORED"}),
        (FleetQuery("ZONE-001", text="a", level="act"), FleetCounts(failing=1, act=1, plan=1), {"ZONE-001/ACT"}),
        (FleetQuery(text="001/ACT"), FleetCounts(), set()),
    ],
)
def test_counts_are_of_zone_and_text_and_the_page_of_level_and_state_too(
    query: FleetQuery, counts: FleetCounts, names: set[str]
) -> None:
    answer = page(FACTORY, query)
    assert answer.counts == counts
    assert {f"{one.zone_id}/{one.equip_id}" for one in answer.machines} == names
    assert answer.total == len(names)
    assert answer.zones == ["ZONE-001", "ZONE-002", "ZONE-003"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("text", ["프레스", "press é", "PRESS É"])
def test_text_is_found_in_whatever_case_and_form_it_is_typed(text: str, form: Literal["NFC", "NFD"]) -> None:
    query = FleetQuery(text=unicodedata.normalize(form, text))
    assert page({"1공장/프레스 Press É": stored(), "1공장/B": stored()}, query).total == 1


def test_the_change_is_against_the_hour_a_day_before_the_newest() -> None:
    day = tuple(HourAnswer(NEWEST - back, 10.0 + back / 10, "ok") for back in range(24, -1, -1))
    assert only(stored(9.25, recent=day)).change_24h == -3.15
    assert only(stored(9.25, recent=day[1:])).change_24h is None
    assert only(MachineState(recent=day)).change_24h is None


def test_a_state_of_an_older_version_goes_on_working() -> None:
    former = msgspec.json.decode(msgspec.json.encode(FACTORY["ZONE-001/ACT"]))
    assert "points" not in former
    before = {"since": 1, "scored_at": NOW.isoformat(), "days": {}, "machines": {"ZONE-001/ACT": former}}
    state = msgspec.json.decode(msgspec.json.encode(before), type=FleetState)
    (machine,) = fleet_page(state, FleetQuery(with_trend=True), NOW, MAX_AGE, None, Trends()).machines
    assert (machine.level, machine.trend, machine.change_24h) == ("act", [], None)


def test_the_state_keeps_the_hour_a_day_before_the_newest() -> None:
    kept = fleet.recent_hours(HourAnswer(NEWEST - back, 10.0, "ok") for back in range(40))
    assert (kept[0].hour, kept[-1].hour) == (NEWEST - 24, NEWEST)


def test_drivers_are_the_two_that_shorten_most() -> None:
    drivers = (("vibration", -6.0), ("pressure", 4.0), ("temperature", -2.0), ("humidity", -1.0))
    machine = only(stored(drivers=drivers))
    assert [(one.sensor, one.days) for one in machine.drivers] == [("vibration", -6.0), ("temperature", -2.0)]
    assert machine.driver == "vibration"
    assert only(stored(drivers=(("pressure", 4.0),))).drivers == []


def test_a_trend_is_that_of_seven_days_and_only_where_it_is_asked_for() -> None:
    points = [TrendPoint(NEWEST - back, 9.0, 6.0, None) for back in (7 * 24, 7 * 24 - 1, 6, 0)]
    trends = Trends({"Z/A": msgspec.Raw(msgspec.json.encode(points))})
    machine = only(stored(), trends=trends)
    assert machine.trend is not None
    assert [one.at for one in machine.trend] == [clock.hour_start(NEWEST - back + 1) for back in (7 * 24 - 1, 6, 0)]
    assert (machine.trend[0].rul_days, machine.trend[0].low, machine.trend[0].high) == (9.0, 6.0, None)
    assert "trend" not in only(stored()).model_dump()
    assert only(MachineState(hour=NEWEST), trends=trends).trend, "a machine without an answer has one, too"


@pytest.mark.parametrize("state", ["ok", "off", "degraded"])
def test_the_cap_is_told_where_it_is_known(state: State) -> None:
    assert page({"Z/A": stored(state=state)}, cap_days=21.5).cap_days == 21.5
    assert page({"Z/A": stored(state=state)}).cap_days is None

"""The fleet on one page: who is in it, the most urgent first. No I/O."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from monitory.alerts.rule import LIMITS_DAYS
from monitory.clock import HOURS_PER_DAY
from monitory.errors import UNDECODABLE
from monitory.machine import Machine
from monitory.scoring.answer import Interval, SensorShare
from monitory.scoring.fleet import FleetState, HourAnswer
from monitory.scoring.prediction import LATE
from monitory.scoring.trends import Trends
from monitory_predict.trend_view import FLEET_HOURS, TrendView, trend_view

State = Literal["ok", "failing", "off", "degraded", "stale", "silent", "unscored"]
Level = Literal["failing", "act", "plan", "watch", "fine", "none"]

MOST_DRIVERS = 2

_EXAMPLE: JsonDict = {
    "status": "ok",
    "scored_at": "2026-11-20T12:20:04Z",
    "total": 20,
    "counts": {"failing": 0, "act": 1, "plan": 2, "watch": 3, "fine": 14, "none": 0},
    "zones": ["ZONE-001", "ZONE-002"],
    "limits_days": [5.0, 3.0],
    "cap_days": 30.0,
    "machines": [
        {
            "zoneId": "ZONE-001",
            "equipId": "EQUIP-001",
            "state": "ok",
            "level": "plan",
            "rul_days": 4.31,
            "change_24h": -1.12,
            "interval": {"low": 2.9, "high": 6.0, "coverage": 0.9},
            "expected_failure_at": "2026-11-24T19:26:21.613655Z",
            "as_of": "2026-11-20T11:59:57.613655Z",
            "driver": "vibration",
            "drivers": [{"sensor": "vibration", "days": -5.9}, {"sensor": "temperature", "days": -0.8}],
            "failure_mode": "bearing",
            "warnings": [],
            "version": "2026/11/20/150312",
            "problem": "",
        }
    ],
    "next_offset": 1,
}


def _is_absent(value: object) -> bool:
    return value is None


class FleetMachine(BaseModel):
    """A machine of the fleet; its numbers are null until it has been scored."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    zone_id: Annotated[str, Field(alias="zoneId")]
    equip_id: Annotated[str, Field(alias="equipId")]
    state: Annotated[
        State,
        Field(description="as in predict; silent (its newest reading is too old); unscored (see problem)"),
    ]
    level: Annotated[
        Level,
        Field(
            description=(
                "failing; act, plan: the RUL is at most the second, the first of limits_days; watch: the interval "
                "reaches the first; none: silent or unscored; else fine"
            )
        ),
    ]
    rul_days: float | None = None
    change_24h: Annotated[
        float | None, Field(description="rul_days less what was predicted 24 hours before, where that was scored")
    ] = None
    interval: Interval | None = None
    expected_failure_at: datetime | None = None
    replace_by: Annotated[
        datetime | None, Field(exclude_if=_is_absent, description="as in predict; absent where there is none")
    ] = None
    replace_saving: Annotated[float | None, Field(exclude_if=_is_absent, description="as in predict")] = None
    as_of: Annotated[datetime | None, Field(description="time of its newest reading, UTC")] = None
    driver: Annotated[str | None, Field(description="the sensor that takes the most days")] = None
    drivers: Annotated[list[SensorShare], Field(description="the two sensors that take the most days, at most")] = []
    failure_mode: str | None = None
    warnings: list[str] = []
    version: Annotated[str | None, Field(description="the model's")] = None
    problem: Annotated[str, Field(description="why it could not be scored the last time; empty where it could")] = ""
    trend: Annotated[
        list[TrendView] | None,
        Field(exclude_if=_is_absent, description="of 7 days, a point in 6 hours, the oldest first; with trend=true"),
    ] = None


class FleetCounts(BaseModel):
    """Number of machines by level."""

    failing: int = 0
    act: int = 0
    plan: int = 0
    watch: int = 0
    fine: int = 0
    none: int = 0


class FleetResponse(BaseModel):
    """A page of the fleet: failing machines, then by RUL; silent and unscored ones at the end."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    status: Literal["ok"] = "ok"
    scored_at: Annotated[datetime, Field(description="when the newest run began, UTC")]
    total: Annotated[int, Field(description="machines that match, on all pages")]
    counts: Annotated[FleetCounts, Field(description="of the machines that match zoneId and q, whatever their level")]
    zones: Annotated[list[str], Field(description="all zone ids, sorted")]
    limits_days: Annotated[list[float], Field(description="at which cases are opened, and become urgent")]
    cap_days: Annotated[float | None, Field(description="of the served model; null without one")]
    machines: list[FleetMachine]
    next_offset: Annotated[int | None, Field(description="offset of the next page; null on the last one")]


class FleetQuery(NamedTuple):
    """Which machines are wanted, and how much of them; None takes all.

    Attributes:
        zone_id: of this zone.
        state: in this state.
        limit: so many on a page.
        offset: without so many before it.
        level: of this level.
        text: whose zone id or equip id contains this, whatever its case.
        with_trend: with the trend of each.
    """

    zone_id: str | None = None
    state: State | None = None
    limit: int = 50
    offset: int = 0
    level: Level | None = None
    text: str = ""
    with_trend: bool = False


class _Driver(msgspec.Struct):
    sensor: str
    days: float


class _Model(msgspec.Struct):
    version: str | None = None


class _StoredAnswer(msgspec.Struct):
    """What the page needs of a stored `PredictResponse`; decoding all of it takes ten times as long."""

    as_of: datetime
    predictions: list[float]
    state: State
    model: _Model
    interval: dict[str, float | None] | None = None
    expected_failure_at: datetime | None = None
    failure_mode: str | None = None
    replace_by: datetime | None = None
    replace_saving: float | None = None
    drivers: list[_Driver] = []
    warnings: list[str] = []


class _Stored(msgspec.Struct):
    """What the page needs of a `MachineState`; decoding all of it takes five times as long."""

    hour: int = 0
    answer: _StoredAnswer | None = None
    recent: msgspec.Raw = msgspec.Raw(b"[]")
    problem: str = ""


class _Entry(NamedTuple):
    """A machine and its state at this moment."""

    name: str
    stored: _Stored
    answer: _StoredAnswer | None
    state: State
    level: Level

    @property
    def zone_id(self) -> str:
        """The machine's zone."""
        return self.name.partition("/")[0]

    @property
    def urgency(self) -> tuple[int, float, str]:
        """Smaller is more urgent."""
        if self.answer is None:
            return 2, 0.0, self.name
        return int(self.state == "silent"), self.answer.predictions[0], self.name


def limits_of(fleet: FleetState) -> list[float]:
    """The limits of the alerts by which a fleet state was made, descending; the default ones for an older state."""
    return list(fleet.limits_days or LIMITS_DAYS)


def fleet_page(
    fleet: FleetState,
    query: FleetQuery,
    now: datetime,
    max_age: timedelta,
    cap_days: float | None = None,
    trends: Trends | None = None,
) -> FleetResponse:
    """A page of the machines that match.

    Args:
        fleet: all machines.
        query: which of them.
        now: the present, aware.
        max_age: age of a newest reading beyond which a machine is silent.
        cap_days: of the served model, where there is one.
        trends: of all machines, where they are wanted.
    """
    limits = limits_of(fleet)
    entries = list(_entries(fleet, now, max_age, limits))
    present = list(_matching(entries, query))
    wanted = [one for one in present if query.state in (None, one.state) and query.level in (None, one.level)]
    wanted.sort(key=lambda entry: entry.urgency)
    end = query.offset + query.limit
    return FleetResponse(
        scored_at=fleet.scored_at,
        total=len(wanted),
        counts=FleetCounts.model_validate(Counter(entry.level for entry in present)),
        zones=sorted({entry.zone_id for entry in entries}),
        limits_days=limits,
        cap_days=cap_days,
        machines=[_machine(entry, trends) for entry in wanted[query.offset : end]],
        next_offset=end if end < len(wanted) else None,
    )


def _entries(fleet: FleetState, now: datetime, max_age: timedelta, limits: list[float]) -> Iterator[_Entry]:
    decoder = msgspec.json.Decoder(_Stored)
    for name, raw in fleet.machines.items():
        try:
            stored = decoder.decode(raw)
        except UNDECODABLE:
            unanswered = _without_answer(fleet, name)
            if unanswered is None:
                continue
            stored = unanswered
        state = _state(stored.answer, now, max_age)
        yield _Entry(name, stored, stored.answer, state, _level(stored.answer, state, limits))


def _without_answer(fleet: FleetState, name: str) -> _Stored | None:
    """A machine whose answer is of another version of this service; None where all of its state is damaged."""
    zone_id, _, equip_id = name.partition("/")
    try:
        state = fleet.machine(Machine(zone_id, equip_id))
    except UNDECODABLE:
        return None
    return _Stored(state.hour, problem=state.problem) if state else None


def _state(answer: _StoredAnswer | None, now: datetime, max_age: timedelta) -> State:
    if answer is None:
        return "unscored"
    age = now - answer.as_of
    if age > max_age:
        return "silent"
    return "stale" if age > LATE and answer.state == "ok" else answer.state


def _level(answer: _StoredAnswer | None, state: State, limits: list[float]) -> Level:
    if answer is None or state == "silent":
        return "none"
    if state == "failing":
        return "failing"
    days = answer.predictions[0]
    if days <= limits[0]:
        return "act" if days <= limits[-1] else "plan"
    low = answer.interval.get("low") if answer.interval else None
    return "watch" if low is not None and low <= limits[0] else "fine"


def _matching(entries: Iterable[_Entry], query: FleetQuery) -> Iterator[_Entry]:
    text = _folded(query.text)
    for entry in entries:
        if query.zone_id not in (None, entry.zone_id):
            continue
        if not text or any(text in _folded(one) for one in entry.name.split("/", 1)):
            yield entry


def _folded(text: str) -> str:
    """A text without case, its accents and syllables composed as they are in ids."""
    return unicodedata.normalize("NFC", text).casefold()


def _machine(entry: _Entry, trends: Trends | None) -> FleetMachine:
    zone_id, _, equip_id = entry.name.partition("/")
    answer = entry.answer
    newest = entry.stored.hour
    trend = None
    if trends is not None:
        trend = trend_view(trends.points(entry.name, newest - FLEET_HOURS + 1))
    if answer is None:
        return FleetMachine(
            zone_id=zone_id,
            equip_id=equip_id,
            state=entry.state,
            level=entry.level,
            problem=entry.stored.problem,
            trend=trend,
        )
    shortening = [driver for driver in answer.drivers if driver.days < 0]
    return FleetMachine(
        zone_id=zone_id,
        equip_id=equip_id,
        state=entry.state,
        level=entry.level,
        rul_days=answer.predictions[0],
        change_24h=_change(entry.stored, answer.predictions[0]),
        interval=Interval.model_validate(answer.interval) if answer.interval else None,
        expected_failure_at=answer.expected_failure_at,
        replace_by=answer.replace_by,
        replace_saving=answer.replace_saving,
        as_of=answer.as_of,
        driver=shortening[0].sensor if shortening else None,
        drivers=[SensorShare(sensor=one.sensor, days=one.days) for one in shortening[:MOST_DRIVERS]],
        failure_mode=answer.failure_mode,
        warnings=answer.warnings,
        version=answer.model.version,
        problem=entry.stored.problem,
        trend=trend,
    )


def _change(stored: _Stored, days: float) -> float | None:
    """The predicted days less those of 24 hours before the newest hour; None where that hour was not scored."""
    try:
        recent = msgspec.json.decode(stored.recent, type=tuple[HourAnswer, ...])
    except UNDECODABLE:  # of another version of this service
        return None
    before = next((one.days for one in recent if one.hour == stored.hour - HOURS_PER_DAY), None)
    return None if before is None else round(days - before, 4)

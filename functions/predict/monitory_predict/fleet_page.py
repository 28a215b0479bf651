"""The fleet on one page: who is in it, the most urgent first. No I/O."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from monitory.scoring.answer import Interval
from monitory.scoring.fleet import FleetState, MachineState
from monitory.scoring.prediction import LATE

State = Literal["ok", "failing", "off", "degraded", "stale", "silent", "unscored"]

_EXAMPLE: JsonDict = {
    "status": "ok",
    "scored_at": "2026-11-20T12:20:04Z",
    "total": 20,
    "machines": [
        {
            "zoneId": "ZONE-001",
            "equipId": "EQUIP-001",
            "state": "ok",
            "rul_days": 4.31,
            "interval": {"low": 2.9, "high": 6.0, "coverage": 0.9},
            "expected_failure_at": "2026-11-24T19:26:21.613655Z",
            "as_of": "2026-11-20T11:59:57.613655Z",
            "driver": "vibration",
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
    rul_days: float | None = None
    interval: Interval | None = None
    expected_failure_at: datetime | None = None
    replace_by: Annotated[
        datetime | None, Field(exclude_if=_is_absent, description="as in predict; absent where there is none")
    ] = None
    replace_saving: Annotated[float | None, Field(exclude_if=_is_absent, description="as in predict")] = None
    as_of: Annotated[datetime | None, Field(description="time of its newest reading, UTC")] = None
    driver: Annotated[str | None, Field(description="the sensor that takes the most days")] = None
    failure_mode: str | None = None
    warnings: list[str] = []
    version: Annotated[str | None, Field(description="the model's")] = None
    problem: Annotated[str, Field(description="why it could not be scored the last time; empty where it could")] = ""


class FleetResponse(BaseModel):
    """A page of the fleet: failing machines, then by RUL; silent and unscored ones at the end."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    status: Literal["ok"] = "ok"
    scored_at: Annotated[datetime, Field(description="when the newest run began, UTC")]
    total: Annotated[int, Field(description="machines that match, on all pages")]
    machines: list[FleetMachine]
    next_offset: Annotated[int | None, Field(description="offset of the next page; null on the last one")]


class FleetQuery(NamedTuple):
    """Which machines are wanted; None takes all."""

    zone_id: str | None = None
    state: State | None = None
    limit: int = 50
    offset: int = 0


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


class _Entry(NamedTuple):
    """A machine and its state at this moment."""

    name: str
    stored: MachineState
    answer: _StoredAnswer | None
    state: State

    @property
    def urgency(self) -> tuple[int, float, str]:
        """Smaller is more urgent."""
        if self.answer is None:
            return 2, 0.0, self.name
        return int(self.state == "silent"), self.answer.predictions[0], self.name


def fleet_page(fleet: FleetState, query: FleetQuery, now: datetime, max_age: timedelta) -> FleetResponse:
    """A page of the machines that match.

    Args:
        fleet: all machines.
        query: which of them.
        now: the present, aware.
        max_age: age of a newest reading beyond which a machine is silent.
    """
    matching = sorted(_matching(_entries(fleet, now, max_age), query), key=lambda entry: entry.urgency)
    end = query.offset + query.limit
    return FleetResponse(
        scored_at=fleet.scored_at,
        total=len(matching),
        machines=[_machine(entry) for entry in matching[query.offset : end]],
        next_offset=end if end < len(matching) else None,
    )


def _entries(fleet: FleetState, now: datetime, max_age: timedelta) -> Iterator[_Entry]:
    for name, stored in fleet.all_machines().items():
        try:
            answer = msgspec.json.decode(stored.answer, type=_StoredAnswer) if stored.has_answer else None
        except msgspec.MsgspecError:  # of another version of this service
            answer = None
        yield _Entry(name, stored, answer, _state(answer, now, max_age))


def _state(answer: _StoredAnswer | None, now: datetime, max_age: timedelta) -> State:
    if answer is None:
        return "unscored"
    age = now - answer.as_of
    if age > max_age:
        return "silent"
    return "stale" if age > LATE and answer.state == "ok" else answer.state


def _matching(entries: Iterable[_Entry], query: FleetQuery) -> Iterator[_Entry]:
    for entry in entries:
        zone_id = entry.name.partition("/")[0]
        if query.zone_id in (None, zone_id) and query.state in (None, entry.state):
            yield entry


def _machine(entry: _Entry) -> FleetMachine:
    zone_id, _, equip_id = entry.name.partition("/")
    answer = entry.answer
    if answer is None:
        return FleetMachine(zone_id=zone_id, equip_id=equip_id, state=entry.state, problem=entry.stored.problem)
    shortening = [driver.sensor for driver in answer.drivers if driver.days < 0]
    return FleetMachine(
        zone_id=zone_id,
        equip_id=equip_id,
        state=entry.state,
        rul_days=answer.predictions[0],
        interval=Interval.model_validate(answer.interval) if answer.interval else None,
        expected_failure_at=answer.expected_failure_at,
        replace_by=answer.replace_by,
        replace_saving=answer.replace_saving,
        as_of=answer.as_of,
        driver=shortening[0] if shortening else None,
        failure_mode=answer.failure_mode,
        warnings=answer.warnings,
        version=answer.model.version,
        problem=entry.stored.problem,
    )

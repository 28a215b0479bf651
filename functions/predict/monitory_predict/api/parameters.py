"""Parameters of the routes, with what they may be."""

from typing import Annotated

from fastapi import Header, Path, Query
from starlette.datastructures import QueryParams

from monitory import errors
from monitory.alerts.case import Status
from monitory.machine import PATTERN
from monitory_predict.machine_log import MOST_DAYS
from monitory_predict.plain.predict import MAX_KEY_CHARACTERS
from monitory_predict.views.fleet_view import Level, State

ALLOWED = "letters, digits, spaces and any of - _ . : + # @ ( ); at most 64, no dot or space first"

ZoneId = Annotated[str, Query(alias="zoneId", pattern=PATTERN, description=ALLOWED, examples=["ZONE-001"])]
EquipId = Annotated[str, Query(alias="equipId", pattern=PATTERN, description=ALLOWED, examples=["EQUIP-001"])]
Key = Annotated[
    str | None,
    Query(
        max_length=MAX_KEY_CHARACTERS,
        description="key of the machine's newest object, decoded; saves a listing where the score function runs",
        examples=["EQUIPMENT/date=2026-11-20/zone_id=ZONE-001/equip_id=EQUIP-001/equip-1-0.json"],
    ),
]
FleetZone = Annotated[str | None, Query(alias="zoneId", pattern=PATTERN, description="machines of this zone only")]
FleetState = Annotated[State | None, Query(description="machines in this state only")]
FleetLevel = Annotated[Level | None, Query(description="machines of this level only")]
FleetText = Annotated[
    str, Query(alias="q", max_length=64, description="machines whose zone id or equip id contains it, in any case")
]
WithTrend = Annotated[bool, Query(alias="trend", description="with each machine's trend of 7 days")]
Limit = Annotated[int, Query(ge=1, le=200, description="machines on a page")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="machines before the page")]

ZonePart = Annotated[str, Path(alias="zoneId", pattern=PATTERN, description=ALLOWED, examples=["ZONE-001"])]
EquipPart = Annotated[str, Path(alias="equipId", pattern=PATTERN, description=ALLOWED, examples=["EQUIP-001"])]
CaseStatus = Annotated[Status | None, Query(description="cases of this status only; without it those not closed")]
CaseLimit = Annotated[int, Query(ge=1, le=200, description="cases on a page")]
CaseOffset = Annotated[int, Query(ge=0, le=1_000_000, description="cases before the page")]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$",
        description="of your own, new for each record: a repeated request is one record",
        examples=["3f6c1a2e-8a44-4c1d-9d0e-5b7a90c1f2aa"],
    ),
]
Days = Annotated[int, Query(ge=1, le=MOST_DAYS, description="days up to now; each costs 24 reads of the store")]


def each_once(query: QueryParams, *names: str) -> None:
    """Refuse a repeated parameter, of which FastAPI takes the last one in silence.

    Raises:
        InvalidIdentifier: a name occurs more than once.
    """
    for name in names:
        values = query.getlist(name)
        if len(values) > 1:
            raise errors.InvalidIdentifier(f"{name} is given {len(values)} times; ask for one machine at a time")

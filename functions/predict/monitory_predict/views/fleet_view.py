"""The fleet as callers see it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from monitory.scoring.answer import Interval, SensorShare
from monitory_predict.views.trend_view import TrendView

State = Literal["ok", "failing", "off", "degraded", "stale", "silent", "unscored"]
Level = Literal["failing", "act", "plan", "watch", "fine", "none"]

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

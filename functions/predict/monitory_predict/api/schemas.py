"""Types of the API's answers, the source of its OpenAPI document."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from monitory import errors

NO_MODEL = "no model has been promoted yet"
MODEL_REFUSED = "the model cannot be used"
STORAGE_FAILS = "the storage does not answer; try again"
TOO_LARGE = "an object of the storage is too large to be used"

_PREDICT_EXAMPLE: JsonDict = {
    "status": "ok",
    "zoneId": "ZONE-001",
    "equipId": "EQUIP-001",
    "predictions": [4.31],
    "as_of": "2026-11-20T11:59:57.613655Z",
    "expected_failure_at": "2026-11-24T19:26:21.613655Z",
    "rul": "4.3 days",
    "interval": {"low": 2.9, "high": 6.0, "coverage": 0.9},
    "failure_probability": [{"days": 1, "p": 0.01}, {"days": 3, "p": 0.07}, {"days": 7, "p": 0.98}],
    "failure_mode": "bearing",
    "base_days": 11.2,
    "drivers": [{"sensor": "vibration", "days": -5.9}, {"sensor": "temperature", "days": -0.8}],
    "state": "ok",
    "warnings": [],
    "window": {
        "start": "2026-11-20T20:00:00+09:00",
        "end": "2026-11-20T21:00:00+09:00",
        "readings": 4320,
        "rejected": {"unknown_sensor": 720},
        "missing_sensors": [],
        "history_hours": 168,
    },
    "data_age_minutes": 12.4,
    "model": {"version": "2026/11/20/150312", "trained_at": "2026-11-20T15:03:12+00:00"},
}

_METRICS_EXAMPLE: JsonDict = {
    "holdout": {"rows": 4120, "mae": 0.94, "near_mae": 0.52, "coverage": 0.91},
    "announcements": [
        {
            "limit_days": 5.0,
            "failures": 13,
            "announced": 12,
            "median_lead_days": 4.7,
            "low_lead_days": 3.1,
            "raised": 14,
            "false": 1,
            "machine_months": 5.7,
            "false_per_machine_month": 0.18,
        }
    ],
    "failure_probability": [
        {"days": 3, "rows": 2680, "failures": 0.44, "brier": 0.09, "base_brier": 0.25, "bins": []},
    ],
}


class Interval(BaseModel):
    """The RUL lies between `low` and `high` days with probability `coverage`."""

    low: float
    high: Annotated[float | None, Field(description="null: the interval reaches the cap, so it is open")]
    coverage: float


class SensorShare(BaseModel):
    """How many days a sensor adds to `base_days`; negative shortens the RUL."""

    sensor: str
    days: float


class Window(BaseModel):
    """The hour that was used. Times are KST."""

    start: datetime
    end: datetime
    readings: int
    rejected: Annotated[
        dict[str, int], Field(description="skipped records of its objects, by reason; `warnings` say more")
    ]
    missing_sensors: list[str]
    history_hours: Annotated[int, Field(description="hour rows of the last week that were used")]


class FailureProbability(BaseModel):
    """How likely the machine fails within so many days."""

    days: int
    p: Annotated[float, Field(ge=0, le=1)]


class ModelUsed(BaseModel):
    """The model that answered; `version` is null for a model that this service did not train."""

    version: str | None
    trained_at: str


class PredictResponse(BaseModel):
    """The remaining useful life of a machine."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [_PREDICT_EXAMPLE]}, serialize_by_alias=True, validate_by_name=True
    )

    status: Literal["ok"] = "ok"
    zone_id: Annotated[str, Field(alias="zoneId", description="zone of the machine")]
    equip_id: Annotated[str, Field(alias="equipId", description="the machine")]
    predictions: Annotated[list[float], Field(description="days of remaining useful life; one value")]
    as_of: Annotated[datetime, Field(description="time of the newest reading that was used, UTC")]
    expected_failure_at: Annotated[
        datetime | None, Field(description="as_of plus the RUL, UTC; null where the RUL is the cap or more")
    ]
    rul: Annotated[str, Field(description="the same in words; '>= cap' instead of a false precise number")]
    interval: Interval | None
    failure_probability: Annotated[
        list[FailureProbability], Field(description="by horizon, up to the cap; empty where the model does not tell it")
    ]
    failure_mode: Annotated[
        str | None,
        Field(
            description="of the failure under way or, where it is certain enough, ahead, in the log's words; else null"
        ),
    ]
    base_days: Annotated[
        float,
        Field(description="days from the running time alone; with all drivers they sum to the model's answer"),
    ]
    drivers: list[SensorShare]
    state: Annotated[
        str,
        Field(
            description=(
                "ok, failing (from the first hour of a failure until the machine runs again: 0 days), off (stands "
                "still, or under maintenance), degraded (sensors missing or flat, or nothing in the newest object "
                "could be used) or stale (the newest hours are missing)"
            )
        ),
    ]
    warnings: list[str]
    window: Window
    data_age_minutes: Annotated[float, Field(description="age of the newest reading")]
    model: ModelUsed


class HealthResponse(BaseModel):
    """Whether predictions can be served."""

    status: Literal["ok"] = "ok"
    message: str
    version: str | None
    trained_at: str


class VersionInfo(BaseModel):
    """A stored version."""

    version: str
    served: bool
    served_since: str | None
    metrics: Annotated[
        dict[str, object] | None,
        Field(
            description=(
                "metrics.json: errors beside those of rules without sensors (holdout, training_mean, last_value); "
                "announcements at D-5 and D-3; how reliable failure_probability is. null where it cannot be read"
            ),
            examples=[_METRICS_EXAMPLE],
        ),
    ]


class PromotionInfo(BaseModel):
    """A change of the served model."""

    number: int
    action: str
    version: str
    replaced: str | None
    at: str
    by: str
    reason: str


class ModelsResponse(BaseModel):
    """Versions, newest first, and the newest promotions and rollbacks."""

    status: Literal["ok"] = "ok"
    served: str | None
    versions: list[VersionInfo]
    history: list[PromotionInfo]


class ErrorResponse(BaseModel):
    """What is wrong, in words."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"detail": "no readings of ZONE-001/EQUIP-404 …"}]})

    detail: str


def why(problem: errors.MonitoryError) -> str:
    """Why the last good model answers: a clause without keys, addresses or other internals of the store."""
    if isinstance(problem, errors.StorageError) and not isinstance(problem, errors.ObjectTooLarge):
        return "the storage fails"
    if isinstance(problem, errors.NoModel):
        return "the served object is gone"
    return "the new object was refused"

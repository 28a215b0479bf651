"""The answer about a machine: what predict returns, and what the score function stores."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from monitory import clock, errors
from monitory.features import vector
from monitory.scoring.machine_prediction import MachinePrediction
from monitory.scoring.prediction import LATE, late_warning, window

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


def _is_absent(value: object) -> bool:
    return value is None


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
    replace_by: Annotated[
        datetime | None,
        Field(
            exclude_if=_is_absent,
            description=(
                "when a planned stop costs least per running day, UTC; only where the settings have the costs of "
                "stops, and where one within the cap beats waiting"
            ),
        ),
    ] = None
    replace_saving: Annotated[
        float | None,
        Field(
            exclude_if=_is_absent,
            description="what that stop is expected to save against waiting, per running day, in the costs' unit",
        ),
    ] = None
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


def predict_response(answer: MachinePrediction) -> PredictResponse:
    """The body of an answer; days with two to four decimals."""
    prediction, history = answer.prediction, answer.history
    estimate, served, planned = prediction.estimate, answer.current.served, answer.replacement
    start, end = window(history.newest.hour)
    interval = None
    if served.model.card and served.model.card.intervals and estimate.low is not None and estimate.high is not None:
        interval = Interval(
            low=round(estimate.low, 2),
            high=round(estimate.high, 2) if estimate.high < served.model.cap_days else None,
            coverage=served.model.card.intervals.coverage,
        )
    warnings = list(prediction.warnings)
    if answer.current.problem:
        reason = why(answer.current.problem)
        warnings.append(f"the newest model cannot be used, the last good one answers: {reason}")
    if history.future_hours:
        warnings.append(f"{history.future_hours} hours with readings from the future were left out")
    warnings += history.losses.sentences
    warnings += history.unreadable[-3:]
    first = history.newest.hour - vector.HISTORY_HOURS
    as_of = clock.aware(history.newest.last).astimezone(UTC)
    return PredictResponse(
        zone_id=answer.machine.zone_id,
        equip_id=answer.machine.equip_id,
        as_of=as_of,
        expected_failure_at=None if prediction.at_cap else as_of + timedelta(days=estimate.days),
        predictions=[round(estimate.days, 4)],
        replace_by=as_of + timedelta(days=planned.days) if planned else None,
        replace_saving=round(planned.saving, 4) if planned else None,
        rul=f">= {served.model.cap_days:g} days" if prediction.at_cap else f"{estimate.days:.1f} days",
        interval=interval,
        failure_probability=[FailureProbability(days=days, p=round(p, 4)) for days, p in estimate.failure_probability],
        failure_mode=prediction.failure_mode,
        base_days=round(prediction.base, 4),
        drivers=[SensorShare(sensor=d.sensor, days=round(d.days, 4)) for d in prediction.drivers],
        state=prediction.state,
        warnings=warnings,
        window=Window(
            start=start,
            end=end,
            readings=history.newest.readings,
            rejected=history.rejected,
            missing_sensors=prediction.missing_sensors,
            history_hours=len(history.rows) - bisect_right(history.rows, first, key=attrgetter("hour")),
        ),
        data_age_minutes=round(max(history.age.total_seconds(), 0.0) / 60, 1),
        model=ModelUsed(version=served.version, trained_at=served.trained_at),
    )


def aged(answer: PredictResponse, now: datetime) -> PredictResponse:
    """An answer that was computed as if its newest reading were of that moment, as it is at a later time."""
    age = now - answer.as_of
    is_late = age > LATE
    return answer.model_copy(
        update={
            "state": "stale" if is_late and answer.state == "ok" else answer.state,
            "warnings": [*answer.warnings, late_warning(age)] if is_late else answer.warnings,
            "data_age_minutes": round(max(age.total_seconds(), 0.0) / 60, 1),
        }
    )


def why(problem: errors.MonitoryError) -> str:
    """Why the last good model answers: a clause without keys, addresses or other internals of the store."""
    if isinstance(problem, errors.StorageError) and not isinstance(problem, errors.ObjectTooLarge):
        return "the storage fails"
    if isinstance(problem, errors.NoModel):
        return "the served object is gone"
    return "the new object was refused"

"""One machine on a page: its trend, its sensors, its past runs, what people wrote down. No I/O."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from monitory import clock
from monitory.alerts.view import CaseView
from monitory.features.hour_row import Columns, HourRow
from monitory.machine import Machine
from monitory.model.card import Card
from monitory.scoring.trends import TrendPoint
from monitory.sensors import SensorSet
from monitory_predict.views.machine_runs import Run, RunView, run_views
from monitory_predict.views.record_view import RecordView
from monitory_predict.views.trend_view import DrivenTrendView, driven_trend_view

SENSOR_HOURS = 72
MOST_RECORDS = 50

_EXAMPLE: JsonDict = {
    "status": "ok",
    "zoneId": "ZONE-001",
    "equipId": "EQUIP-001",
    "limits_days": [5.0, 3.0],
    "cap_days": 30.0,
    "trend": [
        {
            "at": "2026-11-20T10:00:00Z",
            "rul_days": 4.38,
            "low": 2.9,
            "high": 6.1,
            "driver": "vibration",
            "driver_days": -5.87,
        }
    ],
    "sensors": [
        {
            "sensor": "vibration",
            "training": {"low": 1.02, "high": 3.41},
            "hours": [{"at": "2026-11-20T11:00:00Z", "mean": 2.87, "min": 2.11, "max": 3.62}],
        }
    ],
    "runs": [
        {"began_at": "2026-11-08T03:00:00Z", "predicted": []},
        {
            "began_at": "2026-10-19T22:00:00Z",
            "ended_at": "2026-11-07T18:00:00Z",
            "end": "failure",
            "failure_mode": "bearing",
            "predicted": [
                {"at": "2026-11-04T16:00:00Z", "rul_days": 3.4, "low": 2.1, "high": 5.0, "days_before": 3},
                {"at": "2026-11-06T16:00:00Z", "rul_days": 1.2, "low": 0.4, "high": 2.3, "days_before": 1},
            ],
        },
    ],
    "records": [
        {
            "id": "3f6c1a2e-8a44-4c1d-9d0e-5b7a90c1f2aa",
            "at": "2026-11-20T04:32:51Z",
            "by": "b1c2d3e4f5",
            "zoneId": "ZONE-001",
            "equipId": "EQUIP-001",
            "kind": "planned",
            "start": "2026-11-21T09:00:00",
            "end": "2026-11-21T12:00:00",
            "failureMode": "",
            "note": "bearing is ordered",
        }
    ],
    "cases": [],
}


class TrainingRange(BaseModel):
    """The smallest and the largest hourly mean of a sensor in the hours that taught the served model."""

    low: float
    high: float


class SensorHour(BaseModel):
    """A sensor's readings of an hour."""

    at: Annotated[datetime, Field(description="start of the hour, UTC")]
    mean: float
    min: float
    max: float


class SensorView(BaseModel):
    """A sensor's recent hours; hours without a reading of it are left out."""

    sensor: str
    training: Annotated[TrainingRange | None, Field(description="null where the served model's card has none")]
    hours: Annotated[list[SensorHour], Field(description="of the machine's last 72 hours, the oldest first")]


class MachineResponse(BaseModel):
    """What is known of a machine beside its present prediction."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [_EXAMPLE]}, serialize_by_alias=True, validate_by_name=True
    )

    status: Literal["ok"] = "ok"
    zone_id: Annotated[str, Field(alias="zoneId")]
    equip_id: Annotated[str, Field(alias="equipId")]
    limits_days: Annotated[list[float], Field(description="at which cases are opened, and become urgent")]
    cap_days: Annotated[float | None, Field(description="of the served model; null without one")]
    trend: Annotated[list[DrivenTrendView], Field(description="of 30 days, a point in 6 hours, the oldest first")]
    sensors: list[SensorView]
    runs: Annotated[list[RunView], Field(description="the newest first")]
    records: Annotated[list[RecordView], Field(description="the newest first, 50 at most")]
    cases: Annotated[list[CaseView], Field(description="the newest first, those closed in the last 30 days too")]


class MachineParts(NamedTuple):
    """What a page is put together from.

    Attributes:
        machine: which.
        limits_days: of the alerts, descending.
        cap_days: of the served model; None without one.
        card: of the served model; None without one.
        rows: the machine's hour rows up to now, oldest first.
        trend: ascending.
        runs: the oldest first.
        records, cases: the newest first.
    """

    machine: Machine
    limits_days: list[float]
    cap_days: float | None
    card: Card | None
    rows: Sequence[HourRow]
    trend: Sequence[TrendPoint]
    runs: Sequence[Run]
    records: list[RecordView]
    cases: list[CaseView]


def machine_page(parts: MachineParts, sensors: SensorSet) -> MachineResponse:
    """The page of a machine; `sensors` is the sensor set of the rows."""
    return MachineResponse(
        zone_id=parts.machine.zone_id,
        equip_id=parts.machine.equip_id,
        limits_days=parts.limits_days,
        cap_days=parts.cap_days,
        trend=driven_trend_view(parts.trend),
        sensors=_sensors(parts.rows, sensors, parts.card),
        runs=run_views(parts.runs, parts.trend),
        records=parts.records[:MOST_RECORDS],
        cases=parts.cases,
    )


def _sensors(rows: Sequence[HourRow], sensors: SensorSet, card: Card | None) -> list[SensorView]:
    """Every sensor of the set, in its order, with the last hours up to the machine's newest."""
    recent = [row for row in rows if row.hour > rows[-1].hour - SENSOR_HOURS]
    columns = Columns(sensors)
    views = []
    for name in sensors.names:
        count, mean, smallest, largest = (columns.index(name, kind) for kind in ("count", "mean", "min", "max"))
        hours = [
            SensorHour(
                at=clock.hour_start(row.hour).astimezone(UTC),
                mean=row.values[mean],
                min=row.values[smallest],
                max=row.values[largest],
            )
            for row in recent
            if row.values[count]
        ]
        views.append(SensorView(sensor=name, training=_training_range(name, card), hours=hours))
    return views


def _training_range(sensor: str, card: Card | None) -> TrainingRange | None:
    """The range of a sensor's hourly means; cards of an older version have it where the mean is a feature of theirs.

    With operating regimes a feature is in terms of the reference regime, so its range says nothing of readings.
    """
    if card is None:
        return None
    bounds = card.hourly_means.get(sensor) or (None if card.regimes else card.ranges.get(sensor))
    return TrainingRange(low=bounds[0], high=bounds[1]) if bounds else None

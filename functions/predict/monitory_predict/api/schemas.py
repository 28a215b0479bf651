"""Types of the API's answers, the source of its OpenAPI document."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from monitory.logbook.entry import Kind
from monitory.logbook.records import Record
from monitory.machine import Machine
from monitory_predict.views.record_view import RecordView

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


def _text(value: str) -> str:
    if any(not letter.isprintable() and letter not in "\n\t" for letter in value):
        raise ValueError("it holds control characters")
    return value.strip()


_Text = Annotated[str, AfterValidator(_text)]

_RECORD_EXAMPLE: JsonDict = {
    "kind": "planned",
    "start": "2026-11-21T09:00:00",
    "end": "2026-11-21T12:00:00",
    "note": "bearing is ordered",
}


class RecordRequest(BaseModel):
    """An entry of the log of failures and maintenance."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, json_schema_extra={"examples": [_RECORD_EXAMPLE]})

    kind: Annotated[
        Kind, Field(description="seen and planned acknowledge a case, maintenance and false_alarm close it")
    ]
    start: Annotated[
        _Text, Field(min_length=1, max_length=40, description="in the factory's time, or with Z or an offset")
    ]
    end: Annotated[_Text | None, Field(max_length=40, description="the same; absent: until the machine runs again")] = (
        None
    )
    failure_mode: Annotated[
        _Text, Field(alias="failureMode", max_length=64, description="how it fails, in words of your own")
    ] = ""
    note: Annotated[_Text, Field(max_length=1000)] = ""

    def record(self, machine: Machine, idempotency_key: str, at: datetime, by: str) -> Record:
        """The record that this request writes."""
        return Record(
            id=idempotency_key,
            at=at.astimezone(UTC),
            by=by,
            zone_id=machine.zone_id,
            equip_id=machine.equip_id,
            kind=self.kind,
            start=self.start,
            end=self.end or None,
            failure_mode=self.failure_mode,
            note=self.note,
        )


class RecordResponse(RecordView):
    """The record as it is stored; where the request was sent before, as it was stored then."""

    status: Literal["ok"] = "ok"


class ErrorResponse(BaseModel):
    """What is wrong, in words."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"detail": "no readings of ZONE-001/EQUIP-404 …"}]})

    detail: str

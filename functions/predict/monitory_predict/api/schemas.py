"""Types of the API's answers, the source of its OpenAPI document."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

NO_MODEL = "no model has been promoted yet"
MODEL_REFUSED = "the model cannot be used"
STORAGE_FAILS = "the storage does not answer; try again"
TOO_LARGE = "an object of the storage is too large to be used"

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


class ErrorResponse(BaseModel):
    """What is wrong, in words."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"detail": "no readings of ZONE-001/EQUIP-404 …"}]})

    detail: str

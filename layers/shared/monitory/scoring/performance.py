"""Realised accuracy: what the prediction log said before machines stopped, against what happened.

    performance/latest.json
    performance/<YYYY-MM-DD>.json

Retraining measures it every night (definitions: `monitory_retrain.evaluation.realised`); predict shows the newest.
"""

from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.config import JsonDict

from monitory.errors import ObjectNotFound, PreconditionFailed, StorageError, StorageUnavailable
from monitory.storage.port import Storage

FOLDER = "performance"
LATEST = f"{FOLDER}/latest.json"

_TRIES = 5
_JSON = "application/json"

_EXAMPLE_ACCURACY: JsonDict = {
    "hours": 9840,
    "mae_days": 1.42,
    "coverage": 0.91,
    "horizons": [
        {
            "days": 3,
            "failures": 14,
            "mean_absolute_error_days": 0.61,
            "mean_error_days": -0.2,
            "coverage": 0.93,
            "maintenance": 3,
            "maintenance_rul_days": 3.4,
        }
    ],
    "announcements": [
        {
            "limit_days": 3.0,
            "failures": 14,
            "announced": 13,
            "missed": 1,
            "median_lead_days": 2.9,
            "low_lead_days": 2.1,
            "maintenance": 3,
            "maintenance_announced": 2,
            "raised": 18,
            "false": 1,
            "machine_months": 13.7,
            "false_per_machine_month": 0.07,
        }
    ],
}
_EXAMPLE: JsonDict = {
    "status": "ok",
    "first_day": "2026-10-31",
    "last_day": "2026-11-20",
    "measured_at": "2026-11-20T15:03:12Z",
    "promised_coverage": 0.9,
    "shortfalls": [],
    "overall": _EXAMPLE_ACCURACY,
    "versions": [{"version": "2026/11/10/150312", **_EXAMPLE_ACCURACY}],
}


class HorizonAccuracy(BaseModel):
    """What was predicted so many days before machines stopped."""

    days: int
    failures: Annotated[int, Field(description="failures with a prediction of that time")]
    mean_absolute_error_days: float | None
    mean_error_days: Annotated[float | None, Field(description="predicted less true; negative was too early")]
    coverage: Annotated[float | None, Field(description="share of the intervals that held the failure")]
    maintenance: Annotated[int, Field(description="maintenance with a prediction of that time")]
    maintenance_rul_days: Annotated[
        float | None, Field(description="median of what was predicted before it; nobody knows the truth")
    ]


class AnnouncementRecord(BaseModel):
    """Which stops were announced at a limit, and how often for nothing."""

    limit_days: float
    failures: Annotated[int, Field(description="those that can be judged")]
    announced: int
    missed: int
    median_lead_days: Annotated[float | None, Field(description="forewarning; 0 for a failure that was missed")]
    low_lead_days: Annotated[float | None, Field(description="that 9 of 10 failures have")]
    maintenance: int
    maintenance_announced: int
    raised: int
    false: int
    machine_months: float
    false_per_machine_month: float | None


class Accuracy(BaseModel):
    """Figures of some logged predictions."""

    hours: Annotated[int, Field(description="predictions for hours of running machines")]
    mae_days: Annotated[float | None, Field(description="mean absolute error, as far as each hour was watched")]
    coverage: Annotated[float | None, Field(description="share of true RULs within the interval")]
    horizons: list[HorizonAccuracy]
    announcements: list[AnnouncementRecord]


class VersionAccuracy(Accuracy):
    """Figures of a version's predictions; a run of announcements counts for the version that spoke last in it."""

    version: Annotated[str | None, Field(description="null: a model that this service did not train")]


class Performance(BaseModel):
    """What predictions came to."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    status: Literal["ok"] = "ok"
    first_day: Annotated[date, Field(description="the first day whose predictions are judged, the factory's date")]
    last_day: date
    measured_at: datetime
    promised_coverage: float
    shortfalls: Annotated[list[str], Field(description="promises that were not kept, in words; empty where all were")]
    overall: Accuracy
    versions: list[VersionAccuracy]


def latest(storage: Storage) -> Performance | None:
    """The newest figures; None where there are none.

    Raises:
        StorageUnavailable: the store failed.
        StorageError: the object is damaged.
    """
    try:
        body = storage.get(LATEST).body
    except ObjectNotFound:
        return None
    try:
        return Performance.model_validate_json(body)
    except ValidationError as exc:
        raise StorageError(f"s3://{storage.name}/{LATEST} is damaged: delete it, the next night writes it") from exc


def write(storage: Storage, performance: Performance) -> None:
    """Store figures under their last day, and as the newest unless newer ones are there.

    Raises:
        StorageUnavailable: the store failed, or other writers were faster every time.
    """
    body = performance.model_dump_json(indent=1).encode()
    storage.put(f"{FOLDER}/{performance.last_day}.json", body, content_type=_JSON)
    for _ in range(_TRIES):
        etag = None
        with suppress(ObjectNotFound):
            blob = storage.get(LATEST)
            etag = blob.etag
            with suppress(ValidationError):  # a damaged one is replaced
                if Performance.model_validate_json(blob.body).last_day > performance.last_day:
                    return
        with suppress(PreconditionFailed):  # another run wrote meanwhile
            storage.put(LATEST, body, content_type=_JSON, replaces=etag, create=etag is None)
            return
    raise StorageUnavailable(f"s3://{storage.name}/{LATEST} changes whenever it is about to be written")

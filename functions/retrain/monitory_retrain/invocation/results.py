"""Results of the retrain function, in JSON types."""

from typing import Any

import msgspec

from monitory.decoding import rejects
from monitory.registry.registry import Promotion
from monitory_retrain import pipeline
from monitory_retrain.evaluation.drift import Drift
from monitory_retrain.ingest.counts import Counts
from monitory_retrain.pipeline import Challenger

MAX_UNREADABLE_NAMED = 20

JobResult = dict[str, Any]


def metrics(challenger: Challenger) -> JobResult:
    """A challenger's metrics."""
    figures: JobResult = msgspec.to_builtins(pipeline.metrics(challenger))
    return figures


def drift(moved: Drift) -> JobResult:
    """The drift of the last day, with a sentence for each sensor that is not steady."""
    unsteady = (sensor for sensor in moved.sensors if sensor.status != "steady")
    return {
        "day": moved.day,
        "against": moved.against,
        "unjudged": moved.unjudged,
        "moved": moved.with_status("moved"),
        "watch": moved.with_status("watch"),
        "psi": {sensor.name: sensor.psi for sensor in moved.sensors},
        "sentences": [f"{sensor.status}: {sensor.sentence}" for sensor in unsteady],
        "predictions": moved.predictions.status if moved.predictions else None,
    }


def promoted(status: str, promotion: Promotion) -> JobResult:
    """A promotion or rollback."""
    return {
        "status": status,
        "version": promotion.version,
        "replaced": promotion.replaced,
        "promotion": promotion.number,
    }


def counts(counted: Counts) -> JobResult:
    """What ingestion read, skipped and missed."""
    return {
        "objects": counted.objects,
        "objects_read": counted.read,
        "bytes_read": counted.raw_bytes,
        "readings": counted.readings,
        "rejected": dict(counted.rejected),
        "losses": rejects.sentences(counted.rejected, counted.samples),
        "unreadable": counted.unreadable[:MAX_UNREADABLE_NAMED],
        "days_without_data": [str(day) for day in counted.days_without_data],
    }

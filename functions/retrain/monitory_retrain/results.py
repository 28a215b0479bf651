"""What the retrain function answers, in JSON's types."""

from typing import Any

import msgspec

from monitory.decoding import rejects
from monitory.registry.registry import Promotion
from monitory_retrain import pipeline
from monitory_retrain.evaluation.drift import Drift
from monitory_retrain.ingest.ingest import Counts
from monitory_retrain.pipeline import Challenger

MAX_UNREADABLE_NAMED = 20

JobResult = dict[str, Any]


def metrics(challenger: Challenger) -> JobResult:
    """A challenger's metrics."""
    found: JobResult = msgspec.to_builtins(pipeline.metrics(challenger))
    return found


def drift(moved: Drift) -> JobResult:
    """What moved and what to watch, in sentences."""
    said = (sensor for sensor in moved.sensors if sensor.status != "steady")
    return {
        "day": moved.day,
        "against": moved.against,
        "unjudged": moved.unjudged,
        "moved": moved.named("moved"),
        "watch": moved.named("watch"),
        "psi": {sensor.name: sensor.psi for sensor in moved.sensors},
        "sentences": [f"{sensor.status}: {sensor.sentence}" for sensor in said],
        "predictions": moved.predictions.status if moved.predictions else None,
    }


def promoted(status: str, made: Promotion) -> JobResult:
    """A promotion or rollback that was made."""
    return {"status": status, "version": made.version, "replaced": made.replaced, "promotion": made.number}


def counts(counted: Counts) -> JobResult:
    """What was read."""
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

"""Results of the retrain function, in JSON types."""

import msgspec

from monitory.registry.registry import Promotion
from monitory_retrain import pipeline
from monitory_retrain.evaluation.drift import Drift
from monitory_retrain.invocation.events import JobResult
from monitory_retrain.pipeline import Challenger


def metrics(challenger: Challenger) -> JobResult:
    """A challenger's metrics."""
    figures: JobResult = msgspec.to_builtins(pipeline.metrics(challenger))
    return figures


def drift(drift: Drift) -> JobResult:
    """The drift of the last day, with a sentence for each sensor that is not steady."""
    unsteady = (sensor for sensor in drift.sensors if sensor.status != "steady")
    return {
        "day": drift.day,
        "against": drift.against,
        "unjudged": drift.unjudged,
        "moved": drift.with_status("moved"),
        "watch": drift.with_status("watch"),
        "psi": {sensor.name: sensor.psi for sensor in drift.sensors},
        "sentences": [f"{sensor.status}: {sensor.sentence}" for sensor in unsteady],
        "predictions": drift.predictions.status if drift.predictions else None,
    }


def promotion(status: str, change: Promotion) -> JobResult:
    """A promotion or rollback."""
    return {
        "status": status,
        "version": change.version,
        "replaced": change.replaced,
        "promotion": change.number,
    }

"""Results of the retrain function, in JSON types."""

from datetime import timedelta
from typing import Any

import msgspec

from monitory.decoding import rejects
from monitory.registry.registry import Promotion
from monitory_retrain import pipeline
from monitory_retrain.evaluation.drift import Drift
from monitory_retrain.ingest.backfill import BatchRead, Plan
from monitory_retrain.ingest.batches import Batch, exceeds_one_function
from monitory_retrain.ingest.counts import Counts
from monitory_retrain.pipeline import Challenger

MAX_UNREADABLE_NAMED = 20

JobResult = dict[str, Any]


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


def planned(plan: Plan, key: str | None) -> JobResult:
    """A plan; `key` names its manifest, None where there is nothing to read."""
    return {
        "status": "planned" if key else "nothing",
        "key": key,
        "batches": len(plan.batches),
        "machine_days": sum(len(batch.machines) for batch in plan.batches),
        "objects": sum(batch.objects for batch in plan.batches),
        "bytes": sum(batch.bytes for batch in plan.batches),
        # a plan that is cut off is the plan of something large
        "distribute": bool(key) and (bool(plan.left) or exceeds_one_function(plan.batches)),
        "after": str(plan.left[0] - timedelta(days=1)) if plan.left else None,
    }


def read(done: BatchRead, batch: Batch) -> JobResult:
    """What came of a batch."""
    return {
        "status": "continue" if done.left else "read",
        "batch": batch.name,
        "day": str(batch.day),
        "machines": len(batch.machines),
        "left": [str(machine) for machine in done.left],
        "data": counts(done.counts),
    }


def counts(total: Counts) -> JobResult:
    """What ingestion reads, skips and misses."""
    return {
        "objects": total.objects,
        "objects_read": total.read,
        "bytes_read": total.raw_bytes,
        "objects_verified": total.verified,
        "objects_differing": total.differing[:MAX_UNREADABLE_NAMED],
        "readings": total.readings,
        "rejected": dict(total.rejected),
        "losses": rejects.sentences(total.rejected, total.samples),
        "unreadable": total.unreadable[:MAX_UNREADABLE_NAMED],
        "days_without_data": [str(day) for day in total.days_without_data],
    }

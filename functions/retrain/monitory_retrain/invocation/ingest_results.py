"""Results of planning and reading, in JSON types."""

from datetime import timedelta

from monitory.decoding import rejects
from monitory_retrain.ingest.backfill.batches import Batch, exceeds_one_function
from monitory_retrain.ingest.backfill.planner import Plan
from monitory_retrain.ingest.backfill.reader import BatchRead
from monitory_retrain.ingest.counts import Counts
from monitory_retrain.invocation.events import JobResult

MAX_UNREADABLE_NAMED = 20


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

"""Measures the realised accuracy of the prediction log beside a retrain; no fault of it costs the retrain."""

from datetime import UTC, datetime
from typing import Any

from monitory.errors import MonitoryError
from monitory.log import Logger
from monitory.scoring import performance
from monitory.scoring.performance import Performance
from monitory.settings import RetrainSettings
from monitory.storage.port import Storage
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.labels import Labels
from monitory_retrain.evaluation import realised
from monitory_retrain.ingest import prediction_rows
from monitory_retrain.invocation.events import TrainingRequest

_NAMED = 5
"""How many faults of the log a night names."""


def measure(
    models: Storage,
    lake: str,
    settings: RetrainSettings,
    table: HourTable,
    labels: Labels,
    request: TrainingRequest,
    log: Logger,
) -> Performance | None:
    """Read the log of a retrain's days and judge it; None where there is none, or where it cannot be done.

    A sample of the hours misses most of what happened, so nothing is judged by it.

    Args:
        models: the model bucket.
        lake: the fingerprint of the lake whose log it is.
        settings: the cap and the promised coverage.
        table: hour rows of the days, and of others before them.
        labels: of these rows.
        request: the days.
        log: told what was read, and why nothing could be.
    """
    if request.sample:
        return None
    try:
        logged = prediction_rows.read(models, lake, request.days, table)
        for fault in logged.faults[:_NAMED]:
            log.warning("prediction log: %s", fault)
        figures = realised.performance(
            table,
            labels,
            logged,
            days=request.days,
            cap_days=settings.max_rul_days,
            promised_coverage=settings.coverage,
            now=datetime.now(UTC),
        )
    except MonitoryError as exc:
        log.error("the realised accuracy is not measured: %s", exc)
        return None
    except Exception:  # a defect here must not cost the night its model
        log.exception("the realised accuracy is not measured")
        return None
    log.info("prediction log: %d objects, %d bytes unpacked", logged.objects, logged.bytes_read)
    if figures:
        log.info("realised accuracy: %s", figures.overall)
    return figures


def store(models: Storage, figures: Performance, log: Logger) -> dict[str, Any]:
    """Store figures; a failing store is logged. Returns them in JSON types."""
    for shortfall in figures.shortfalls:
        log.warning("promise not kept: %s", shortfall)
    try:
        performance.write(models, figures)
    except MonitoryError as exc:
        log.error("the realised accuracy is not stored: %s", exc)
    return figures.model_dump(mode="json")

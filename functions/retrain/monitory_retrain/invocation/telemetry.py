"""Metrics of the retrain job, as lines of embedded metric format."""

from collections.abc import Mapping
from typing import Any

from monitory import metric_line, metric_names


def emit(result: Mapping[str, Any], namespace: str = metric_names.NAMESPACE) -> None:
    """Emit the metrics of a result: a line for the job, and one for each sensor with a drift."""
    status = result["status"]
    data = result.get("data", {})
    trained = status == "trained"
    values: dict[str, float] = {
        metric_names.RETRAIN_FAILED: 0,
        metric_names.RETRAIN_SKIPPED: int(status == "skipped"),
        metric_names.MODEL_PROMOTED: int(bool(result.get("promoted"))),
        metric_names.MODEL_REJECTED: int(trained and not result["promoted"]),
        metric_names.READINGS_READ: data.get("readings", 0),
        metric_names.REJECTED_READINGS: sum(data.get("rejected", {}).values()),
    }
    if status in {"trained", "unchanged", "skipped"}:
        values[metric_names.RETRAIN_COMPLETED] = 1
    drift = result.get("drift")
    if drift and not drift["unjudged"]:
        values[metric_names.DRIFTED_SENSORS] = len(drift["moved"])
    if trained:
        scores = result["metrics"]
        values[metric_names.HOLDOUT_MAE_DAYS] = scores["holdout"]["mae"]
        values[metric_names.TRAINING_ROWS] = scores["training_rows"]
    if figures := result.get("performance"):
        values |= _performance(figures)
    _write(namespace, values)
    for sensor, psi in (drift["psi"] if drift else {}).items():
        _write(namespace, {metric_names.SENSOR_PSI: psi}, {"sensor": sensor})


def failed(namespace: str = metric_names.NAMESPACE) -> None:
    """Emit that a job failed."""
    _write(namespace, {metric_names.RETRAIN_FAILED: 1})


def refused(namespace: str = metric_names.NAMESPACE) -> None:
    """Emit that an event was `invalid` or `refused`."""
    _write(namespace, {metric_names.RETRAIN_REFUSED: 1})


def _performance(figures: Mapping[str, Any]) -> dict[str, float]:
    overall = figures["overall"]
    nearest = overall["announcements"][-1]
    values = {
        metric_names.FAILURES_ANNOUNCED: nearest["announced"],
        metric_names.FAILURES_MISSED: nearest["missed"],
        metric_names.FALSE_ANNOUNCEMENTS: nearest["false"],
        metric_names.PROMISES_BROKEN: len(figures["shortfalls"]),
    }
    errors = {metric_names.REALISED_MAE_DAYS: "mae_days", metric_names.REALISED_COVERAGE: "coverage"}
    return values | {name: overall[field] for name, field in errors.items() if overall[field] is not None}


def _write(namespace: str, values: Mapping[str, float], dimensions: Mapping[str, str] | None = None) -> None:
    metric_line.write(namespace, metric_names.RETRAIN_SERVICE, values, dimensions)

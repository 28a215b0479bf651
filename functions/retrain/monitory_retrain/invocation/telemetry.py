"""Metrics of the retrain job, as lines of embedded metric format."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from monitory import metric_names


def emit(result: Mapping[str, Any], namespace: str = metric_names.NAMESPACE) -> None:
    """Emit the metrics of a result: a line for the job, and one for each sensor with a drift."""
    line = _line(namespace)
    status = result["status"]
    data = result.get("data", {})
    trained = status == "trained"
    if status in {"trained", "unchanged", "skipped"}:
        line.add_metric(metric_names.RETRAIN_COMPLETED, MetricUnit.Count, 1)
    line.add_metric(metric_names.RETRAIN_FAILED, MetricUnit.Count, 0)
    line.add_metric(metric_names.RETRAIN_SKIPPED, MetricUnit.Count, int(status == "skipped"))
    line.add_metric(metric_names.MODEL_PROMOTED, MetricUnit.Count, int(bool(result.get("promoted"))))
    line.add_metric(metric_names.MODEL_REJECTED, MetricUnit.Count, int(trained and not result["promoted"]))
    line.add_metric(metric_names.READINGS_READ, MetricUnit.Count, data.get("readings", 0))
    line.add_metric(metric_names.REJECTED_READINGS, MetricUnit.Count, sum(data.get("rejected", {}).values()))
    drift = result.get("drift")
    if drift and not drift["unjudged"]:
        line.add_metric(metric_names.DRIFTED_SENSORS, MetricUnit.Count, len(drift["moved"]))
    if trained:
        scores = result["metrics"]
        line.add_metric(metric_names.HOLDOUT_MAE_DAYS, MetricUnit.NoUnit, scores["holdout"]["mae"])
        line.add_metric(metric_names.TRAINING_ROWS, MetricUnit.Count, scores["training_rows"])
    if figures := result.get("performance"):
        _add_performance(line, figures)
    line.flush_metrics()
    for sensor, psi in (drift["psi"] if drift else {}).items():
        line = _line(namespace)
        line.add_dimension("sensor", sensor)
        line.add_metric(metric_names.SENSOR_PSI, MetricUnit.NoUnit, psi)
        line.flush_metrics()


def _add_performance(line: EphemeralMetrics, figures: Mapping[str, Any]) -> None:
    overall = figures["overall"]
    line.add_metric(metric_names.REALISED_MAE_DAYS, MetricUnit.NoUnit, overall["mae_days"])
    if overall["coverage"] is not None:
        line.add_metric(metric_names.REALISED_COVERAGE, MetricUnit.NoUnit, overall["coverage"])
    nearest = overall["announcements"][-1]
    line.add_metric(metric_names.FAILURES_ANNOUNCED, MetricUnit.Count, nearest["announced"])
    line.add_metric(metric_names.FAILURES_MISSED, MetricUnit.Count, nearest["missed"])
    line.add_metric(metric_names.FALSE_ANNOUNCEMENTS, MetricUnit.Count, nearest["false"])
    line.add_metric(metric_names.PROMISES_BROKEN, MetricUnit.Count, len(figures["shortfalls"]))


def failed(namespace: str = metric_names.NAMESPACE) -> None:
    """Emit that a job failed."""
    line = _line(namespace)
    line.add_metric(metric_names.RETRAIN_FAILED, MetricUnit.Count, 1)
    line.flush_metrics()


def refused(namespace: str = metric_names.NAMESPACE) -> None:
    """Emit that an event was `invalid` or `refused`."""
    line = _line(namespace)
    line.add_metric(metric_names.RETRAIN_REFUSED, MetricUnit.Count, 1)
    line.flush_metrics()


def _line(namespace: str) -> EphemeralMetrics:
    return EphemeralMetrics(namespace=namespace, service=metric_names.RETRAIN_SERVICE)

"""Metrics of scoring: EMF on Lambda."""

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from monitory import metric_names
from monitory_score.run import Summary


def emit(summary: Summary, namespace: str) -> None:
    """Write a run's metrics as one line on standard output."""
    line = EphemeralMetrics(namespace=namespace, service=metric_names.SCORE_SERVICE)
    line.add_metric(metric_names.SCORE_COMPLETED, MetricUnit.Count, 1)
    line.add_metric(metric_names.SCORE_SECONDS, MetricUnit.Seconds, summary.seconds)
    line.add_metric(metric_names.MACHINES_SCORED, MetricUnit.Count, summary.scored)
    line.add_metric(metric_names.MACHINES_NOT_SCORED, MetricUnit.Count, summary.failed)
    line.add_metric(metric_names.MACHINES_LEFT, MetricUnit.Count, summary.left)
    line.add_metric(metric_names.PREDICTIONS_LOGGED, MetricUnit.Count, summary.logged)
    line.flush_metrics()


def failed(namespace: str) -> None:
    """Count a run that failed."""
    line = EphemeralMetrics(namespace=namespace, service=metric_names.SCORE_SERVICE)
    line.add_metric(metric_names.SCORE_FAILED, MetricUnit.Count, 1)
    line.flush_metrics()

"""Metrics of scoring: EMF on Lambda. Failures and seconds are counted by Lambda itself, at no cost."""

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from monitory import metric_names
from monitory_score.run import Summary


def emit(summary: Summary, namespace: str) -> None:
    """Write a run's metrics as one line on standard output."""
    line = EphemeralMetrics(namespace=namespace, service=metric_names.SCORE_SERVICE)
    line.add_metric(metric_names.SCORE_COMPLETED, MetricUnit.Count, 1)
    line.add_metric(metric_names.MACHINES_SCORED, MetricUnit.Count, summary.scored - summary.failed)
    line.add_metric(metric_names.MACHINES_NOT_SCORED, MetricUnit.Count, summary.failed + summary.left)
    line.flush_metrics()

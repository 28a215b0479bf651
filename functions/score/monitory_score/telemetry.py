"""Metrics of scoring: EMF on Lambda. Failures and seconds are counted by Lambda itself, at no cost."""

from monitory import metric_line, metric_names
from monitory_score.run import Summary


def emit(summary: Summary, namespace: str) -> None:
    """Write a run's metrics as one line on standard output."""
    values = {
        metric_names.SCORE_COMPLETED: 1,
        metric_names.MACHINES_SCORED: summary.scored - summary.failed,
        metric_names.MACHINES_NOT_SCORED: summary.failed + summary.left,
    }
    metric_line.write(namespace, metric_names.SCORE_SERVICE, values)

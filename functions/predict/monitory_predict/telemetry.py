"""Metrics of predictions: EMF on Lambda, nothing elsewhere."""

from datetime import UTC, datetime
from typing import Protocol

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from monitory import metric_names
from monitory_predict.service import Answer


class Telemetry(Protocol):
    """Where observations go."""

    def predicted(self, answer: Answer, seconds: float) -> None:
        """Record a prediction that took `seconds`."""

    def no_data(self) -> None:
        """Record a request for a machine without data."""


class EmfTelemetry:
    """Embedded metric format on standard output, one line per observation; safe in several threads."""

    def __init__(self, namespace: str = metric_names.NAMESPACE) -> None:
        """Metrics of a CloudWatch namespace."""
        self._namespace = namespace

    def predicted(self, answer: Answer, seconds: float) -> None:
        """See Telemetry."""
        response = answer.response
        age = datetime.now(UTC) - datetime.fromisoformat(response.model.trained_at)
        line = self._line()
        line.add_metric(metric_names.PREDICTIONS, MetricUnit.Count, 1)
        line.add_metric(metric_names.PREDICT_LATENCY, MetricUnit.Milliseconds, seconds * 1000)
        line.add_metric(metric_names.PREDICTED_RUL, MetricUnit.NoUnit, response.predictions[0])
        line.add_metric(metric_names.REJECTED_READINGS, MetricUnit.Count, sum(response.window.rejected.values()))
        line.add_metric(metric_names.MODEL_AGE_HOURS, MetricUnit.NoUnit, max(age.total_seconds() / 3600, 0.0))
        line.add_metric(metric_names.LAST_GOOD_MODEL_IN_USE, MetricUnit.Count, 1 if answer.problem else 0)
        line.add_metric(metric_names.DATA_AGE_MINUTES, MetricUnit.NoUnit, response.data_age_minutes)
        line.flush_metrics()

    def no_data(self) -> None:
        """See Telemetry."""
        line = self._line()
        line.add_metric(metric_names.NO_DATA, MetricUnit.Count, 1)
        line.flush_metrics()

    def _line(self) -> EphemeralMetrics:
        return EphemeralMetrics(namespace=self._namespace, service=metric_names.PREDICT_SERVICE)


class NoTelemetry:
    """Drops observations."""

    def predicted(self, answer: Answer, seconds: float) -> None:
        """See Telemetry."""

    def no_data(self) -> None:
        """See Telemetry."""

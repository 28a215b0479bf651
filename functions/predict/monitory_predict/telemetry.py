"""Metrics of predictions: EMF on Lambda, nothing elsewhere."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from monitory import metric_line, metric_names
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
        self._write(
            {
                metric_names.PREDICTIONS: 1,
                metric_names.PREDICT_LATENCY: seconds * 1000,
                metric_names.PREDICTED_RUL: response.predictions[0],
                metric_names.REJECTED_READINGS: sum(response.window.rejected.values()),
                metric_names.MODEL_AGE_HOURS: max(age.total_seconds() / 3600, 0.0),
                metric_names.LAST_GOOD_MODEL_IN_USE: 1 if answer.problem else 0,
                metric_names.DATA_AGE_MINUTES: response.data_age_minutes,
            }
        )

    def no_data(self) -> None:
        """See Telemetry."""
        self._write({metric_names.NO_DATA: 1})

    def _write(self, values: Mapping[str, float]) -> None:
        metric_line.write(self._namespace, metric_names.PREDICT_SERVICE, values)


class NoTelemetry:
    """Drops observations."""

    def predicted(self, answer: Answer, seconds: float) -> None:
        """See Telemetry."""

    def no_data(self) -> None:
        """See Telemetry."""

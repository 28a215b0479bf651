"""Entry point of the Lambda: every event, whatever it says, is a request to score what is new."""

from typing import Any

from monitory.settings import ScoreSettings, from_environment
from monitory_score.bootstrap import build_run, handle

_settings = from_environment(ScoreSettings)
_run = build_run(_settings)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Score the machines that have new objects; see `bootstrap.handle`."""
    remaining_ms = context.get_remaining_time_in_millis
    return handle(_run, lambda: remaining_ms() / 1000, _settings.powertools_metrics_namespace)

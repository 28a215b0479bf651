"""Entry point of the Lambda: `{"action": "digest"}` sends the digest; any other event asks to score what is new."""

from typing import Any

from monitory import clock
from monitory.settings import ScoreSettings, from_environment
from monitory_score.bootstrap import build_digest, build_run, handle

_settings = from_environment(ScoreSettings)
_run = build_run(_settings)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Send the digest, or score the machines that have new objects; see `WeeklyDigest.send` and `bootstrap.handle`."""
    if isinstance(event, dict) and event.get("action") == "digest":
        return build_digest(_settings).send(clock.now())
    remaining_ms = context.get_remaining_time_in_millis
    return handle(_run, lambda: remaining_ms() / 1000, _settings.powertools_metrics_namespace)

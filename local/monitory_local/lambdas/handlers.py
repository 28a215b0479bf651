"""The real Lambda handlers, called in this process as Lambda calls them.

Their logs go to standard error, so that a program's standard output is its answer alone.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

EVENTS = Path(__file__).resolve().parents[3] / "events"
PREDICT_SECONDS = 29.0
RETRAIN_SECONDS = 900.0
SCORE_SECONDS = 900.0

# For a person at a terminal, unless the environment says otherwise: text lines, no EMF among them.
_TERMINAL_DEFAULTS = {
    "LOG_FORMAT": "TEXT",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_TRACE_DISABLED": "true",
}

Event = dict[str, Any]


@dataclass
class LocalContext:
    """What the handlers use of Lambda's context object."""

    function_name: str
    seconds: float
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    memory_limit_in_mb: int = 3008
    function_version: str = "$LATEST"
    _start: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        """An ARN that names no account."""
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the function's time."""
        return max(0, round((self._start + self.seconds - time.monotonic()) * 1000))


def set_defaults() -> None:
    """Let the handlers of this process write for a terminal, where the environment doesn't say otherwise."""
    for name, value in _TERMINAL_DEFAULTS.items():
        os.environ.setdefault(name, value)


def predict_event(zone_id: str, equip_id: str) -> Event:
    """The event of API Gateway's REST API for a machine."""
    event: Event = deepcopy(json.loads((EVENTS / "predict-rest.json").read_text()))
    event["queryStringParameters"] = {"zoneId": zone_id, "equipId": equip_id}
    event["multiValueQueryStringParameters"] = {"zoneId": [zone_id], "equipId": [equip_id]}
    return event


def get_event(path: str) -> Event:
    """The event of API Gateway's REST API for a route without parameters."""
    event: Event = deepcopy(json.loads((EVENTS / "predict-rest.json").read_text()))
    event |= {
        "resource": path,
        "path": path,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
    }
    event["requestContext"] |= {"resourcePath": path, "path": path}
    return event


def predict(event: Event) -> Event:
    """The predict function's answer: an API Gateway response, whose `body` is text."""
    with redirect_stdout(sys.stderr):
        from monitory_predict import handler

        call = cast(Callable[[Event, LocalContext], Event], handler.lambda_handler)
        return call(event, LocalContext("monitory-predict", PREDICT_SECONDS))


def score() -> Event:
    """The score function's answer to its schedule."""
    with redirect_stdout(sys.stderr):
        from monitory_score import handler

        return handler.lambda_handler({}, LocalContext("monitory-score", SCORE_SECONDS))


def retrain(event: Event) -> Event:
    """The retrain function's answer."""
    with redirect_stdout(sys.stderr):
        from monitory_retrain import handler

        return handler.lambda_handler(event, LocalContext("monitory-retrain", RETRAIN_SECONDS))

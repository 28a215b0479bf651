"""The application as a Lambda handler: behind REST APIs, HTTP APIs and function URLs."""

import json
from typing import Any

from mangum import Mangum
from mangum.types import ASGI

from monitory_predict.plain.wire import Handler

MAX_ANSWER_BYTES = 6 * 1024 * 1024 - 1024
"""Lambda fails an invocation whose answer is larger than 6 MB of JSON; 1 KB is for the envelope."""

NOT_HTTP = (
    "not a gateway's HTTP request, so nothing was done; this function answers "
    "GET /api/v1/predict?zoneId=...&equipId=..., /api/v1/health and /api/v1/models"
)


def lambda_handler_of(app: ASGI) -> Handler:
    """The Lambda handler of an application.

    Warmers, schedules and manual invocations get status 400, never an exception: Lambda would count an error, and
    errors roll back a version that is being deployed.
    """
    # "off": with "auto" start-up and shut-down would run at every call
    adapter = Mangum(app, lifespan="off")

    def handle(event: Any, context: Any) -> dict[str, Any]:
        if not _is_request(adapter, event, context):
            return _reply(400, NOT_HTTP)
        return _bounded(adapter(event, context))

    return handle


def _is_request(adapter: Mangum, event: Any, context: Any) -> bool:
    """Whether Mangum can parse an event as a request; it validates nothing, so any exception may come."""
    try:
        request = adapter.infer(event, context)
        return bool(request.scope["method"]) and isinstance(request.body, bytes)
    except Exception:
        return False


def _bounded(answer: dict[str, Any]) -> dict[str, Any]:
    """The response, or status 413 if it is too large for Lambda."""
    if len(answer["body"]) <= MAX_ANSWER_BYTES // 6:  # a character takes six bytes at most
        return answer
    size = len(json.dumps(answer["body"], ensure_ascii=False).encode())
    if size <= MAX_ANSWER_BYTES:
        return answer
    return _reply(413, f"the answer has {size:,} bytes, Lambda returns at most 6 MB; read it from the model bucket")


def _reply(status: int, detail: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps({"detail": detail}),
        "isBase64Encoded": False,
    }

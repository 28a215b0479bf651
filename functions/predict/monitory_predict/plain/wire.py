"""What requests and answers have in common on the wire."""

from collections.abc import Callable
from typing import Any

Handler = Callable[[Any, Any], dict[str, Any]]
"""Of a Lambda function behind a gateway: an event and a context to an answer."""

API_PREFIX = "/api/v1/"
PAGE_PREFIX = "/page/"
PREDICT_PATH = f"{API_PREFIX}predict"

SECURITY_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Of every answer."""

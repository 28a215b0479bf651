"""Who calls: the API key that the gateway has checked."""

from starlette.types import Scope

LOCAL = "local"
"""The caller of a server on one's own machine, which has no gateway."""


def caller_of(scope: Scope) -> str:
    """The id of the API key of a request, by the gateway's event and not by a header; empty without one.

    Only a REST API has keys: behind an HTTP API or a function URL it is empty.
    """
    if "aws.event" not in scope:
        return LOCAL
    context = scope["aws.event"].get("requestContext") or {}
    return str((context.get("identity") or {}).get("apiKeyId") or "")

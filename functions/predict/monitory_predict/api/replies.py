"""What is answered where something is wrong: one table from errors to statuses, the faults of requests, their texts."""

from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from monitory import errors
from monitory.log import Logger
from monitory_predict.api import schemas
from monitory_predict.api.middleware import API_PREFIX, SECURITY_HEADERS
from monitory_predict.api.parameters import ALLOWED


class ErrorReply(NamedTuple):
    """The answer to an error: a status, and a fixed text or None for the error's own words."""

    status: int
    text: str | None = None


ERROR_REPLIES: dict[type[errors.MonitoryError], ErrorReply] = {
    errors.InvalidIdentifier: ErrorReply(422),
    errors.InvalidRecord: ErrorReply(422),
    errors.NotPermitted: ErrorReply(403),
    errors.Conflict: ErrorReply(409),
    errors.NoData: ErrorReply(404),
    errors.UnknownVersion: ErrorReply(404),
    errors.NoModel: ErrorReply(503, schemas.NO_MODEL),
    errors.BrokenModel: ErrorReply(503, schemas.MODEL_REFUSED),
    errors.StorageError: ErrorReply(503, schemas.STORAGE_FAILS),
    errors.ObjectTooLarge: ErrorReply(503, schemas.TOO_LARGE),
}
"""Errors not listed here are defects and answer 500. The cause of a 5xx goes to the log only."""

RETRY_AFTER_SECONDS = 30

_ERROR_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}

_NOT_FOUND: dict[str, Any] = {
    "description": "No such version or report, no readings that are recent enough, or nothing logged or measured"
}
_UNAVAILABLE: dict[str, Any] = {"description": "No model can be served, or the storage fails", "headers": _RETRY_AFTER}
_GATEWAY_ERRORS: dict[int | str, dict[str, Any]] = {
    403: {"description": "The gateway: no API key, or a wrong one", "content": _ERROR_CONTENT},
    429: {
        "description": "The gateway: more requests than the key may make",
        "headers": _RETRY_AFTER,
        "content": _ERROR_CONTENT,
    },
    500: {
        "description": "A defect; of the gateway: the function could not run",
        "content": _ERROR_CONTENT,
    },
    504: {"description": "The gateway: no answer within 29 s", "content": _ERROR_CONTENT},
}
ERRORS: dict[int | str, dict[str, Any]] = {
    # one route names the model, so that the document has its schema; a reference costs no start-up time
    422: {"model": schemas.ErrorResponse, "description": "A parameter is missing, malformed or repeated"},
    404: {**_NOT_FOUND, "content": _ERROR_CONTENT},
    503: {**_UNAVAILABLE, "content": _ERROR_CONTENT},
    **_GATEWAY_ERRORS,
}
ERRORS_WITHOUT_PARAMETERS = {status: ERRORS[status] for status in ERRORS if status not in (404, 422)}
ERRORS_OF_FIGURES = {status: ERRORS[status] for status in ERRORS if status != 422}
REPORT_ERRORS: dict[int | str, dict[str, Any]] = {
    **ERRORS,
    # a route that answers HTML would have its errors described as HTML, were they given by their model
    422: {"description": "The version is malformed", "content": _ERROR_CONTENT},
    413: {"description": "The report is larger than Lambda can return", "content": _ERROR_CONTENT},
}

RECORD_ERRORS: dict[int | str, dict[str, Any]] = {
    **{status: ERRORS[status] for status in ERRORS if status != 404},
    403: {
        "description": "The key may not write, or the gateway: no API key, or a wrong one",
        "content": _ERROR_CONTENT,
    },
    409: {"description": "The idempotency key belongs to another record", "content": _ERROR_CONTENT},
    422: {"description": "A field, a parameter or a header is missing or malformed", "content": _ERROR_CONTENT},
}

_SAMPLE_CHARACTERS = 80
_EXAMPLE_OF_A_RECORD = '{"kind": "maintenance", "start": "2026-11-21T09:00:00"}'
_EXAMPLES = {
    "query": f"{API_PREFIX}predict?zoneId=...&equipId=...",
    "header": "an identifier of your own, so that a repeated request is one record",
}
"""How a request looks that has what is missing, by where it is missing."""


def install(app: FastAPI, log: Logger) -> None:
    """Let an application answer errors by the table."""
    for kind, reply in ERROR_REPLIES.items():
        app.exception_handler(kind)(_error_handler(reply, log))
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_no_route)
    app.exception_handler(Exception)(_defect)


def _error_handler(reply: ErrorReply, log: Logger) -> Any:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if reply.status == 503 else None

    def handle(request: Request, error: Exception) -> JSONResponse:
        if reply.status >= 500:
            log.error("%s: %s", type(error).__name__, error)
        else:
            log.info("%s: %s", type(error).__name__, error)
        return JSONResponse({"detail": reply.text or str(error)}, reply.status, headers)

    return handle


def _invalid(request: Request, error: Exception) -> JSONResponse:
    listed = error.errors() if isinstance(error, RequestValidationError) else []
    return JSONResponse({"detail": "; ".join(map(_fault, listed))}, 422)


def _fault(fault: dict[str, Any]) -> str:
    """What is wrong with a parameter, in words; those of the validator's would hold a regular expression."""
    place, name = fault["loc"][0], fault["loc"][-1]
    if fault["type"] == "json_invalid":
        return "the body is not JSON"
    if fault["type"] == "missing":
        return f"{name} is missing: {_EXAMPLES.get(place, _EXAMPLE_OF_A_RECORD)}"
    if fault["type"] == "string_pattern_mismatch":
        allowed = "letters, digits and any of - _ .; at most 64, no dot first" if place == "header" else ALLOWED
        return f"{name} is {ascii(fault['input'])[:_SAMPLE_CHARACTERS]}, it must be {allowed}"
    return f"{name}: {fault['msg']}"


def _no_route(request: Request, error: Exception) -> JSONResponse:
    """No such path, or not with this method; or a body that cannot be decoded."""
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (404, None)
    if status == 405:
        method = "POST" if (headers or {}).get("Allow") == "POST" else "GET"
        detail = f"{request.method} is not allowed here; use {method}"
        return JSONResponse({"detail": detail}, status, {"Allow": "GET, HEAD" if method == "GET" else method})
    if status == 400:  # FastAPI's only one: a body that is no text, or nested too deeply
        return JSONResponse({"detail": "the body is not JSON"}, 422)
    names = (
        "predict",
        "fleet",
        "cases",
        "machines/{zoneId}/{equipId}",
        "machines/{zoneId}/{equipId}/history",
        "machines/{zoneId}/{equipId}/records",
        "performance",
        "health",
        "models",
        "models/{version}/report",
        "openapi.json",
    )
    paths = ", ".join(API_PREFIX + path for path in names)
    return JSONResponse({"detail": f"no such path; there are {paths}"}, status)


def _defect(request: Request, error: Exception) -> JSONResponse:
    """A fixed text without internals. Starlette raises the error again, for the log."""
    return JSONResponse({"detail": "internal error"}, 500, SECURITY_HEADERS)

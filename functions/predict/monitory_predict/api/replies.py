"""What the application answers where something is wrong: errors by their table, faults of requests in words."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from monitory.log import Logger
from monitory_predict.api import schemas
from monitory_predict.api.parameters import ALLOWED
from monitory_predict.plain.error_replies import ERROR_REPLIES, ErrorReply
from monitory_predict.plain.wire import API_PREFIX, SECURITY_HEADERS

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
    def handle(request: Request, error: Exception) -> JSONResponse:
        reply.log(error, log)
        return JSONResponse({"detail": reply.detail(error)}, reply.status, reply.headers)

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

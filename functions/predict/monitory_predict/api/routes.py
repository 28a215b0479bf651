"""The HTTP API: routes, and one table from errors to statuses."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, NamedTuple, ParamSpec, TypeVar

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from monitory import clock, errors
from monitory.log import Logger
from monitory.machine import PATTERN, machine
from monitory.scoring.answer import PredictResponse, why
from monitory.scoring.performance import Performance
from monitory_predict.api import document, schemas
from monitory_predict.api.middleware import API_PREFIX, SECURITY_HEADERS, BasePath, HeadAsGet, SecurityHeaders
from monitory_predict.fleet_page import FleetQuery, FleetResponse, State
from monitory_predict.machine_log import MOST_DAYS, HistoryResponse
from monitory_predict.service import PredictService
from monitory_predict.telemetry import Telemetry


class ErrorReply(NamedTuple):
    """The answer to an error: a status, and a fixed text or None for the error's own words."""

    status: int
    text: str | None = None


ERROR_REPLIES: dict[type[errors.MonitoryError], ErrorReply] = {
    errors.InvalidIdentifier: ErrorReply(422),
    errors.NoData: ErrorReply(404),
    errors.UnknownVersion: ErrorReply(404),
    errors.NoModel: ErrorReply(503, schemas.NO_MODEL),
    errors.BrokenModel: ErrorReply(503, schemas.MODEL_REFUSED),
    errors.StorageError: ErrorReply(503, schemas.STORAGE_FAILS),
    errors.ObjectTooLarge: ErrorReply(503, schemas.TOO_LARGE),
}
"""Errors not listed here are defects and answer 500. The cause of a 5xx goes to the log only."""

RETRY_AFTER_SECONDS = 30

P = ParamSpec("P")
T = TypeVar("T")

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
_ERRORS: dict[int | str, dict[str, Any]] = {
    # one route names the model, so that the document has its schema; a reference costs no start-up time
    422: {"model": schemas.ErrorResponse, "description": "A parameter is missing, malformed or repeated"},
    404: {**_NOT_FOUND, "content": _ERROR_CONTENT},
    503: {**_UNAVAILABLE, "content": _ERROR_CONTENT},
    **_GATEWAY_ERRORS,
}
_ERRORS_WITHOUT_PARAMETERS = {status: _ERRORS[status] for status in _ERRORS if status not in (404, 422)}
_ERRORS_OF_FIGURES = {status: _ERRORS[status] for status in _ERRORS if status != 422}
_REPORT_ERRORS: dict[int | str, dict[str, Any]] = {
    **_ERRORS,
    # a route that answers HTML would have its errors described as HTML, were they given by their model
    422: {"description": "The version is malformed", "content": _ERROR_CONTENT},
    413: {"description": "The report is larger than Lambda can return", "content": _ERROR_CONTENT},
}

_ALLOWED = "letters, digits, spaces and any of - _ . : + # @ ( ); at most 64, no dot or space first"
_SAMPLE_CHARACTERS = 80

ZoneId = Annotated[str, Query(alias="zoneId", pattern=PATTERN, description=_ALLOWED, examples=["ZONE-001"])]
EquipId = Annotated[str, Query(alias="equipId", pattern=PATTERN, description=_ALLOWED, examples=["EQUIP-001"])]
Key = Annotated[
    str | None,
    Query(
        max_length=1024,
        description="key of the machine's newest object, decoded; saves a listing where the score function runs",
        examples=["EQUIPMENT/date=2026-11-20/zone_id=ZONE-001/equip_id=EQUIP-001/equip-1-0.json"],
    ),
]
FleetZone = Annotated[str | None, Query(alias="zoneId", pattern=PATTERN, description="machines of this zone only")]
FleetState = Annotated[State | None, Query(description="machines in this state only")]
Limit = Annotated[int, Query(ge=1, le=200, description="machines on a page")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="machines before the page")]

ZonePart = Annotated[str, Path(alias="zoneId", pattern=PATTERN, description=_ALLOWED, examples=["ZONE-001"])]
EquipPart = Annotated[str, Path(alias="equipId", pattern=PATTERN, description=_ALLOWED, examples=["EQUIP-001"])]
Days = Annotated[int, Query(ge=1, le=MOST_DAYS, description="days up to now; each costs 24 reads of the store")]


def create_app(service: PredictService, log: Logger, telemetry: Telemetry) -> FastAPI:
    """The application; the same under Lambda and under uvicorn."""
    app = FastAPI(
        title="Monitory ML",
        version="1",
        summary="Remaining useful life of factory machines",
        description="Reads a machine's newest hour of sensor readings and answers its RUL in days.",
        openapi_url=document.PATH,
        docs_url=None,  # their assets come from the network; a server on one's own machine brings a page of its own
        redoc_url=None,
        redirect_slashes=False,  # it would redirect to the host that the caller named, without the gateway's stage
    )
    app.openapi = partial(document.openapi, app)  # type: ignore[method-assign]
    for middleware in (HeadAsGet, BasePath, SecurityHeaders):
        app.add_middleware(middleware)
    for kind, reply in ERROR_REPLIES.items():
        app.exception_handler(kind)(_error_handler(reply, log))
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_no_route)
    app.exception_handler(Exception)(_defect)

    async def within_time(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a call in one of the loop's threads, which goes on after the deadline, for the next caller."""
        try:
            return await asyncio.wait_for(asyncio.to_thread(call, *args, **kwargs), service.answer_seconds)
        except TimeoutError as exc:
            raise errors.StorageUnavailable(f"no answer within {service.answer_seconds:g} s") from exc

    @app.get("/api/v1/predict", responses=_ERRORS, response_model=PredictResponse)
    async def predict(request: Request, zone_id: ZoneId, equip_id: EquipId, key: Key = None) -> Response:
        """The remaining useful life of a machine in days, with its interval and the sensors that drive it."""
        started = time.perf_counter()
        _each_once(request.query_params, "zoneId", "equipId", "key")
        try:
            answer = await within_time(service.answer, machine(zone_id, equip_id), clock.now(), key)
        except errors.NoData:
            telemetry.no_data()
            raise
        telemetry.predicted(answer, time.perf_counter() - started)
        if answer.problem:
            _log_problem(log, answer.problem)
        return _json(answer.response)

    @app.get("/api/v1/fleet", responses=_ERRORS, response_model=FleetResponse)
    async def fleet(
        request: Request, zone_id: FleetZone = None, state: FleetState = None, limit: Limit = 50, offset: Offset = 0
    ) -> Response:
        """Every machine as the score function saw it last, the most urgent first; one read of the store."""
        _each_once(request.query_params, "zoneId", "state", "limit", "offset")
        query = FleetQuery(zone_id, state, limit, offset)
        return _json(await within_time(service.fleet, query, clock.now()))

    @app.get("/api/v1/machines/{zoneId}/{equipId}/history", responses=_ERRORS, response_model=HistoryResponse)
    async def history(request: Request, zone_id: ZonePart, equip_id: EquipPart, days: Days = 7) -> Response:
        """What a machine was predicted hour by hour, as the score function logged it."""
        _each_once(request.query_params, "days")
        return _json(await within_time(service.history, machine(zone_id, equip_id), days, clock.now()))

    @app.get("/api/v1/performance", responses=_ERRORS_OF_FIGURES, response_model=Performance)
    async def performance() -> Response:
        """What logged predictions came to: errors, coverage, announced and missed failures; measured every night."""
        return _json(await within_time(service.performance))

    @app.get("/api/v1/health", responses=_ERRORS_WITHOUT_PARAMETERS, response_model=schemas.HealthResponse)
    async def health() -> Response:
        """Whether a model can be served."""
        current = await within_time(service.current_model)
        message, served = "serving", current.served
        if current.problem:
            _log_problem(log, current.problem)
            message = f"serving, but not the newest model: {why(current.problem)}"
        return _json(schemas.HealthResponse(message=message, version=served.version, trained_at=served.trained_at))

    @app.get("/api/v1/models", responses=_ERRORS_WITHOUT_PARAMETERS, response_model=schemas.ModelsResponse)
    async def models() -> Response:
        """The stored versions with their metrics, which one is served since when, and the promotion history."""
        stored, history, promotion = await within_time(service.versions)
        served = promotion.version if promotion else None
        versions = [
            schemas.VersionInfo(
                version=item.version,
                served=item.version == served,
                served_since=promotion.at if promotion and item.version == served else None,
                metrics=item.metrics,
            )
            for item in stored
        ]
        changes = [schemas.PromotionInfo.model_validate(change, from_attributes=True) for change in reversed(history)]
        return _json(schemas.ModelsResponse(served=served, versions=versions, history=changes))

    @app.get("/api/v1/models/{version:path}/report", responses=_REPORT_ERRORS, response_class=HTMLResponse)
    async def report(version: str) -> Response:
        """The report page of a version; dashes stand for the slashes: `2026-11-20-150312`."""
        return HTMLResponse(await within_time(service.report, version))

    return app


def _each_once(query: QueryParams, *names: str) -> None:
    """Refuse a repeated parameter, of which FastAPI takes the last one in silence.

    Raises:
        InvalidIdentifier: a name occurs more than once.
    """
    for name in names:
        values = query.getlist(name)
        if len(values) > 1:
            raise errors.InvalidIdentifier(f"{name} is given {len(values)} times; ask for one machine at a time")


def _json(body: Any) -> Response:
    return Response(body.model_dump_json(), media_type="application/json")


def _log_problem(log: Logger, problem: errors.MonitoryError) -> None:
    log.error("the last good model answers: %s", problem)


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
    name = fault["loc"][-1]
    if fault["type"] == "missing":
        return f"{name} is missing: {API_PREFIX}predict?zoneId=...&equipId=..."
    if fault["type"] == "string_pattern_mismatch":
        return f"{name} is {ascii(fault['input'])[:_SAMPLE_CHARACTERS]}, it must be {_ALLOWED}"
    return f"{name}: {fault['msg']}"


def _no_route(request: Request, error: Exception) -> JSONResponse:
    """No such path, or not with this method."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status == 405:
        detail = f"{request.method} is not allowed here; use GET"
        return JSONResponse({"detail": detail}, status, {"Allow": "GET, HEAD"})
    names = (
        "predict",
        "fleet",
        "machines/{zoneId}/{equipId}/history",
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

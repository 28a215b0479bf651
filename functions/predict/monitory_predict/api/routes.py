"""The HTTP API: routes, and one table from errors to statuses."""

import asyncio
import time
from bisect import bisect_right
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from typing import Annotated, Any, NamedTuple, ParamSpec, TypeVar

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitory import clock, errors
from monitory.features import vector
from monitory.log import Logger
from monitory.machine import PATTERN, machine
from monitory_predict.api import schemas
from monitory_predict.prediction import window
from monitory_predict.service import Answer, PredictService
from monitory_predict.telemetry import Telemetry


class Told(NamedTuple):
    """What a caller is told of an error: a status, and a fixed text or None for the error's own words."""

    status: int
    text: str | None = None


TOLD: dict[type[errors.MonitoryError], Told] = {
    errors.InvalidIdentifier: Told(422),
    errors.NoData: Told(404),
    errors.UnknownVersion: Told(404),
    errors.NoModel: Told(503, schemas.NO_MODEL),
    errors.BrokenModel: Told(503, schemas.MODEL_REFUSED),
    errors.StorageError: Told(503, schemas.STORAGE_FAILS),
    errors.ObjectTooLarge: Told(503, schemas.TOO_LARGE),
}
"""Errors not listed here are defects: they answer 500. Of all 5xx the cause is for the log alone."""

RETRY_AFTER_SECONDS = 30

REQUEST_THREADS = 40
"""Requests that are worked on at a time under a local server; Lambda asks for one."""

P = ParamSpec("P")
T = TypeVar("T")

_ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": schemas.ErrorResponse, "description": "No data, or none that is recent enough"},
    422: {"model": schemas.ErrorResponse, "description": "A parameter is missing or malformed"},
    503: {"model": schemas.ErrorResponse, "description": "No model, or the storage fails; see Retry-After"},
}

# told in full: a route that answers HTML would have its errors described as HTML
_JSON_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": _ERRORS[status]["description"],
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}},
    }
    for status in (404, 422, 503)
}

_ALLOWED = "letters, digits, '-', '_', '.'; at most 64, no dot first"
ZoneId = Annotated[str, Query(alias="zoneId", pattern=PATTERN, description=_ALLOWED, examples=["ZONE-001"])]
EquipId = Annotated[str, Query(alias="equipId", pattern=PATTERN, description=_ALLOWED, examples=["EQUIP-001"])]


def create_app(service: PredictService, log: Logger, telemetry: Telemetry) -> FastAPI:
    """The application; the same under Lambda and under uvicorn."""
    app = FastAPI(
        title="Monitory ML",
        version="1",
        summary="Remaining useful life of factory machines",
        description="Reads a machine's newest hour of sensor readings and answers its RUL in days.",
        redirect_slashes=False,  # it would send callers to whatever host they named, without the gateway's stage
    )
    app.add_middleware(_SecurityHeaders)
    for kind, told in TOLD.items():
        app.exception_handler(kind)(_error_handler(told, log))
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(Exception)(_defect)

    # Starlette runs plain functions in threads that end with the event loop: under Mangum, with each request
    threads = ThreadPoolExecutor(REQUEST_THREADS, thread_name_prefix="request")

    async def asked(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(threads.submit(call, *args, **kwargs))

    @app.get("/api/v1/predict", responses={**_ERRORS}, response_model=schemas.PredictResponse)
    async def predict(zone_id: ZoneId, equip_id: EquipId) -> Response:
        """The remaining useful life of a machine in days, with its interval and the sensors that drive it."""
        started = time.perf_counter()
        try:
            answer = await asked(service.predict, machine(zone_id, equip_id), clock.now())
        except errors.NoData:
            telemetry.no_data()
            raise
        telemetry.predicted(answer, time.perf_counter() - started)
        if answer.current.problem:
            _log_problem(log, answer.current.problem)
        return _json(predict_response(answer))

    @app.get("/api/v1/health", responses={503: _ERRORS[503]}, response_model=schemas.HealthResponse)
    async def health() -> Response:
        """Whether a model can be served."""
        current = await asked(service.current_model)
        message, served = "serving", current.served
        if current.problem:
            _log_problem(log, current.problem)
            message = f"serving, but not the newest model: {schemas.why(current.problem)}"
        return _json(schemas.HealthResponse(message=message, version=served.version, trained_at=served.trained_at))

    @app.get("/api/v1/models", responses={503: _ERRORS[503]}, response_model=schemas.ModelsResponse)
    async def models() -> Response:
        """The stored versions with their metrics, which one is served since when, and the promotion history."""
        stored, history, promotion = await asked(service.versions)
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

    @app.get("/api/v1/models/{version:path}/report", responses={**_JSON_ERRORS}, response_class=HTMLResponse)
    async def report(version: str) -> Response:
        """The report page of a version; dashes stand for the slashes: `2026-11-20-150312`."""
        return HTMLResponse(await asked(service.report, version))

    return app


def predict_response(answer: Answer) -> schemas.PredictResponse:
    """What a caller is told of a prediction; days with two decimals."""
    prediction, recent = answer.prediction, answer.recent
    estimate, served = prediction.estimate, answer.current.served
    start, end = window(recent.newest.hour)
    interval = None
    if served.model.card and served.model.card.calibration and estimate.low is not None and estimate.high is not None:
        interval = schemas.Interval(
            low=round(estimate.low, 2),
            high=round(estimate.high, 2) if estimate.high < served.model.cap_days else None,
            coverage=served.model.card.calibration.coverage,
        )
    warnings = list(prediction.warnings)
    if answer.current.problem:
        why = schemas.why(answer.current.problem)
        warnings.append(f"the newest model cannot be used, the last good one answers: {why}")
    if recent.future_hours:
        warnings.append(f"{recent.future_hours} hours with readings from the future were left out")
    warnings += recent.unreadable[-3:]
    first = recent.newest.hour - vector.HISTORY_HOURS
    return schemas.PredictResponse(
        predictions=[round(estimate.days, 4)],
        rul=f">= {served.model.cap_days:g} days" if prediction.at_cap else f"{estimate.days:.1f} days",
        interval=interval,
        base_days=round(prediction.base, 4),
        drivers=[schemas.SensorShare(sensor=d.sensor, days=round(d.days, 4)) for d in prediction.drivers],
        state=prediction.state,
        warnings=warnings,
        window=schemas.Window(
            start=start,
            end=end,
            readings=recent.newest.readings,
            rejected=recent.rejected,
            missing_sensors=prediction.missing_sensors,
            history_hours=len(recent.rows) - bisect_right(recent.rows, first, key=attrgetter("hour")),
        ),
        data_age_minutes=round(max(recent.age.total_seconds(), 0.0) / 60, 1),
        model=schemas.ModelUsed(version=served.version, trained_at=served.trained_at),
    )


def _json(body: Any) -> Response:
    return Response(body.model_dump_json(), media_type="application/json")


def _log_problem(log: Logger, problem: errors.MonitoryError) -> None:
    log.error("the last good model answers: %s", problem)


def _error_handler(told: Told, log: Logger) -> Any:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if told.status == 503 else None

    def handle(request: Request, error: Exception) -> JSONResponse:
        if told.status >= 500:
            log.error("%s: %s", type(error).__name__, error)
        else:
            log.info("%s: %s", type(error).__name__, error)
        return JSONResponse({"detail": told.text or str(error)}, told.status, headers)

    return handle


def _invalid(request: Request, error: Exception) -> JSONResponse:
    listed = error.errors() if isinstance(error, RequestValidationError) else []
    faults = [f"{fault['loc'][-1]}: {fault['msg']}" for fault in listed]
    return JSONResponse({"detail": "; ".join(faults)}, 422)


def _defect(request: Request, error: Exception) -> JSONResponse:
    """A fixed text: what is inside stays inside. Starlette raises it again, for the log."""
    return JSONResponse({"detail": "internal error"}, 500, _SECURITY_HEADERS)


_SECURITY_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class _SecurityHeaders:
    """Puts headers on every answer; plain ASGI, for Starlette's own kind of middleware costs a task a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_SECURITY_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)

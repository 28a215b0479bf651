"""The HTTP API: routes."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from monitory import clock, errors
from monitory.log import Logger
from monitory.machine import machine
from monitory.scoring.answer import PredictResponse, why
from monitory.scoring.performance import Performance
from monitory_predict.api import document, replies, schemas
from monitory_predict.api.caller import caller_of
from monitory_predict.api.middleware import BasePath, HeadAsGet, SecurityHeaders
from monitory_predict.api.page_files import add_page
from monitory_predict.api.parameters import (
    CaseLimit,
    CaseOffset,
    CaseStatus,
    Days,
    EquipId,
    EquipPart,
    FleetLevel,
    FleetState,
    FleetText,
    FleetZone,
    IdempotencyKey,
    Key,
    Limit,
    Offset,
    WithTrend,
    ZoneId,
    ZonePart,
    each_once,
)
from monitory_predict.factory_service import FactoryService
from monitory_predict.machine_log import HistoryResponse
from monitory_predict.plain.predictions import Predictions
from monitory_predict.plain.wire import PREDICT_PATH
from monitory_predict.service import PredictService
from monitory_predict.telemetry import Telemetry
from monitory_predict.views.case_page import CaseQuery, CasesResponse
from monitory_predict.views.fleet_page import FleetQuery
from monitory_predict.views.fleet_view import FleetResponse
from monitory_predict.views.machine_page import MachineResponse

P = ParamSpec("P")
T = TypeVar("T")


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
    replies.install(app, log)
    predictions = Predictions(service, log, telemetry)
    factory = FactoryService(service)

    async def within_time(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a call in one of the loop's threads, which goes on after the deadline, for the next caller."""
        try:
            return await asyncio.wait_for(asyncio.to_thread(call, *args, **kwargs), service.answer_seconds)
        except TimeoutError as exc:
            raise errors.StorageUnavailable(f"no answer within {service.answer_seconds:g} s") from exc

    @app.get(PREDICT_PATH, responses=replies.ERRORS, response_model=PredictResponse)
    def predict(request: Request, zone_id: ZoneId, equip_id: EquipId, key: Key = None) -> Response:
        """The remaining useful life of a machine in days, with its interval and the sensors that drive it."""
        each_once(request.query_params, "zoneId", "equipId", "key")
        return Response(predictions.json(machine(zone_id, equip_id), key), media_type="application/json")

    @app.get("/api/v1/fleet", responses=replies.ERRORS, response_model=FleetResponse)
    async def fleet(
        request: Request,
        zone_id: FleetZone = None,
        state: FleetState = None,
        level: FleetLevel = None,
        text: FleetText = "",
        with_trend: WithTrend = False,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> Response:
        """Every machine as the score function saw it last, the most urgent first; one read of the store."""
        each_once(request.query_params, "zoneId", "state", "level", "q", "trend", "limit", "offset")
        query = FleetQuery(zone_id, state, limit, offset, level, text, with_trend)
        return _json(await within_time(factory.fleet, query, clock.now()))

    @app.get("/api/v1/cases", responses=replies.ERRORS, response_model=CasesResponse)
    async def cases(
        request: Request,
        zone_id: FleetZone = None,
        status: CaseStatus = None,
        limit: CaseLimit = 50,
        offset: CaseOffset = 0,
    ) -> Response:
        """What people have to do with, the most urgent first: one case a machine and life, one a silent machine."""
        each_once(request.query_params, "zoneId", "status", "limit", "offset")
        query = CaseQuery(zone_id, status, limit, offset)
        return _json(await within_time(factory.case_book.page, query, clock.now()))

    @app.post(
        "/api/v1/machines/{zoneId}/{equipId}/records",
        status_code=201,
        responses=replies.RECORD_ERRORS,
        response_model=schemas.RecordResponse,
    )
    async def record(
        request: Request,
        zone_id: ZonePart,
        equip_id: EquipPart,
        idempotency_key: IdempotencyKey,
        body: schemas.RecordRequest,
    ) -> Response:
        """Write down what was seen, is planned, was done or has failed; needs a key of the operators' plan."""
        caller = caller_of(request.scope)
        written = body.record(machine(zone_id, equip_id), idempotency_key, clock.now(), caller)
        stored = await within_time(factory.case_book.add, caller, written)
        return _json(schemas.RecordResponse.of(stored), 201)

    @app.get("/api/v1/machines/{zoneId}/{equipId}", responses=replies.ERRORS, response_model=MachineResponse)
    async def one_machine(zone_id: ZonePart, equip_id: EquipPart) -> Response:
        """A machine's month: trend, sensors, past runs, records and cases; predict has its present RUL."""
        return _json(await within_time(factory.machine, machine(zone_id, equip_id), clock.now()))

    @app.get("/api/v1/machines/{zoneId}/{equipId}/history", responses=replies.ERRORS, response_model=HistoryResponse)
    async def history(request: Request, zone_id: ZonePart, equip_id: EquipPart, days: Days = 7) -> Response:
        """What a machine was predicted hour by hour, as the score function logged it."""
        each_once(request.query_params, "days")
        return _json(await within_time(factory.history, machine(zone_id, equip_id), days, clock.now()))

    @app.get("/api/v1/performance", responses=replies.ERRORS_OF_FIGURES, response_model=Performance)
    async def performance() -> Response:
        """What logged predictions came to: errors, coverage, announced and missed failures; measured every night."""
        return _json(await within_time(factory.performance))

    @app.get("/api/v1/health", responses=replies.ERRORS_WITHOUT_PARAMETERS, response_model=schemas.HealthResponse)
    async def health() -> Response:
        """Whether a model can be served."""
        current = await within_time(service.current_model)
        message, served = "serving", current.served
        if current.problem:
            log.error("the last good model answers: %s", current.problem)
            message = f"serving, but not the newest model: {why(current.problem)}"
        return _json(schemas.HealthResponse(message=message, version=served.version, trained_at=served.trained_at))

    @app.get("/api/v1/models", responses=replies.ERRORS_WITHOUT_PARAMETERS, response_model=schemas.ModelsResponse)
    async def models() -> Response:
        """The stored versions with their metrics, which one is served since when, and the promotion history."""
        stored, history, promotion = await within_time(factory.versions)
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

    @app.get("/api/v1/models/{version:path}/report", responses=replies.REPORT_ERRORS, response_class=HTMLResponse)
    async def report(version: str) -> Response:
        """The report page of a version; dashes stand for the slashes: `2026-11-20-150312`."""
        return HTMLResponse(await within_time(factory.report, version))

    add_page(app)
    return app


def _json(body: BaseModel, status: int = 200) -> Response:
    return Response(body.model_dump_json(), status, media_type="application/json")

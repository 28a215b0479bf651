"""The page on a port of this machine, served by the product's routes, beside answers that a test chooses."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp

from monitory_local.ports import HOST
from monitory_predict.api.middleware import BasePath, HeadAsGet, SecurityHeaders
from monitory_predict.api.page_files import add_page
from tests.support import page_models
from tests.support.page_factory import Factory

REPORT = """<!doctype html><title>r</title><style>h1{color:rgb(1,2,3)}</style><h1>Report of a version</h1>
<input type="radio" class="language" name="language" id="language-en" checked>
<input type="radio" class="language" name="language" id="language-ko">"""


@dataclass
class PageServer:
    """A running server.

    Attributes:
        factory: whose answers are given.
        key: what requests need as `x-api-key`; None for none.
        faults: status, detail and headers by the beginning of a path below /api/v1/; they go before all else.
        seen: method, path with query, and headers of each request to the API.
    """

    factory: Factory
    address: str = ""
    key: str | None = None
    faults: dict[str, tuple[int, str, dict[str, str]]] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def answer(self, request: Request, path: str, body: bytes) -> Response:
        """What is answered to a request."""
        self.seen.append((request.method, str(request.url), dict(request.headers)))
        for prefix, (status, detail, headers) in self.faults.items():
            if path.startswith(prefix):
                return _json({"detail": detail}, status, headers)
        if self.key is not None and request.headers.get("x-api-key") != self.key:
            return _json({"detail": "x-api-key is missing, or its key is not valid"}, 403)
        return self._known(request, path, body)

    def _known(self, request: Request, path: str, body: bytes) -> Response:
        factory, parts, query = self.factory, path.split("/"), dict(request.query_params)
        answers: dict[str, Any] = {
            "fleet": lambda: factory.fleet(query),
            "cases": factory.cases,
            "models": page_models.models,
            "performance": page_models.performance,
            "health": page_models.health,
            "predict": lambda: factory.predict(query["zoneId"], query["equipId"]),
        }
        if path in answers:
            found = answers[path]()
            return _json(found) if found else _json({"detail": "no readings of it"}, 404)
        if parts[0] == "machines" and len(parts) == 3:
            found = factory.machine(parts[1], parts[2])
            return _json(found) if found else _json({"detail": "no such machine"}, 404)
        if parts[0] == "machines" and parts[-1] == "records":
            record_id = request.headers["idempotency-key"]
            return _json(factory.write(parts[1], parts[2], record_id, json.loads(body)), 201)
        if parts[0] == "models" and parts[-1] == "report":
            return Response(REPORT, media_type="text/html")
        return _json({"detail": "there is no such route"}, 404)


@contextmanager
def serving(factory: Factory | None = None) -> Iterator[PageServer]:
    """A server that ends with the block."""
    server = PageServer(factory or Factory())
    app = _beside(server)
    with listening(app) as address:
        server.address = address
        yield server


def _beside(server: PageServer) -> FastAPI:
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    for middleware in (HeadAsGet, BasePath, SecurityHeaders):
        app.add_middleware(middleware)
    add_page(app)

    @app.api_route("/api/v1/{path:path}", methods=["GET", "POST"])
    async def api(request: Request, path: str) -> Response:
        return server.answer(request, path, await request.body())

    return app


@contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    """An application on a port of this machine until the block ends; yields its address, with a slash at its end."""
    running = uvicorn.Server(uvicorn.Config(app, host=HOST, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://{HOST}:{port}/"
    finally:
        running.should_exit = True
        thread.join(5)


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, media_type="application/json")

"""Middleware of every request; plain ASGI, because Starlette's own costs a task per request."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitory_predict.plain.wire import API_PREFIX, PAGE_PREFIX, SECURITY_HEADERS


class SecurityHeaders:
    """Puts headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class BasePath:
    """Sets the base path: everything before the API's own paths, such as a stage or a custom domain's base path.

    The gateway's event does not always contain it, so it ends where the API's prefix begins, or the page's.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and (base := _base_path(scope)):
            # the page itself, whose path is the base path, may lack its slash
            path = scope["path"] if scope["path"] != base else f"{base}/"
            scope = {**scope, "path": path, "root_path": base}
        await self._app(scope, receive, send)


def _base_path(scope: Scope) -> str:
    path: str = scope["path"]
    if (at := path.find(API_PREFIX)) >= 0 or (at := path.rfind(PAGE_PREFIX)) >= 0:
        return path[:at]
    event = scope.get("aws.event") or {}
    stage = (event.get("requestContext") or {}).get("stage")
    is_root = event.get("resource") == "/" or path.rstrip("/") == f"/{stage}"
    return path.rstrip("/") if is_root else ""


class HeadAsGet:
    """Answers HEAD as GET without the body."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.start":
                del MutableHeaders(scope=message)["content-length"]  # gateways compare it with the empty body
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, send_without_body)

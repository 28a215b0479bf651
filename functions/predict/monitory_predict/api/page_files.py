"""The page that people open: static files, served without a key and without any data."""

import hashlib
import html
import re
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from monitory_predict.plain.wire import PAGE_PREFIX

FOLDER = Path(__file__).resolve().parents[1] / "page"
INDEX, REPORT = "index.html", "report.html"

# text all of them: a REST API hands other types on in base64
MEDIA_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'none'{types}"
)
POLICY = _POLICY.format(styles="", types="; require-trusted-types-for 'script'; trusted-types 'none'")
REPORT_POLICY = _POLICY.format(styles=" 'unsafe-inline'", types="")
"""A report brings its style along, and a frame has the policy of the page around it; scripts in it do not run."""

HEADERS = {
    "cache-control": "no-cache",  # asked for again each time, and answered 304: no two files of different versions
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}

_BASE = '<base href="./">'
_PATH = re.compile(r"(/[\w.~-]+)*/?", re.ASCII)


class PageFile(NamedTuple):
    """A file as it is sent."""

    body: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, body: bytes, media_type: str) -> "PageFile":
        """A body with its ETag."""
        return cls(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:20]}"')


class PageFiles:
    """The files of the page, read at the first request."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Nothing is read yet."""
        self._folder = folder

    @cached_property
    def _files(self) -> dict[str, PageFile]:
        return {
            path.name: PageFile.of(path.read_bytes(), MEDIA_TYPES[path.suffix])
            for path in self._folder.iterdir()
            if path.suffix in MEDIA_TYPES
        }

    def file(self, name: str) -> PageFile:
        """A file by its name.

        Raises:
            HTTPException: 404, there is none.
        """
        if name not in self._files:
            raise HTTPException(404)
        return self._files[name]

    def index(self, base: str | None) -> PageFile:
        """The page itself, below a base path that ends with a slash; None where the address has that slash."""
        page = self.file(INDEX)
        if base is None:
            return page
        element = f'<base href="{html.escape(base)}">'
        return PageFile.of(page.body.replace(_BASE.encode(), element.encode(), 1), page.media_type)


def add_page(app: FastAPI) -> None:
    """Add the page's routes to an application."""
    files = PageFiles()

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return _reply(request, files.index(base_path(request.scope.get("aws.event"))), POLICY)

    @app.get(PAGE_PREFIX + "{file}", include_in_schema=False)
    async def page_file(request: Request, file: str) -> Response:
        return _reply(request, files.file(file), REPORT_POLICY if file == REPORT else POLICY)


def base_path(event: dict[str, Any] | None) -> str | None:
    """Where the page is, by a gateway's event: its stage or its domain's base path; None without an event.

    An address without a slash at its end, as stacks print it, would make the browser look for the page's files beside
    the stage and not below it.

    >>> base_path({"requestContext": {"path": "/prod"}})
    '/prod/'
    """
    if event is None:
        return None
    context = event.get("requestContext") or {}
    path = str(context.get("path") or (context.get("http") or {}).get("path") or "/")
    return path.rstrip("/") + "/" if _PATH.fullmatch(path) else None


def _reply(request: Request, file: PageFile, policy: str) -> Response:
    headers = {**HEADERS, "content-security-policy": policy, "etag": file.etag}
    wanted = request.headers.get("if-none-match", "")
    if file.etag in re.split(r"\s*,\s*", wanted.replace("W/", "")):
        return Response(status_code=304, headers=headers)
    return Response(file.body, headers=headers, media_type=file.media_type)

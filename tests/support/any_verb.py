"""A handler of HTTP requests with one method for all verbs."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler


class AnyVerb(BaseHTTPRequestHandler):
    """Reads each request's body and hands it over; says nothing."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def handle_body(self, body: bytes) -> None:
        """Answer a request, whatever its verb."""
        raise NotImplementedError

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""

    def __getattr__(self, name: str) -> Callable[[], None]:
        """The method of any verb."""
        if name.startswith("do_"):
            return self._read
        raise AttributeError(name)

    def _read(self) -> None:
        self.handle_body(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

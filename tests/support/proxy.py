"""An HTTP proxy between the service and a real S3 server that does what networks and stores do on bad days.

Requests are signed for the proxy's address and passed on with their own Host header, so the server behind it checks
signatures and conditions as ever. A fault is a function of an exchange: it may answer by itself, change what the server
says, or end the connection.
"""

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

HOST = "127.0.0.1"


class Answer(NamedTuple):
    """What a server said."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Exchange:
    """A request, and the means to answer it."""

    handler: "_Handler"
    verb: str
    path: str
    body: bytes

    @property
    def key(self) -> str:
        """The object's key without its bucket; of a listing, its prefix."""
        parts = urlsplit(self.path)
        prefix = re.search(r"(?:^|&)prefix=([^&]*)", parts.query)
        if self.verb == "LIST":
            return unquote(prefix.group(1)) if prefix else ""
        return unquote(parts.path).lstrip("/").partition("/")[2]

    def forward(self) -> Answer:
        """Let the server do it."""
        return self.handler.upstream(self)

    def answer(self, answer: Answer, *, length: int | None = None) -> None:
        """Send an answer, perhaps with a wrong length; what is too little ends the connection."""
        self.handler.send_answer(answer, length)
        if length is not None and length > len(answer.body):
            self.handler.close_connection = True

    def hang(self, seconds: float) -> None:
        """Stay silent for as long, or until the proxy ends."""
        self.handler.proxy.ending.wait(seconds)

    def reset(self) -> None:
        """End the connection as a crashing peer does, without a word."""
        sock = self.handler.connection
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handler.close_connection = True
        sock.close()


Fault = Callable[[Exchange], None]


@dataclass
class Failing:
    """A fault that is on: for which requests, how often still, and how often it struck."""

    fault: Fault
    verbs: frozenset[str]
    key: re.Pattern[str]
    left: float
    struck: list[str] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: "Proxy"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: broken connections are what this server is for."""


class Proxy:
    """Stands before an S3 server; a context manager."""

    def __init__(self, endpoint: str) -> None:
        """A proxy before the server of an endpoint, `http://host:port`."""
        self.target = urlsplit(endpoint).netloc
        self.requests: list[tuple[str, str]] = []
        self.ending = threading.Event()
        self._failing: list[Failing] = []
        self._lock = threading.Lock()
        self._server = _Server((HOST, 0), _Handler)
        self._server.proxy = self

    @property
    def endpoint(self) -> str:
        """The proxy's own address."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    def __enter__(self) -> "Proxy":
        """Start."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def failing(self, fault: Fault, verb: str = "GET|PUT|LIST", key: str = "", times: float = 1e9) -> Iterator[Failing]:
        """Let a fault strike requests of a verb whose key matches, as long as the context lasts or so many times."""
        rule = Failing(fault, frozenset(verb.split("|")), re.compile(key), times)
        with self._lock:
            self._failing.append(rule)
        try:
            yield rule
        finally:
            with self._lock:
                self._failing.remove(rule)

    def fault_for(self, exchange: Exchange) -> Fault:
        """What happens to a request."""
        with self._lock:
            self.requests.append((exchange.verb, exchange.key))
            for rule in self._failing:
                if rule.left > 0 and exchange.verb in rule.verbs and rule.key.search(exchange.key):
                    rule.left -= 1
                    rule.struck.append(exchange.key)
                    return rule.fault
        return through


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: _Server
    _upstream: HTTPConnection | None = None

    @property
    def proxy(self) -> Proxy:
        return self.server.proxy

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""

    def __getattr__(self, name: str) -> Callable[[], None]:
        """The method of any verb."""
        if name.startswith("do_"):
            return self._any
        raise AttributeError(name)

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        verb = "LIST" if "list-type=" in self.path else self.command
        exchange = Exchange(self, verb, self.path, body)
        self.proxy.fault_for(exchange)(exchange)

    def upstream(self, exchange: Exchange) -> Answer:
        for fresh in (False, True):
            if fresh or self._upstream is None:
                self._upstream = HTTPConnection(self.proxy.target, timeout=30)
            try:
                self._upstream.putrequest(self.command, exchange.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    self._upstream.putheader(name, value)
                self._upstream.endheaders(exchange.body)
                response = self._upstream.getresponse()
                return Answer(response.status, _end_to_end(response.msg), response.read())
            except (OSError, HTTPException):
                if fresh:
                    raise
        raise AssertionError

    def send_answer(self, answer: Answer, length: int | None) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def finish(self) -> None:
        if self._upstream:
            self._upstream.close()
        super().finish()


def _end_to_end(message: HTTPMessage) -> dict[str, str]:
    return {name: value for name, value in message.items() if name.lower() not in {"connection", "content-length"}}


# --- faults --------------------------------------------------------------------------------------------------


def through(exchange: Exchange) -> None:
    """No fault."""
    exchange.answer(exchange.forward())


def delayed(seconds: float) -> Fault:
    """The right answer, late."""

    def fault(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.hang(seconds)
        exchange.answer(answer)

    return fault


def silent(exchange: Exchange) -> None:
    """Nothing comes."""
    exchange.hang(60)
    exchange.reset()


def stalled(exchange: Exchange) -> None:
    """Half of the answer, then nothing more."""
    answer = exchange.forward()
    exchange.answer(answer._replace(body=answer.body[: len(answer.body) // 2]), length=len(answer.body))
    exchange.hang(60)


def dripping(exchange: Exchange) -> None:
    """The answer, some bytes a second, so that no silence is ever long."""
    answer = exchange.forward()
    exchange.answer(answer._replace(body=b""), length=len(answer.body))
    try:
        for start in range(0, len(answer.body), 16):
            exchange.handler.wfile.write(answer.body[start : start + 16])
            exchange.handler.wfile.flush()
            if exchange.handler.proxy.ending.wait(0.25):
                return
    except OSError:
        return


def reset(exchange: Exchange) -> None:
    """The connection ends before the server has seen the request."""
    exchange.reset()


def reset_after(exchange: Exchange) -> None:
    """The server does it, and the connection ends before it could say so."""
    exchange.forward()
    exchange.reset()


def error_after(exchange: Exchange) -> None:
    """The server does it, and what is in between says 500."""
    exchange.forward()
    exchange.answer(_xml(500, "InternalError", "We encountered an internal error. Please try again."))


def truncated(exchange: Exchange) -> None:
    """Half of the body, then the connection ends."""
    answer = exchange.forward()
    exchange.answer(answer._replace(body=answer.body[: len(answer.body) // 2]), length=len(answer.body))


def halved(exchange: Exchange) -> None:
    """Half of the body with a length that agrees with it."""
    answer = exchange.forward()
    exchange.answer(answer._replace(body=answer.body[: len(answer.body) // 2]))


def zeroed(exchange: Exchange) -> None:
    """A body of the right length whose second half was never written."""
    answer = exchange.forward()
    half = len(answer.body) // 2
    exchange.answer(answer._replace(body=answer.body[:half] + bytes(len(answer.body) - half)))


def flipped(exchange: Exchange) -> None:
    """A body with one wrong bit in its middle."""
    answer = exchange.forward()
    body = bytearray(answer.body)
    if body:
        body[len(body) // 2] ^= 1
    exchange.answer(answer._replace(body=bytes(body)))


def wrong_etag(exchange: Exchange) -> None:
    """The right body under the ETag of another."""
    answer = exchange.forward()
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "etag"}
    exchange.answer(answer._replace(headers={**headers, "ETag": '"00000000000000000000000000000000"'}))


def skewed(exchange: Exchange) -> None:
    """A server whose clock is a day ahead."""
    answer = exchange.forward()
    tomorrow = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 86400))
    exchange.answer(answer._replace(headers={**answer.headers, "Date": tomorrow, "Last-Modified": tomorrow}))


def garbage(exchange: Exchange) -> None:
    """What is no HTTP."""
    exchange.handler.wfile.write(b"\x00\x01 not http at all\r\n\r\n")
    exchange.handler.wfile.flush()
    exchange.reset()


def status(code: int, name: str, message: str = "injected") -> Fault:
    """A refusal of the store's."""
    return lambda exchange: exchange.answer(_xml(code, name, message))


def _xml(code: int, name: str, message: str) -> Answer:
    text = f"<Error><Code>{name}</Code><Message>{message}</Message></Error>"
    return Answer(code, {"Content-Type": "application/xml"}, f'<?xml version="1.0"?>{text}'.encode())


internal_error = status(500, "InternalError")
slow_down = status(503, "SlowDown", "Please reduce your request rate.")
forbidden = status(403, "AccessDenied")
time_skewed = status(
    403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."
)
not_found = status(404, "NoSuchKey")
conflict = status(409, "ConditionalRequestConflict")
precondition = status(412, "PreconditionFailed")

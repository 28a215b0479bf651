"""An HTTP proxy between the service and a real S3 server that does what networks and stores do on bad days.

Requests are signed for the proxy's address and passed on with their own Host header, so the server behind it checks
signatures and conditions as ever. A fault is a function of an exchange: it may answer by itself, change what the server
says, or end the connection.
"""

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPMessage
from http.server import ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from tests.support.any_verb import AnyVerb

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


class _Handler(AnyVerb):
    disable_nagle_algorithm = True
    server: _Server
    _upstream: HTTPConnection | None = None

    @property
    def proxy(self) -> Proxy:
        return self.server.proxy

    def handle_body(self, body: bytes) -> None:
        """See AnyVerb."""
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


def through(exchange: Exchange) -> None:
    """No fault."""
    exchange.answer(exchange.forward())

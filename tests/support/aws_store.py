"""S3 as AWS runs it: TLS on port 443 under the names of buckets and regions, signatures with session tokens, redirects.

It checks what AWS checks, by botocore's own signing, and lets a real S3 server on loopback do the rest. The names are
mapped to an address of the loopback network by whoever starts the client.
"""

import random
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hmac import compare_digest
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from monitory.clock import now
from monitory_local.s3 import ACCESS_KEY, REGION, S3, SECRET_KEY
from tests.support.any_verb import AnyVerb
from tests.support.certificates import server_context

SESSION = Credentials("ASIATEST", "session-secret", "session-token")
"""What a function's role has given it."""

EXPIRED = "expired-token"
PORT = 443
_PASSED = ("content-type", "if-match", "if-none-match", "range")


class Request(NamedTuple):
    """A line of the record: what was asked of whom, and the answer."""

    host: str
    verb: str
    target: str
    status: int
    code: str = ""

    def __str__(self) -> str:
        """One line."""
        return f"{self.status} {self.code or '-':<22} {self.verb:<4} https://{self.host}{self.target}"


@dataclass
class AwsStore:
    """The store; buckets that are not in `regions` are of `REGION`."""

    backend: S3
    address: str
    authority: Path
    regions: dict[str, str] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    clock_offset: timedelta = timedelta()
    requests: list[Request] = field(default_factory=list)

    def names(self, *buckets: str, region: str = REGION, domain: str = "amazonaws.com") -> dict[str, str]:
        """Addresses by host name, of buckets and of the region itself."""
        host = f"s3.{region}.{domain}"
        return dict.fromkeys([host, *(f"{bucket}.{host}" for bucket in buckets)], self.address)


@contextmanager
def aws_store(backend: S3, folder: Path, regions: tuple[str, ...] = (REGION, "eu-west-1")) -> Iterator[AwsStore]:
    """Run the store before a server until the block is left.

    Raises:
        PermissionError: this user may not listen on port 443.
    """
    hosts = [f"s3.{region}.amazonaws.com" for region in regions] + ["s3.cn-north-1.amazonaws.com.cn"]
    context, authority = server_context(folder, [name for host in hosts for name in (host, f"*.{host}")])
    address = f"127.{random.randint(1, 254)}.{random.randint(0, 254)}.{random.randint(1, 254)}"
    store = AwsStore(backend, address, authority)
    server = _Server((address, PORT), _Handler)
    server.store, server.context = store, context
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    store: AwsStore
    context: ssl.SSLContext

    def finish_request(self, request: object, client_address: object) -> None:
        """Shake hands in the connection's own thread."""
        assert isinstance(request, socket.socket)
        with self.context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients are killed between tests."""


class _Refusal(Exception):
    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


class _Handler(AnyVerb):
    server: _Server

    def handle_body(self, body: bytes) -> None:
        """See AnyVerb."""
        try:
            status, headers, answer = self._answer(body)
            code = ""
        except _Refusal as exc:
            status, code = exc.status, exc.code
            text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{exc.message}</Message>'
            answer, headers = f"{text}</Error>".encode(), {**exc.headers, "Content-Type": "application/xml"}
        if not code and b"<Code>" in answer and status >= 400:
            code = answer.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()
        self.server.store.requests.append(Request(self.headers["Host"], self.command, self.path, status, code))
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)
        self.wfile.flush()

    def _answer(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What AWS answers.

        Raises:
            _Refusal: it refuses.
        """
        store = self.server.store
        bucket, path, region = self._place()
        home = store.regions.get(bucket, REGION)
        where = {"x-amz-bucket-region": home}
        if not self.headers.get("Authorization"):
            raise _Refusal(301 if home != region else 403, "AccessDenied", "Access Denied", where)
        self._verify(region)
        if home != region:
            raise _Refusal(301, "PermanentRedirect", "The bucket must be addressed by another endpoint.", where)
        if bucket in store.denied:
            raise _Refusal(403, "AccessDenied", "User: function is not authorized to perform this")
        return self._forward(f"/{bucket}{path}", body)

    def _place(self) -> tuple[str, str, str]:
        """Bucket, the rest of the target, and the region that was asked."""
        bucket, virtual, rest = self.headers["Host"].rpartition("s3.")
        region = rest.split(".")[0]
        if virtual and bucket:
            return bucket.rstrip("."), self.path, region
        parts = urlsplit(self.path)
        name, slash, key = parts.path.lstrip("/").partition("/")
        query = f"?{parts.query}" if parts.query else ""
        return unquote(name), f"{slash}{key}{query}", region

    def _verify(self, region: str) -> None:
        algorithm, _, fields = self.headers["Authorization"].partition(" ")
        values = dict(part.strip().split("=", 1) for part in fields.split(","))
        timestamp = self.headers["x-amz-date"]
        scope = f"{SESSION.access_key}/{timestamp[:8]}/{region}/s3/aws4_request"
        if algorithm != "AWS4-HMAC-SHA256" or values["Credential"] != scope:
            raise _Refusal(400, "AuthorizationHeaderMalformed", f"The credential is not of {scope}")
        token = self.headers.get("x-amz-security-token")
        if token == EXPIRED:
            raise _Refusal(400, "ExpiredToken", "The provided token has expired.")
        if token != SESSION.token:
            raise _Refusal(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        signed = {name: self.headers[name] for name in values["SignedHeaders"].split(";")}
        request = AWSRequest(self.command, f"https://{self.headers['Host']}{self.path}", signed)
        request.context["timestamp"] = timestamp
        signer = S3SigV4Auth(SESSION, "s3", region)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        if not compare_digest(signer.signature(text, request), values["Signature"]):
            raise _Refusal(403, "SignatureDoesNotMatch", "The signature does not match.")
        # S3 allows a quarter of an hour
        clock = now() + self.server.store.clock_offset
        if abs((clock - now()).total_seconds()) > 900:
            raise _Refusal(403, "RequestTimeTooSkewed", "The difference between the request time and ours is large.")

    def _forward(self, target: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        endpoint = self.server.store.backend.endpoint
        passed = {
            name: value
            for name, value in self.headers.items()
            if name.lower() in _PASSED or name.lower().startswith("x-amz-meta-")
        }
        request = AWSRequest(self.command, f"{endpoint}{target}", passed, body)
        S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION).add_auth(request)
        connection = HTTPConnection(urlsplit(endpoint).netloc, timeout=30)
        try:
            connection.request(self.command, target, body, dict(request.headers.items()))
            response = connection.getresponse()
            ours = {"connection", "content-length", "transfer-encoding"}
            headers = {name: value for name, value in response.getheaders() if name.lower() not in ours}
            return response.status, headers, response.read()
        finally:
            connection.close()


def is_next_page(request: Request) -> bool:
    """Whether a request goes on with a listing."""
    return bool({"continuation-token", "start-after"} & parse_qs(urlsplit(request.target).query).keys())

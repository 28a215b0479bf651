"""An endpoint of credentials, as Lambda has one for functions that start from a snapshot."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

TOKEN = "the token of the environment"


@contextmanager
def serving(credentials: Mapping[str, str], failures: int = 0) -> Iterator[dict[str, str]]:
    """The environment of a function that gets `credentials` (AWS_ACCESS_KEY_ID, …) from an endpoint.

    The endpoint's first `failures` answers are 500.
    """
    left = [failures]

    class Endpoint(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = 500 if left[0] else 200 if self.headers["Authorization"] == TOKEN else 403
            left[0] -= bool(left[0])
            body = json.dumps(
                {
                    "AccessKeyId": credentials["AWS_ACCESS_KEY_ID"],
                    "SecretAccessKey": credentials["AWS_SECRET_ACCESS_KEY"],
                    "Token": credentials.get("AWS_SESSION_TOKEN", ""),
                    "Expiration": (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds"),
                }
            ).encode()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body if status == 200 else b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{server.server_port}/2021-07/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": TOKEN,
        }
        server.shutdown()

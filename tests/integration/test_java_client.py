"""The Java client of the documentation, compiled and run against a server that answers as the service does."""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs/java.md"
MAIN = """
public class Main {
    public static void main(String[] arguments) throws Exception {
        var client = new MonitoryClient(arguments[0], "the key");
        for (int index = 1; index < arguments.length; index++) {
            try {
                System.out.println(client.remainingDays("ZONE 1", arguments[index]));
            } catch (java.io.IOException error) {
                System.out.println(error.getMessage());
            }
        }
    }
}
"""


class Service(BaseHTTPRequestHandler):
    """Answers by the machine's name; BUSY is ready at the second call, LATE after an hour."""

    requests: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        """Answer."""
        repeated = any(path == self.path for path, _ in self.requests)
        self.requests.append((self.path, self.headers["x-api-key"]))
        status = 404 if "GONE" in self.path else 403 if "WRONG" in self.path else 200
        status = 503 if "BUSY" in self.path and not repeated else 429 if "LATE" in self.path else status
        body = (
            b'{"status":"ok","new":{"predictions":0},"predictions":[4.31],"x":[1]}'
            if status == 200
            else b'{"detail":"no"}'
        )
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status in (429, 503):
            self.send_header("Retry-After", "3600" if status == 429 else "1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """An address and the requests that came to it."""
    requests: list[tuple[str, str | None]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Recording", (Service,), {"requests": requests}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/prod", requests
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(not shutil.which("javac"), reason="needs a JDK (javac), version 17 or newer")
def test_the_documented_client_reads_the_days_and_waits_when_told_to(
    service: tuple[str, list[tuple[str, str | None]]], tmp_path: Path
) -> None:
    (source,) = re.findall(r"```java\n(import .*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    (tmp_path / "MonitoryClient.java").write_text(source, encoding="utf-8")
    (tmp_path / "Main.java").write_text(MAIN, encoding="utf-8")
    subprocess.run(["javac", "-Xlint:all", "-Werror", "MonitoryClient.java", "Main.java"], cwd=tmp_path, check=True)  # noqa: S607 - the JDK on PATH
    address, requests = service
    command = ["java", "-cp", ".", "Main", address, "GOOD", "GONE", "BUSY", "LATE", "WRONG"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [
        "OptionalDouble[4.31]",
        "OptionalDouble.empty",
        "OptionalDouble[4.31]",
        'status 429: {"detail":"no"}',
        'status 403: {"detail":"no"}',
    ]
    names = ("GOOD", "GONE", "BUSY", "BUSY", "LATE", "WRONG")
    paths = [f"/prod/api/v1/predict?zoneId=ZONE+1&equipId={name}" for name in names]
    assert requests == [(path, "the key") for path in paths]

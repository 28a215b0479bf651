"""A headless Chromium, driven over the DevTools protocol's pipe: no driver, no port, no library needed.

Messages are JSON, ended by a NUL byte; the browser reads them from its descriptor 3 and writes to 4.
"""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 60.0
"""For any one answer: a busy machine is no reason to fail."""

_OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # tests run as root in containers; the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # nothing leaves the machine, whatever a page or the browser asks for
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)


def find() -> str | None:
    """The path of an installed Chromium, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One open page.

    Attributes:
        requests: addresses asked for, in order.
        errors: uncaught exceptions, console errors and warnings, and what the browser itself complained of.
    """

    def __init__(self, browser: "Browser", session: str) -> None:
        self._browser = browser
        self._session = session
        self.requests: list[str] = []
        self.errors: list[str] = []
        self._loaded = False
        browser.pages[session] = self
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """One protocol call; its result."""
        return self._browser.call(method, parameters, self._session)

    def open(self, address: str, *, width: int, height: int = 900, scheme: str = "light") -> None:
        """Load a page at a width in CSS pixels, in a colour scheme, and wait until it's loaded."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._loaded = False
        self.call("Page.navigate", url=address)
        self._browser.wait(lambda: self._loaded)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """The whole page as PNG."""
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def noticed(self, method: str, event: Mapping[str, Any]) -> None:
        """Take note of an event."""
        if method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(event["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and event["type"] in {"error", "warning", "assert"}:
            self.errors.append(json.dumps(event["args"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] in {"error", "warning"}:
            self.errors.append(event["entry"]["text"])
        elif method == "Page.loadEventFired":
            self._loaded = True


class Browser:
    """A running Chromium."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._buffer = b""
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self.pages: dict[str, Page] = {}

    def page(self) -> Page:
        """A new empty page."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        return Page(self, session)

    def call(self, method: str, parameters: Mapping[str, Any], session: str | None = None) -> Any:
        """One protocol call; its result."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        self.wait(lambda: number in self._answers)
        answer = self._answers.pop(number)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def wait(self, until: Any) -> None:
        """Read what the browser says until something holds."""
        ends = time.monotonic() + SECONDS
        while not until():
            ready, _, _ = select.select([self._back], [], [], max(0.0, ends - time.monotonic()))
            assert ready, f"Chromium said nothing for {SECONDS:.0f} s"
            part = os.read(self._back, 1 << 20)
            assert part, "Chromium ended"
            *messages, self._buffer = (self._buffer + part).split(b"\0")
            for text in messages:
                self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
        elif page := self.pages.get(message.get("sessionId", "")):
            page.noticed(message["method"], message["params"])


@contextlib.contextmanager
def running(path: str) -> Iterator[Browser]:
    """Start a Chromium with a profile of its own, and end it with everything that it started."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        ours = [_high(end) for end in (*os.pipe(), *os.pipe())]
        to_read, to, back, back_write = ours
        arguments = [path, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        quiet = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
        actions = [(os.POSIX_SPAWN_DUP2, to_read, 3), (os.POSIX_SPAWN_DUP2, back_write, 4), quiet]
        environment = {**os.environ, "HOME": profile}
        process = os.posix_spawn(path, arguments, environment, file_actions=actions, setpgroup=0)
        os.close(to_read)
        os.close(back_write)
        try:
            yield Browser(to, back)
        finally:
            os.close(to)
            os.close(back)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _high(descriptor: int) -> int:
    """The same end of a pipe under a number that isn't 3 or 4, which the browser needs."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved

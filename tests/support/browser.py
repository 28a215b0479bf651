"""The machine's own Chromium, headless, with what its pages ask for and complain of."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

WAIT_MS = 30_000.0
"""How long a test waits for what it expects, on a busy machine."""

_OPTIONS = (
    "--disable-quic",
    "--disable-sync",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing leaves the machine
    "--force-color-profile=srgb",
)


def find() -> str | None:
    """The path of an installed Chromium, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass
class Tab:
    """One open page.

    Attributes:
        page: it.
        requests: addresses that it asked for, in order.
        errors: uncaught exceptions, and console errors and warnings.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Browser:
    """A running Chromium."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium

    def open(
        self,
        address: str,
        *,
        width: int,
        height: int = 900,
        scheme: Literal["light", "dark"] = "light",
        language: str = "en-GB",
    ) -> Tab:
        """A tab of its own profile with a page loaded, at a width in CSS pixels, in a colour scheme and a language."""
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale=language,
            timezone_id="Asia/Seoul",
        )
        tab = Tab(context.new_page())
        tab.page.on("request", lambda request: tab.requests.append(request.url))
        tab.page.on("pageerror", lambda error: tab.errors.append(str(error)))
        tab.page.on(
            "console",
            lambda message: tab.errors.append(message.text) if message.type in {"error", "warning", "assert"} else None,
        )
        tab.page.goto(address)
        return tab

    def close_tabs(self) -> None:
        """Close all tabs: open ones go on working, and slow down the next."""
        for context in self._chromium.contexts:
            context.close()


@contextmanager
def running(path: str) -> Iterator[Browser]:
    """A Chromium that ends with the block."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        # tests run as root in containers, which Chromium's sandbox refuses; the pages are our own
        chromium = playwright.chromium.launch(executable_path=path, args=list(_OPTIONS), chromium_sandbox=False)
        try:
            yield Browser(chromium)
        finally:
            chromium.close()

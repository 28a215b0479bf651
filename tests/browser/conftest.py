"""A browser for the tests of a module: Playwright's loop must not outlive them, or Mangum finds it running."""

from collections.abc import Iterator

import pytest

from tests.support import browser as chromium
from tests.support.browser import Browser
from tests.support.page_server import PageServer, serving


@pytest.fixture
def browser(chromium_of_module: Browser) -> Iterator[Browser]:
    """The machine's Chromium, without tabs of former tests."""
    yield chromium_of_module
    chromium_of_module.close_tabs()


@pytest.fixture(scope="module")
def chromium_of_module() -> Iterator[Browser]:
    """The machine's Chromium."""
    path = chromium.find()
    if path is None:
        pytest.skip("no Chromium: install it (Debian: apt-get install chromium)")
    with chromium.running(path) as started:
        yield started


@pytest.fixture
def server() -> Iterator[PageServer]:
    """The page, beside the answers of a factory of 20 machines that nobody needs a key for."""
    with serving() as started:
        yield started

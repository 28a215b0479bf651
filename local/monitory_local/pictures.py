"""Pictures of the documentation: what `make demo` prints, its report, and the page that people open, by a Chromium.

python -m monitory_local.pictures
"""

import argparse
import html
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import httpx2
from playwright.sync_api import Browser, sync_playwright

from monitory_local.demo import FOLDER
from monitory_local.ports import HOST, free_ports
from monitory_local.terminal import run

PICTURES = Path("docs/pictures")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SERVE_SECONDS = 120

_OPTIONS = (
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HOST}",  # nothing leaves the machine
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)

_TERMINAL = """<!doctype html><meta charset="utf-8">
<style>
body {{ margin: 0; background: #14191f; color: #dde3ea }}
pre {{ margin: 16px; font: 14px/20px monospace }}
</style>
<pre>{text}</pre>"""
_LINE_PIXELS, _COLUMN_PIXELS, _MARGIN_PIXELS = 20, 8.43, 16


class Size(NamedTuple):
    """Width and height of a page in CSS pixels, and how many pixels of the picture one of these is."""

    width: int
    height: int
    scale: float = 1.0


WALL, PHONE = Size(1280, 1000), Size(390, 1000, scale=1.5)


class View(NamedTuple):
    """A view of the page as a picture shows it; `path` has a place for the most urgent machine."""

    picture: str
    size: Size
    path: str = ""
    scheme: Literal["light", "dark"] = "light"
    language: str = "en-GB"


VIEWS = (
    View("fleet.png", WALL),
    View("fleet-dark.png", WALL, scheme="dark"),
    View("fleet-ko.png", WALL, language="ko-KR"),
    View("fleet-phone.png", PHONE),
    View("machine.png", Size(1280, 1500), "#/machine/{machine}"),
    View("machine-phone.png", PHONE, "#/machine/{machine}"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the demo and take its pictures."""
    parser = argparse.ArgumentParser(prog="python -m monitory_local.pictures", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the demo; it is emptied (%(default)s)")
    parser.add_argument("--pictures", type=Path, default=PICTURES, help="where the pictures go (%(default)s)")
    arguments = parser.parse_args(argv)
    path = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if path is None:
        sys.exit("error: no Chromium is installed (Debian: apt-get install chromium fonts-dejavu-core fonts-nanum)")
    command = [sys.executable, "-m", "monitory_local.demo", "--folder", str(arguments.folder)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    arguments.pictures.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        # containers run as root, which Chromium's sandbox refuses; the pages are our own
        browser = playwright.chromium.launch(executable_path=path, args=list(_OPTIONS), chromium_sandbox=False)
        _of_the_demo(browser, output, arguments.folder, arguments.pictures)
        with _serving(arguments.folder) as address:
            _of_the_page(browser, address, arguments.pictures)
        browser.close()


def _of_the_demo(browser: Browser, output: str, folder: Path, pictures: Path) -> None:
    """What the demo prints, and its report."""
    terminal = folder / "terminal.html"
    text = terminal_text(output)
    terminal.write_text(_TERMINAL.format(text=html.escape(text)), encoding="utf-8")
    lines = text.splitlines()
    size = Size(
        round(max(map(len, lines)) * _COLUMN_PIXELS) + 2 * _MARGIN_PIXELS,
        len(lines) * _LINE_PIXELS + 2 * _MARGIN_PIXELS,
        scale=1.25,
    )
    take(browser, terminal.resolve().as_uri(), pictures / "demo.png", size)
    report = (folder / "report.html").resolve().as_uri()
    take(browser, report, pictures / "report.png", Size(1000, 1370, scale=0.75))


def _of_the_page(browser: Browser, address: str, pictures: Path) -> None:
    """The views of the page; a machine is the most urgent one that still runs."""
    machines = httpx2.get(f"{address}/api/v1/fleet").json()["machines"]
    urgent = next((one for one in machines if one["state"] != "failing"), machines[0])
    for view in VIEWS:
        path = view.path.format(machine=f"{urgent['zoneId']}/{urgent['equipId']}")
        picture = pictures / view.picture
        take(browser, f"{address}/{path}", picture, view.size, scheme=view.scheme, language=view.language)


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    """The demo's factory, served; yields the address."""
    (port,) = free_ports(1)
    address = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "monitory_local.serve", "--folder", str(folder), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + SERVE_SECONDS
        while not _is_up(address):
            if time.monotonic() > until or server.poll() is not None:
                sys.exit(f"error: {' '.join(command[1:])} does not answer")
            time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait()


def _is_up(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/api/v1/fleet").is_success
    except httpx2.TransportError:
        return False


def terminal_text(output: str) -> str:
    """The demo's table below the command; what follows it says how long this machine took, and where files lie.

    >>> print(terminal_text("machine  predicted\\n\\nA  1.0 \\n`make serve` answers\\n{}"))
    $ make demo
    machine  predicted
    A  1.0
    """
    table = output.partition("`make serve")[0].splitlines()
    return "\n".join(["$ make demo", *(line.rstrip() for line in table if line.strip())])


def take(
    browser: Browser,
    address: str,
    picture: Path,
    size: Size,
    *,
    scheme: Literal["light", "dark"] = "light",
    language: str = "en-GB",
) -> None:
    """Take a picture of the top of a page, once it asks for nothing any more."""
    context = browser.new_context(
        viewport={"width": size.width, "height": size.height},
        device_scale_factor=size.scale,
        color_scheme=scheme,
        locale=language,
        timezone_id="Asia/Seoul",
    )
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    page.screenshot(path=picture)
    context.close()
    print(f"{picture}: {picture.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    run(main)

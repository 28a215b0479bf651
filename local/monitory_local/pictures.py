"""Pictures of the documentation: what `make demo` prints and the report that it leaves, through a headless Chromium.

python -m monitory_local.pictures
"""

import argparse
import html
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from monitory_local.demo import FOLDER
from monitory_local.terminal import run

PICTURES = Path("docs/pictures")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 120

_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # containers run as root; the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # nothing leaves the machine
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


def main(argv: Sequence[str] | None = None) -> None:
    """Run the demo and take its pictures."""
    parser = argparse.ArgumentParser(prog="python -m monitory_local.pictures", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the demo; it is emptied (%(default)s)")
    parser.add_argument("--pictures", type=Path, default=PICTURES, help="where the pictures go (%(default)s)")
    arguments = parser.parse_args(argv)
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        sys.exit("error: no Chromium is installed (Debian: apt-get install chromium fonts-dejavu-core)")
    command = [sys.executable, "-m", "monitory_local.demo", "--folder", str(arguments.folder)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    arguments.pictures.mkdir(parents=True, exist_ok=True)
    terminal = arguments.folder / "terminal.html"
    text = terminal_text(output)
    terminal.write_text(_TERMINAL.format(text=html.escape(text)), encoding="utf-8")
    lines = text.splitlines()
    size = Size(
        round(max(map(len, lines)) * _COLUMN_PIXELS) + 2 * _MARGIN_PIXELS,
        len(lines) * _LINE_PIXELS + 2 * _MARGIN_PIXELS,
        scale=1.25,
    )
    take(browser, terminal, arguments.pictures / "demo.png", size)
    take(browser, arguments.folder / "report.html", arguments.pictures / "report.png", Size(1000, 1370, scale=0.75))


def terminal_text(output: str) -> str:
    """The demo's table below the command; what follows it says how long this machine took, and where files lie.

    >>> print(terminal_text("machine  predicted\\n\\nA  1.0 \\n`make serve` answers\\n{}"))
    $ make demo
    machine  predicted
    A  1.0
    """
    table = output.partition("`make serve")[0].splitlines()
    return "\n".join(["$ make demo", *(line.rstrip() for line in table if line.strip())])


def take(browser: str, page: Path, picture: Path, size: Size) -> None:
    """Take a picture of the top of a page."""
    with tempfile.TemporaryDirectory(prefix="pictures-", ignore_cleanup_errors=True) as profile:
        command = [
            browser,
            *_OPTIONS,
            f"--user-data-dir={profile}",
            f"--window-size={size.width},{size.height}",
            f"--force-device-scale-factor={size.scale}",
            f"--screenshot={picture.resolve()}",
            page.resolve().as_uri(),
        ]
        subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
    print(f"{picture}: {picture.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    run(main)

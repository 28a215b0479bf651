"""The fleet in a browser: how soon it is seen, what it weighs, and how it scrolls, for fleets of several sizes.

    python -m benchmarks.page [--machines 20 1000 10000]

The application answers on this machine out of an S3 server, from a fleet state and trends of so many machines. The page
opens 50 of them; for scrolling up to `--rows` are shown, by its button. Paints are Chromium's, in milliseconds from the
start of loading; a frame is the time between two animation frames while every one of them scrolls by 200 pixels; the
heap is JavaScript's after a collection of garbage. Needs Chromium.
"""

import argparse
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import stage
from benchmarks.sides import percentile, say
from benchmarks.trends import names, state, wander
from monitory import clock, sensors
from monitory.lake import Lake
from monitory.scoring import fleet, trends
from monitory.scoring.fleet import FleetState
from monitory.scoring.trends import KEEP_HOURS, SLOT_HOURS
from monitory.settings import PredictSettings, from_environment
from monitory_local.pictures import BROWSERS
from monitory_local.ports import HOST
from monitory_predict.application import build_app
from monitory_predict.telemetry import NoTelemetry

LIMITS_DAYS = (5.0, 3.0)
PAGE_ROWS = 50
WIDTH, HEIGHT = 1280, 900

_PAINTS = """() => new Promise(done => {
  const first = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  new PerformanceObserver(list => done([first, list.getEntries().at(-1).startTime]))
    .observe({ type: "largest-contentful-paint", buffered: true });
})"""
_LOADED = """() => {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return [all.length, all.reduce((sum, one) => sum + one.transferSize, 0)];
}"""
_FRAMES = """() => new Promise(done => {
  const times = [];
  scrollTo(0, 0);
  const step = now => {
    times.push(now);
    scrollBy(0, 200);
    const isEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 1;
    if (times.length <= 150 && !isEnd) requestAnimationFrame(step);
    else done(times.slice(1).map((time, index) => time - times[index]));
  };
  requestAnimationFrame(step);
})"""


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, nargs="+", default=[20, 1000, 10_000], help="of fleets (%(default)s)")
    parser.add_argument("--rows", type=int, default=1000, help="shown for scrolling, at most (%(default)s)")
    arguments = parser.parse_args()
    path = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if path is None:
        parser.error("no Chromium is installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
        for machines in arguments.machines:
            with stage.buckets() as (lake, models):
                _fill(lake, models, machines)
                with _serving() as address:
                    _open(browser, address, machines)  # warm: the server's first answers, the browser's code
                    _measure(browser, address, machines, arguments.rows)
        browser.close()


def _fill(lake: str, models: str, machines: int) -> None:
    """A served model, and a fleet that was scored just now, with a month of trends."""
    stage.promote_model(models)
    settings = from_environment(PredictSettings)
    fingerprint = Lake(stage.bucket(lake), settings.s3_input_data_key, sensors.load()).fingerprint()
    newest = clock.hour_of(clock.naive(clock.now())) - 1
    storage = stage.bucket(models)
    month = range(newest - KEEP_HOURS + SLOT_HOURS, newest + 1, SLOT_HOURS)
    trends.add(storage, fingerprint, {name: wander(name, month) for name in names(machines)}, newest)
    scored = {name: state(name, newest) for name in names(machines)}
    made = fleet.merge(FleetState(since=1), scored, [], clock.now(), newest, LIMITS_DAYS)
    fleet.state_object(fingerprint).write(storage, made, None)


@contextmanager
def _serving() -> Iterator[str]:
    """The application on a port of this machine; yields its address."""
    app = build_app(from_environment(PredictSettings, scoring=True), NoTelemetry())
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://{HOST}:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()


def _open(browser: Browser, address: str, machines: int) -> Page:
    """The page with its first rows."""
    page = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}).new_page()
    page.goto(address)
    page.locator(f".machines tbody tr:nth-child({min(machines, PAGE_ROWS)})").wait_for()
    return page


def _measure(browser: Browser, address: str, machines: int, rows: int) -> None:
    page = _open(browser, address, machines)
    first, largest = page.evaluate(_PAINTS)
    requests, transferred = page.evaluate(_LOADED)
    say(
        "the fleet opened",
        machines=machines,
        first_paint_ms=first,
        largest_paint_ms=largest,
        requests=requests,
        transferred_kb=transferred / 1e3,
        heap_mb=_heap(page),
    )
    shown = min(machines, rows)
    while (there := page.locator(".machines tbody tr").count()) < shown:
        page.locator("button.more").click()
        page.locator(f".machines tbody tr:nth-child({min(there + PAGE_ROWS, machines)})").wait_for()
    frames: list[float] = page.evaluate(_FRAMES)
    if frames:
        say(
            "the fleet scrolled",
            machines=machines,
            rows=there,
            frames=len(frames),
            frame_ms=percentile(frames, 0.5),
            frame_p95_ms=percentile(frames, 0.95),
            frame_max_ms=max(frames),
            heap_mb=_heap(page),
        )


def _heap(page: Page) -> float:
    """JavaScript's heap after a collection, MB."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["JSHeapUsedSize"]) / 1e6


if __name__ == "__main__":
    main()

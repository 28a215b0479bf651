"""Concurrent requests through uvicorn: rate, p99 and CPU per request, beside the reference app.

    python -m benchmarks.load [--machines 16] [--hours 3] [--connections 8]

Every hour all machines get a new 0.8 MB object at once and are asked for once (`new hour`), then again and again
(`repeat`). One uvicorn process a side; the sides take turns. The clients share the machine's cores with the server.
"""

import argparse
import http.client
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import uvicorn

from benchmarks import stage
from benchmarks.sides import Side, cpu_seconds, percentile, say
from monitory import clock
from monitory.clock import HOURS_PER_DAY
from monitory.features import vector
from monitory_local.simulator.lake import write_hours

HISTORY_RATE_SECONDS = 300.0
"""Hours before the measured ones have few readings: only their hour rows count here."""


class Server:
    """An app under uvicorn, in a thread of this process."""

    def __init__(self, app: Any) -> None:
        """Start it on a free port."""
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error", access_log=False))
        threading.Thread(target=self._server.run, daemon=True).start()
        while not self._server.started:
            time.sleep(0.01)

    def port(self) -> int:
        """Where it listens."""
        found: int = self._server.servers[0].sockets[0].getsockname()[1]
        return found

    def set_now(self, now: datetime) -> None:
        """From now on it's this time."""
        clock.now = lambda: now

    def cpu(self) -> float:
        """CPU seconds so far."""
        return cpu_seconds()


def product() -> Server:
    """The product's app."""
    from monitory.settings import PredictSettings, from_environment
    from monitory_predict import application
    from monitory_predict.telemetry import NoTelemetry

    return Server(application.build_app(from_environment(PredictSettings), NoTelemetry()))


def reference_app(lake: str, models: str, equip_ids: Sequence[str]) -> Server:
    """The reference's app; all machines begin with the same history."""
    import pandas as pd

    from benchmarks import reference

    predictor = reference.Predictor(lake, models, stage.MODEL_KEY)
    history = range(stage.START, stage.START + vector.HISTORY_HOURS)
    producer = stage.factory(1, HISTORY_RATE_SECONDS)
    frame = pd.concat([reference.hour_row(file.body) for hour in history for file in producer.files(0, hour)])
    frame = frame[~frame.index.duplicated()]
    for equip_id in equip_ids:
        predictor.remember(equip_id, frame)
    return Server(reference.create_app(predictor))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, default=16, help="(%(default)s)")
    parser.add_argument("--hours", type=int, default=3, help="rounds (%(default)s)")
    parser.add_argument("--connections", type=int, default=8, help="(%(default)s)")
    arguments = parser.parse_args()
    with stage.buckets() as (lake, models):
        stage.write_days(lake, arguments.machines, vector.HISTORY_HOURS // HOURS_PER_DAY, HISTORY_RATE_SECONDS)
        stage.promote_model(models)
        names = [machine.lives.equip_id for machine in stage.factory(arguments.machines).machines]
        with Side(product) as ours, Side(reference_app, lake, models, names) as theirs:
            measure(lake, {"product": ours, "reference": theirs}, arguments)


def measure(lake: str, sides: dict[str, Side], arguments: argparse.Namespace) -> None:
    """Write hour after hour and ask both sides."""
    producer = stage.factory(arguments.machines)
    paths = [
        f"/api/v1/predict?zoneId={machine.lives.zone_id}&equipId={machine.lives.equip_id}"
        for machine in producer.machines
    ]
    ports = {side: at.call("port").result for side, at in sides.items()}
    found: dict[tuple[str, str], list[tuple[list[float], float, float]]] = {}
    first = stage.START + vector.HISTORY_HOURS
    for hour in range(first, first + arguments.hours + 1):
        write_hours(stage.bucket(lake), producer, range(hour, hour + 1))
        now = clock.hour_start(hour + 1).replace(minute=5)
        for side, at in sides.items():
            at.call("set_now", now)
            for what, asked in (("new hour", paths), ("repeat", paths * 4)):
                cpu = at.call("cpu").result
                latencies, wall = _ask(ports[side], asked, arguments.connections)
                if hour > first:  # the first round fills caches
                    found.setdefault((side, what), []).append((latencies, wall, at.call("cpu").result - cpu))
    for what in ("new hour", "repeat"):
        _say(what, found["product", what], found["reference", what], arguments.connections)


def _ask(port: int, paths: Sequence[str], connections: int) -> tuple[list[float], float]:
    """Latencies of the requests, and the seconds that all took together."""
    local = threading.local()

    def ask(path: str) -> float:
        connection = getattr(local, "connection", None)
        if connection is None:
            connection = local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        started = time.perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        if response.status not in (200, 404):  # a machine that is off and silent has no data
            raise RuntimeError(f"{response.status}: {body[:300]!r}")
        return time.perf_counter() - started

    started = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        latencies = list(pool.map(ask, paths))
    return latencies, time.perf_counter() - started


def _say(what: str, mine: list[Any], other: list[Any], connections: int) -> None:
    figures: dict[str, float] = {}
    for prefix, rounds in (("", mine), ("reference_", other)):
        latencies = [latency for of, _, _ in rounds for latency in of]
        figures[prefix + "requests_per_second"] = len(latencies) / sum(wall for _, wall, _ in rounds)
        figures[prefix + "p50_ms"] = percentile(latencies, 0.5) * 1e3
        figures[prefix + "p99_ms"] = percentile(latencies, 0.99) * 1e3
        figures[prefix + "cpu_ms"] = sum(cpu for _, _, cpu in rounds) / len(latencies) * 1e3
    ratio = figures["requests_per_second"] / figures["reference_requests_per_second"]
    cpu_ratio = figures["reference_cpu_ms"] / figures["cpu_ms"]
    say(f"load, {what}", connections=connections, rate_ratio=ratio, cpu_ratio=cpu_ratio, **figures)


if __name__ == "__main__":
    main()

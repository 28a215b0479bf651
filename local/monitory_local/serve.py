"""The API on one's own machine: `python -m monitory_local.serve` (embedded S3, simulated factory, uvicorn)."""

import argparse
import os
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import uvicorn

from monitory.clock import HOURS_PER_DAY, hour_of, now
from monitory.errors import ObjectNotFound
from monitory.settings import PredictSettings, from_environment
from monitory.storage.s3 import S3Storage
from monitory_local import lambdas, openapi, scoring
from monitory_local.feed import DAYS, FEED_FILE, Feed, use_log
from monitory_local.ports import HOST, require_free
from monitory_local.s3 import DEFAULT_FOLDER, S3, running_s3
from monitory_local.s3.buckets import prepare
from monitory_local.s3.weed import ServerError
from monitory_local.simulator.wear import Plan
from monitory_local.terminal import progress_bar, run
from monitory_predict.api import document
from monitory_predict.api.caller import LOCAL
from monitory_predict.application import build_app
from monitory_predict.telemetry import NoTelemetry


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m monitory_local.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of the API (%(default)s)")
    parser.add_argument("--machines", type=int, default=20, help="of a new simulated factory (%(default)s)")
    parser.add_argument("--rate", type=float, default=60.0, help="its seconds between two readings (%(default)s)")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="the embedded S3's (%(default)s)")
    arguments = parser.parse_args(argv)
    require_free(arguments.port)
    with running_s3(arguments.folder) as s3, s3.active():
        if s3.embedded and not s3.is_own:
            raise ServerError(
                f"{arguments.folder} is in use, perhaps by another `make serve`: stop that, or choose another --folder "
                "(make serve FOLDER=…)"
            )
        lambdas.set_defaults()
        if s3.is_own:
            os.environ.setdefault("SCORING", "true")
            os.environ.setdefault("OPERATOR_KEY_IDS", LOCAL)
        settings = from_environment(PredictSettings)
        prepare(s3, settings)
        stop = threading.Event()
        if s3.is_own:
            _feed(arguments, settings, stop)
            use_log(arguments.folder)
            settings = from_environment(PredictSettings)
            if settings.scoring:
                scoring.start(stop)
        app = build_app(settings, NoTelemetry())
        openapi.add_page(app)
        print(_hints(s3, settings, arguments.port, arguments.folder), flush=True)
        try:
            uvicorn.run(app, host=HOST, port=arguments.port, lifespan="off", log_level="info")
        finally:
            stop.set()


def _feed(arguments: argparse.Namespace, settings: PredictSettings, stop: threading.Event) -> None:
    """Write the simulated factory's lake up to the present and go on; another lake is left alone."""
    storage = S3Storage(settings.s3_input_data_bucket_name, region=settings.aws_region)
    file = arguments.folder / FEED_FILE
    prefix = settings.s3_input_data_key
    if not file.exists() and next(storage.list(prefix.rstrip("/")), None):
        print(f"the lake in {arguments.folder} is not a simulated factory's: it is served as it is, and not written to")
        return
    start = hour_of(now()) - DAYS * HOURS_PER_DAY
    feed = Feed.open(file, Plan(start, machines=arguments.machines, rate_seconds=arguments.rate))
    feed.catch_up(storage, prefix, progress_bar)
    threading.Thread(target=feed.follow, args=(storage, prefix, progress_bar, stop), daemon=True).start()


def _hints(s3: S3, settings: PredictSettings, port: int, folder: Path) -> str:
    """What to type into another shell."""
    api = f"http://{HOST}:{port}"
    lines = [
        "",
        f"The page for people is {api}",
        f"S3 at {s3.endpoint}; interactive documentation at {api}/docs",
        "",
        f"  curl '{api}/api/v1/predict?zoneId=ZONE-001&equipId=EQUIP-001'",
        f"  curl {api}/api/v1/fleet",
        f"  curl {api}/api/v1/cases",
        f"  curl {api}/api/v1/health",
        f"  curl {api}/api/v1/models",
        f"  curl {api}{document.PATH}",
        "",
    ]
    if not _has_model(settings):
        where = "" if folder == DEFAULT_FOLDER else f' FOLDER="{folder}"'
        first, last = now().date() - timedelta(days=DAYS - 1), now().date()
        lines += [
            "There is no model yet, so predictions answer 503. In another shell, this trains one:",
            "",
            f"  make invoke-retrain{where} START={first} END={last}",
            "",
        ]
    return "\n".join(lines)


def _has_model(settings: PredictSettings) -> bool:
    try:
        S3Storage(settings.s3_model_bucket_name, region=settings.aws_region).get(settings.s3_model_key)
    except ObjectNotFound:
        return False
    return True


if __name__ == "__main__":
    run(main)

"""Call the real handlers without Docker: `python -m monitory_local.lambdas.invoke predict|score|retrain --help`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitory.settings import Settings, from_environment
from monitory_local.feed import use_log
from monitory_local.lambdas import handlers
from monitory_local.s3 import DEFAULT_FOLDER, running_s3
from monitory_local.s3.buckets import prepare
from monitory_local.terminal import run

REFUSALS = frozenset({"invalid", "refused", "skipped"})
"""Statuses of a retrain result with which nothing was done."""


def main(argv: Sequence[str] | None = None) -> None:
    """Call a handler with an event and print its answer as JSON; leave with status 1 if it is a refusal."""
    arguments = _parser().parse_args(argv)
    with running_s3(arguments.folder) as s3, s3.active():
        handlers.set_defaults()
        if s3.is_own:
            use_log(arguments.folder)
        settings = from_environment(Settings)
        prepare(s3, settings)
        if arguments.function == "predict":
            answer = handlers.predict(arguments.event or handlers.predict_event(arguments.zone, arguments.equip))
            answer["body"] = _json_or_text(answer["body"])
            refused = answer["statusCode"] >= 400
        elif arguments.function == "score":
            answer = handlers.score()
            refused = False
        else:
            answer = handlers.retrain(arguments.event or _retrain_event(arguments))
            refused = answer["status"] in REFUSALS
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    if refused:
        sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitory_local.lambdas.invoke", description=__doc__)
    functions = parser.add_subparsers(dest="function", required=True)
    predict = functions.add_parser("predict", help="the predict function, behind API Gateway")
    predict.add_argument("--zone", default="ZONE-001", help="zoneId (%(default)s)")
    predict.add_argument("--equip", default="EQUIP-001", help="equipId (%(default)s)")
    retrain = functions.add_parser("retrain", help="the retrain function; without a range, the last days")
    retrain.add_argument("--month", metavar="YYYY-MM", help="train on this month")
    retrain.add_argument("--start", metavar="YYYY-MM-DD", help="train from this date, with --end")
    retrain.add_argument("--end", metavar="YYYY-MM-DD", help="train to this date, included")
    retrain.add_argument("--sample", type=int, help="so many objects only, spread evenly")
    retrain.add_argument("--promote", choices=("auto", "never"), help="whether a better model is promoted")
    score = functions.add_parser("score", help="the score function: every machine with new objects")
    score.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="the embedded S3's (%(default)s)")
    for function in (predict, retrain):
        function.add_argument("--event", type=_event, metavar="FILE|JSON", help="the event, instead of building one")
        function.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="the embedded S3's (%(default)s)")
    return parser


def _retrain_event(arguments: argparse.Namespace) -> handlers.Event:
    fields = {name: getattr(arguments, name) for name in ("month", "start", "end", "sample", "promote")}
    return {name: value for name, value in fields.items() if value is not None}


def _event(text: str) -> handlers.Event:
    """An event: JSON, or the name of a file that holds it."""
    inline = text.lstrip().startswith("{")
    try:
        content = text if inline else Path(text).read_text(encoding="utf-8-sig")
        event = json.loads(content)
    except OSError as exc:
        raise argparse.ArgumentTypeError(f"{text}: {exc.strerror}; give a file, or the event itself as JSON") from exc
    except ValueError as exc:
        what = "the event" if inline else text
        raise argparse.ArgumentTypeError(f"{what} is not JSON: {exc}") from exc
    if not isinstance(event, dict):
        raise argparse.ArgumentTypeError(f"{text}: an event is a JSON object, {{…}}")
    return event


def _json_or_text(body: str) -> Any:
    """A JSON body as an object, for legible output; any other as it is."""
    try:
        return json.loads(body)
    except ValueError:
        return body


if __name__ == "__main__":
    run(main)

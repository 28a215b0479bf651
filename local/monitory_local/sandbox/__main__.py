"""The sandbox from a terminal.

    python -m monitory_local.sandbox setup
    python -m monitory_local.sandbox serve --task .aws-sam/build/PredictFunction --layer .aws-sam/build/SharedLayer \\
        --handler monitory_predict.handler.lambda_handler --env S3_MODEL_BUCKET_NAME=models
    python -m monitory_local.sandbox invoke --task … --handler … events/predict-rest.json
"""

import argparse
import json
import sys
import threading
from pathlib import Path

from monitory.errors import MonitoryError
from monitory_local.sandbox import function, root
from monitory_local.terminal import run


def main(arguments: list[str] | None = None) -> int:
    """Run a verb; 1 when it fails or a function answers with an error."""
    options = _parser().parse_args(arguments)
    try:
        if options.verb == "setup":
            print(f"ready: {root.ensure()}")
            return 0
        with function.serve(_artifact(options)) as running:
            if options.verb == "serve":
                print(running.address, flush=True)
                threading.Event().wait()
            return _invoke(running, options.events)
    except MonitoryError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1


def _invoke(running: function.Running, events: list[Path]) -> int:
    """Send events, print an answer a line, and the log at the end to standard error."""
    failed = False
    for event in events:
        answer = running.invoke(json.loads(event.read_text(encoding="utf-8")))
        failed |= isinstance(answer, dict) and "errorType" in answer
        print(json.dumps(answer, ensure_ascii=False), flush=True)
    print(running.log(), file=sys.stderr, end="")
    return int(failed)


def _artifact(options: argparse.Namespace) -> function.Artifact:
    return function.Artifact(
        options.task,
        options.handler,
        options.layer,
        dict(options.env),
        options.memory,
        options.timeout,
        options.libgomp,
        dict(options.host),
        options.certificates,
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"not NAME=VALUE: {text}")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m monitory_local.sandbox",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("setup", help="make the root file system; the other verbs do it when needed")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--task", type=Path, required=True, help="folder of the built function")
    common.add_argument("--handler", required=True, help="MODULE.FUNCTION")
    common.add_argument("--layer", type=Path, action="append", default=[], help="folder for /opt; repeatable")
    common.add_argument("--env", type=_pair, action="append", default=[], help="NAME=VALUE; repeatable")
    common.add_argument("--host", type=_pair, action="append", default=[], help="NAME=ADDRESS; repeatable")
    common.add_argument("--certificates", type=Path, help="PEM file of authorities to trust besides")
    common.add_argument(
        "--memory", type=int, default=1024, help="AWS_LAMBDA_FUNCTION_MEMORY_SIZE, MB; not enforced (%(default)s)"
    )
    common.add_argument("--timeout", type=int, default=30, help="seconds of an event (%(default)s)")
    common.add_argument("--libgomp", action="store_true", help="OpenMP's library, as an image that installs it has")
    verbs.add_parser("serve", parents=[common], help="print the address for events, and run until interrupted")
    invoke = verbs.add_parser("invoke", parents=[common], help="send events, print an answer a line")
    invoke.add_argument("events", type=Path, nargs="+", metavar="EVENT.json")
    return parser


if __name__ == "__main__":
    run(lambda: sys.exit(main()))

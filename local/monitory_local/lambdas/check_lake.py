"""Check a lake and say what to do first: `python -m monitory_local.lambdas.check_lake`. Changes nothing."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from monitory.settings import RetrainSettings, from_environment
from monitory_local.feed import use_log
from monitory_local.lambdas import handlers
from monitory_local.s3 import DEFAULT_FOLDER, running_s3
from monitory_local.s3.buckets import prepare
from monitory_local.terminal import run

PAGE = Path(".local/check-lake.html")


def main(argv: Sequence[str] | None = None) -> None:
    """Print the check as text or JSON, and write its page; exit code 1 where machines cannot be predicted."""
    parser = argparse.ArgumentParser(prog="python -m monitory_local.lambdas.check_lake", description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON for programs instead of text")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the page with pictures goes (%(default)s)")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="the embedded S3's (%(default)s)")
    arguments = parser.parse_args(argv)
    with running_s3(arguments.folder) as s3, s3.active():
        os.environ.setdefault("LOG_LEVEL", "WARNING")
        handlers.set_defaults()
        if s3.is_own:
            use_log(arguments.folder)
        if s3.embedded:  # it may have been imported into only, and has no bucket for models then
            prepare(s3, from_environment(RetrainSettings))
        answer = handlers.retrain({"action": "check"})
    if answer["status"] != "checked":
        sys.exit(f"error: {answer.get('reason', answer['status'])}")
    page, text = answer.pop("page"), answer.pop("text")
    arguments.page.parent.mkdir(parents=True, exist_ok=True)
    arguments.page.write_text(page, encoding="utf-8")
    print(json.dumps(answer, indent=2, ensure_ascii=False) if arguments.json else text)
    print(f"the page with pictures is {arguments.page}", file=sys.stderr)
    if any(finding["level"] == "stop" for finding in answer["findings"]):
        sys.exit(1)


if __name__ == "__main__":
    run(main)

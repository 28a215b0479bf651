"""`python -m monitory_local.s3`: the embedded server until it is interrupted, and the environment for its clients."""

import argparse
import sys
import threading
from pathlib import Path

from monitory_local.s3.store import DEFAULT_FOLDER, embedded_s3
from monitory_local.terminal import run


def main() -> None:
    """Run the embedded server until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m monitory_local.s3", description="Run the embedded S3 server.")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where its data lies (%(default)s)")
    parser.add_argument("--bucket", action="append", default=[], help="a bucket to create; may be repeated")
    arguments = parser.parse_args()
    with embedded_s3(arguments.folder) as s3:
        if not s3.is_own:
            sys.exit(
                f"error: a server already runs on {arguments.folder}: use {s3.endpoint}, or choose another --folder"
            )
        s3.ensure_buckets(*arguments.bucket)
        for name, value in s3.environment.items():
            print(f"export {name}={value}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    run(main)

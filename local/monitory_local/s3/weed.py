"""One SeaweedFS process as an S3 server, on loopback only: its command line, its start and its end."""

import os
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO

from monitory.errors import MonitoryError
from monitory_local.ports import HOST, free_ports

START_SECONDS = 30.0
STOP_SECONDS = 10.0

_POLL_SECONDS = 0.02
_TRIES = 3

# A server must not outlive us, however we end: it is stopped when the pipe to us closes.
GUARD = """
exec 3<&0
"$@" </dev/null 3<&- & server=$!
(read -r _ <&3; kill "$server" 2>/dev/null) & watcher=$!
wait "$server"; status=$?
kill "$watcher" 2>/dev/null
exit "$status"
"""


class ServerError(MonitoryError):
    """The embedded S3 server did not start."""


@contextmanager
def weed_server(folder: Path, access_key: str, secret_key: str, lock: IO[str]) -> Iterator[str]:
    """Run a server on a folder and yield its endpoint; it is stopped on leaving.

    Data stays in the folder. Every port it opens is a free one of 127.0.0.1, and it reports to nobody.

    Args:
        folder: where its data and its log lie.
        access_key: what clients sign with.
        secret_key: the same.
        lock: an open file that the server inherits, so that a lock on it lasts as long as the server does.

    Raises:
        ServerError: no `weed` program, or it ended or stayed silent; its log is named.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(_TRIES - 1):
        with suppress(ServerError):
            process, port = _start(folder, access_key, secret_key, lock)
            break
    else:
        process, port = _start(folder, access_key, secret_key, lock)
    try:
        yield f"http://{HOST}:{port}"
    finally:
        stop(process)


def _start(folder: Path, access_key: str, secret_key: str, lock: IO[str]) -> tuple[subprocess.Popen[bytes], int]:
    log = folder / "server.log"
    command, port = _command(folder)
    environment = {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "HOME": str(folder),
        "PATH": os.defpath,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "sh", *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(lock.fileno(),),
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not _is_ready(port):
        if process.poll() is not None or time.monotonic() > deadline:
            how = "stayed silent" if process.returncode is None else f"ended with status {process.returncode}"
            stop(process)
            raise ServerError(f"the embedded S3 server {how}; its log is {log}")
        time.sleep(_POLL_SECONDS)
    return process, port


def _command(folder: Path) -> tuple[list[str], int]:
    """The server's command line, and the port of its S3 interface."""
    program = shutil.which("weed", path=os.pathsep.join([sysconfig.get_path("scripts"), os.defpath]))
    if program is None:
        raise ServerError("there is no `weed` program beside this Python; `make env` installs it")
    (master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3, s3_grpc, admin, admin_grpc) = free_ports(10)
    # the options of an earlier run, its ports above all, must not mix with these
    (folder / "mini.options").unlink(missing_ok=True)
    for election_state in folder.glob("m[0-9]*"):
        shutil.rmtree(election_state)
    options = {
        "dir": folder,
        "ip": HOST,
        "ip.bind": HOST,
        "master.port": master,
        "master.port.grpc": master_grpc,
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 1024,
        "volume.port": volume,
        "volume.port.grpc": volume_grpc,
        # each bucket has a volume of its own, which grows as it is filled; by default there are no more of them than
        # full ones would fit on the disk, and a test run has a hundred buckets
        "volume.max": 10_000,
        "volume.preStopSeconds": 0,
        "filer.port": filer,
        "filer.port.grpc": filer_grpc,
        "filer.localSocket": "filer.sock",  # relative: a socket's path may have 107 characters
        "s3.port": s3,
        "s3.port.grpc": s3_grpc,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.localSocket": "s3.sock",
        "s3.autoCreateBucket": "false",  # as AWS: a misspelt bucket is an error
        "admin.port": admin,
        "admin.port.grpc": admin_grpc,
        "admin.ui": "false",
        "webdav": "false",
    }
    flags = [f"-{name}={value}" for name, value in options.items()]
    return [program, "-logtostderr", f"-config_dir={folder}", "mini", *flags], s3


def _is_ready(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/status")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server: first by closing the pipe to its guard, then by force."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

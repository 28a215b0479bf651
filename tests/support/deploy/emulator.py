"""The emulator of AWS that the stack is deployed on: a process on loopback only, which ends with the run."""

import json
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

from monitory_local.artifacts.build import ROOT
from monitory_local.ports import HOST, free_ports
from monitory_local.s3.weed import GUARD, stop

PYTHON = ROOT / ".venv-deploy/bin/python"
ACCOUNT = "123456789012"
REGION = "ap-northeast-2"
START_SECONDS = 60.0

# with TLS it would listen on 443, too, where it may
_PROGRAM = "from ministack import app; app._port_is_bindable = lambda *_: False; app.main()"


class EmulatorError(Exception):
    """The emulator did not start, or ended before its time."""


@dataclass(frozen=True)
class Emulator:
    """A running emulator.

    Attributes:
        port: of all its services, on loopback.
        log: what it and the functions wrote.
    """

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def endpoint(self) -> str:
        """The address of every service."""
        return f"https://{HOST}:{self.port}"

    @property
    def certificate(self) -> Path:
        """What clients have to trust."""
        return self.log.parent / "ministack-tls/server.crt"

    def connection(self, seconds: float) -> HTTPSConnection:
        """A connection to it, for calls through the gateway."""
        trust = ssl.create_default_context(cafile=str(self.certificate))
        return HTTPSConnection(HOST, self.port, timeout=seconds, context=trust)

    def assert_alive(self) -> None:
        """Raise `EmulatorError`, with the end of its log, when it has ended."""
        if self.process.poll() is not None:
            raise EmulatorError(
                f"the emulator ended with status {self.process.returncode} in the middle of the run; "
                f"its log is {self.log}:\n{tail(self.log)}"
            )

    def end_functions(self) -> None:
        """End every running function, as if none had been called for long; the next call is a cold start."""
        functions = list(self._functions())
        for pid in functions:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while any(_runs(pid) for pid in functions):
            time.sleep(0.01)

    def _functions(self) -> Iterator[int]:
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (folder / "cmdline").read_bytes()
                if b"/_worker.py" in command and os.getpgid(int(folder.name)) == self.process.pid:
                    yield int(folder.name)


def _runs(pid: int) -> bool:
    """Whether a process has not ended yet, as its parent sees it: with all of its threads."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
        return state != "Z" or len(list(Path(f"/proc/{pid}/task").iterdir())) > 1
    except OSError:
        return False


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


@contextmanager
def running(folder: Path, *, enforce_iam: bool = False, library_path: Path | None = None) -> Iterator[Emulator]:
    """Run an emulator whose data is gone when it ends; it and every function that it started are stopped on leaving.

    Args:
        folder: its log and its temporary files.
        enforce_iam: whether policies are evaluated, for functions and services alike.
        library_path: a folder of shared libraries that the functions' loader searches, as it does /opt/lib on AWS.

    Raises:
        EmulatorError: there is no environment for it, or it did not start; the remedy or its log is named.
    """
    if not PYTHON.exists():
        raise EmulatorError(f"there is no {PYTHON.relative_to(ROOT)}; `make test-deploy` makes it")
    folder.mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1)
    log = folder / "emulator.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "sh", str(PYTHON), "-c", _PROGRAM],
            cwd=folder,
            env=_environment(folder, port, enforce_iam, library_path),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    emulator = Emulator(port, log, process)
    try:
        _wait_until_ready(emulator)
        yield emulator
    finally:
        stop(process)
        # functions, and what they started, are of the same process group
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _environment(folder: Path, port: int, enforce_iam: bool, library_path: Path | None) -> dict[str, str]:
    environment = {
        "HOME": str(folder),
        "PATH": os.defpath,
        "TMPDIR": str(folder),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1",
        # the buckets' and queues' policies refuse calls without it
        "USE_SSL": "1",
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
        # two processors are shared with the emulator: learning threads that wait must not spin
        "OMP_WAIT_POLICY": "passive",
        "AUTH": "true" if enforce_iam else "false",
    }
    if library_path:
        environment["LD_LIBRARY_PATH"] = str(library_path)
    return environment


def _wait_until_ready(emulator: Emulator) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_ready(emulator):
        ended = emulator.process.poll() is not None
        if ended or time.monotonic() > deadline:
            how = f"ended with status {emulator.process.returncode}" if ended else "stayed silent"
            raise EmulatorError(f"the emulator {how} at its start; its log is {emulator.log}:\n{tail(emulator.log)}")
        time.sleep(0.1)


def _is_ready(emulator: Emulator) -> bool:
    try:
        with closing(emulator.connection(seconds=2.0)) as connection:
            connection.request("GET", "/_ministack/health")
            return isinstance(json.loads(connection.getresponse().read()), dict)
    except (OSError, HTTPException, ValueError):
        return False

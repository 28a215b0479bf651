"""A built artifact running as Lambda runs it: read-only, with nothing of this machine's Python, without Docker.

The work is done by a program that LAMBDA_SANDBOX names: `PROGRAM serve --task DIR --handler NAME --env K=V ...` prints
the address to post events to, and writes the log of AWS's runtime interface emulator to standard error.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from monitory.errors import MonitoryError

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "LAMBDA_SANDBOX"
DEFAULT = ROOT.parent / "shared/tools/lambda-sandbox"
START_SECONDS = 120.0

_RUNTIME = [b"-m", b"awslambdaric"]
_INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)")
_REPORT = re.compile(r"^REPORT RequestId: \S+.*?\tDuration: ([0-9.]+) ms", re.MULTILINE)


class SandboxError(MonitoryError):
    """The sandbox does not start, or died."""


class Unavailable(SandboxError):
    """There is no sandbox on this machine, or this user may not use it; the message says why."""


@dataclass(frozen=True)
class Artifact:
    """What runs: the function's folder, its handler, layers, and variables of its environment."""

    task: Path
    handler: str
    layers: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    memory_mb: int = 1024
    timeout_seconds: int = 30
    libgomp: bool = False


@dataclass
class Running:
    """A function that takes events."""

    address: str
    timeout_seconds: int
    _process: subprocess.Popen[str]
    _log: IO[str]

    def invoke(self, event: object) -> Any:
        """Send an event; the function's answer, or what Lambda says of its error (`errorType`, `errorMessage`).

        Raises:
            SandboxError: nothing answers.
        """
        body = json.dumps(event).encode()
        request = urllib.request.Request(self.address, body, {"Content-Type": "application/json"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_seconds + 30) as response:  # noqa: S310
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as exc:
            # a function that did not start
            with exc, suppress(ValueError):
                return json.loads(exc.read())
            raise SandboxError(f"{exc}\n{self.log()[-2000:]}") from exc
        except (OSError, ValueError) as exc:
            raise SandboxError(f"the sandbox does not answer: {exc}\n{self.log()[-2000:]}") from exc

    def log(self) -> str:
        """All lines so far: the function's and the emulator's."""
        self._log.seek(0)
        return self._log.read()

    def init_ms(self) -> float:
        """How long the runtime and the handler took to start, as the emulator measured it.

        Raises:
            SandboxError: no start was reported yet; the emulator starts the function at the first event.
        """
        found = _INIT.search(self.log())
        if not found:
            raise SandboxError("no INIT REPORT in the log")
        return float(found[1])

    def durations_ms(self) -> list[float]:
        """How long each event took, oldest first; the first one includes the start."""
        return [float(duration) for duration in _REPORT.findall(self.log())]

    def peak_rss_mb(self) -> float:
        """The most memory that the function's process has had in use (VmHWM), in MB.

        Raises:
            SandboxError: the process is gone.
        """
        status = (self._process_folder() / "status").read_text(encoding="utf-8")
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024 / 1e6

    def cpu_ms(self) -> float:
        """CPU time of the function's process so far, in ms; the kernel counts in steps of 10 ms.

        Raises:
            SandboxError: the process is gone.
        """
        fields = _stat(self._process_folder())
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def _process_folder(self) -> Path:
        for pid in _descendants(self._process.pid):
            folder = Path(f"/proc/{pid}")
            with suppress(OSError):
                if (folder / "cmdline").read_bytes().split(b"\0")[1:3] == _RUNTIME:
                    return folder
        raise SandboxError("the function's process is gone")


def program() -> Path:
    """The sandbox program.

    Raises:
        Unavailable: it is not there, or this user may not make mount namespaces.
    """
    named = os.environ.get(VARIABLE)
    path = Path(named) if named else DEFAULT
    if not path.is_file():
        raise Unavailable(f"no Lambda sandbox: {VARIABLE} names {named}" if named else f"{VARIABLE} names no sandbox")
    if os.geteuid() != 0:
        raise Unavailable(f"the Lambda sandbox {path.name} needs root for its mount namespaces")
    allowed = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False)  # noqa: S607
    if allowed.returncode:
        raise Unavailable(f"mount namespaces are not permitted here: {allowed.stderr.decode().strip()}")
    return path


@contextmanager
def serve(artifact: Artifact) -> Iterator[Running]:
    """Run an artifact until the block is left.

    Raises:
        Unavailable: there is no sandbox for us.
        SandboxError: it does not start.
    """
    # where it can be had: a killed test run takes its sandboxes along
    tie = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    command = [*tie, str(program()), "serve", "--task", str(artifact.task), "--handler", artifact.handler]
    command += ["--memory", str(artifact.memory_mb), "--timeout", str(artifact.timeout_seconds)]
    command += [part for layer in artifact.layers for part in ("--layer", str(layer))]
    command += [part for name, value in artifact.environment.items() for part in ("--env", f"{name}={value}")]
    command += ["--libgomp"] if artifact.libgomp else []
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        try:
            yield Running(_address(process, log), artifact.timeout_seconds, process, log)
        finally:
            _end(process)


def _address(process: subprocess.Popen[str], log: IO[str]) -> str:
    # the program prints one line once it listens, or ends; setting its root up the first time takes a minute
    line = process.stdout.readline().strip() if process.stdout else ""
    if not line.startswith("http://127.0.0.1:"):
        log.seek(0)
        raise SandboxError(f"the sandbox did not start: {line} {log.read()[-2000:]}")
    return line


def _end(process: subprocess.Popen[str]) -> None:
    # its traps unmount and remove what it made
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout:
        process.stdout.close()


def _descendants(pid: int) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            children.setdefault(int(_stat(entry)[1]), []).append(int(entry.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    yield from found[1:]


def _stat(folder: Path) -> list[str]:
    """The fields of a process's stat file from its state on: the command before it may hold spaces."""
    return (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()

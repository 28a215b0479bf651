"""A function in the sandbox: start, events, measurements, stop."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from monitory_local.artifacts import wheels
from monitory_local.ports import HOST, free_ports
from monitory_local.sandbox import enter, root
from monitory_local.sandbox.root import SandboxError

START_SECONDS = 30.0
REGION = "ap-northeast-2"

SESSION_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "ASIASANDBOX",
    "AWS_SECRET_ACCESS_KEY": "sandbox",
    "AWS_SESSION_TOKEN": "sandbox",
}
"""Of a function whose environment has none."""

_LIBRARIES = (
    *("/var/lang/lib", "/lib64", "/usr/lib64", "/var/runtime", "/var/runtime/lib"),
    *("/var/task", "/var/task/lib", "/opt/lib"),
)
_PATH = "/2015-03-31/functions/function/invocations"
_RUNTIME = [b"-m", b"awslambdaric"]
_INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)")
_REPORT = re.compile(r"^REPORT RequestId: \S+.*?\tDuration: ([0-9.]+) ms", re.MULTILINE)


@dataclass(frozen=True)
class Artifact:
    """A function and its surroundings.

    Attributes:
        task: the function's folder.
        handler: `module.function`.
        layers: folders that are merged into /opt.
        environment: variables besides Lambda's own, or in place of them.
        memory_mb: AWS_LAMBDA_FUNCTION_MEMORY_SIZE; nothing enforces it.
        timeout_seconds: of one event.
        libgomp: whether the image installs OpenMP's library.
        hosts: addresses by name, as the function resolves them.
        certificates: PEM file of authorities that the function trusts besides the public ones.
    """

    task: Path
    handler: str
    layers: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    memory_mb: int = 1024
    timeout_seconds: int = 30
    libgomp: bool = False
    hosts: Mapping[str, str] = field(default_factory=dict)
    certificates: Path | None = None


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
            # the function did not start
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
            SandboxError: no event has come yet, and the emulator starts the function at the first one.
        """
        report = _INIT.search(self.log())
        if not report:
            raise SandboxError("no INIT REPORT in the log")
        return float(report[1])

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


def lambda_environment(artifact: Artifact) -> dict[str, str]:
    """All variables of the function's process: those that Lambda sets, and the artifact's."""
    return {
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": ":".join(_LIBRARIES),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "PYTHONPATH": "/var/task:/opt/python:/var/runtime",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{wheels.PYTHON}",
        "AWS_LAMBDA_FUNCTION_NAME": "sandbox",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(artifact.memory_mb),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(artifact.timeout_seconds),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/sandbox",
        "AWS_LAMBDA_LOG_STREAM_NAME": "sandbox",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        **({} if "AWS_ACCESS_KEY_ID" in artifact.environment else SESSION_CREDENTIALS),
        "_HANDLER": artifact.handler,
        **artifact.environment,
    }


@contextmanager
def serve(artifact: Artifact) -> Iterator[Running]:
    """Run an artifact until the block is left.

    Raises:
        Unavailable: the sandbox cannot run here.
        SandboxError: it does not start.
    """
    base = root.ensure()
    with (
        tempfile.TemporaryDirectory(prefix="lambda-") as folder,
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log,
    ):
        port, api = free_ports(2)
        plan = _plan(artifact, base, Path(folder), port, api)
        # a killed test run takes its sandboxes along
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
        command += [sys.executable, "-I", str(Path(enter.__file__)), json.dumps(plan)]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            _wait(process, port, log)
            yield Running(f"http://{HOST}:{port}{_PATH}", artifact.timeout_seconds, process, log)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # namespaces and mounts end with their last process
            process.wait()


def _plan(artifact: Artifact, base: Path, folder: Path, port: int, api: int) -> dict[str, Any]:
    """The argument of `enter`; writes this run's small files into a folder."""
    hosts = folder / "hosts"
    names = {"localhost": HOST, **artifact.hosts}
    hosts.write_text("".join(f"{address} {name}\n" for name, address in names.items()), encoding="ascii")
    hosts.chmod(0o644)
    binds = {"etc/hosts": str(hosts), "var/task": str(artifact.task.resolve())}
    if artifact.libgomp:
        binds["var/lang/lib"] = str(root.libgomp(base))
    if artifact.certificates:
        bundle = folder / "certificates.pem"
        bundle.write_bytes((base / root.CERTIFICATES).read_bytes() + artifact.certificates.read_bytes())
        bundle.chmod(0o644)
        binds[root.CERTIFICATES] = str(bundle)
    emulator = [f"/{root.EMULATOR}", "--log-level", "info", "--runtime-api-address", f"{HOST}:{api}"]
    emulator += ["--runtime-interface-emulator-address", f"{HOST}:{port}"]
    return {
        "root": str(base),
        "user": root.USER,
        "group": root.GROUP,
        "binds": binds,
        "layers": [str(layer.resolve()) for layer in artifact.layers],
        "devices": root.DEVICES,
        "environment": lambda_environment(artifact),
        "command": [*emulator, "/usr/bin/python3", "-m", "awslambdaric", artifact.handler],
    }


def _wait(process: subprocess.Popen[str], port: int, log: IO[str]) -> None:
    """Until the emulator listens.

    Raises:
        SandboxError: it ended, or does not listen in time.
    """
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.02)
    log.seek(0)
    raise SandboxError(f"the sandbox did not start: {log.read()[-2000:]}")


def _descendants(pid: int) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            children.setdefault(int(_stat(entry)[1]), []).append(int(entry.name))
    family = [pid]
    for parent in family:
        family += children.get(parent, [])
    yield from family[1:]


def _stat(folder: Path) -> list[str]:
    """The fields of a process's stat file from its state on: the command before it may hold spaces."""
    return (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()

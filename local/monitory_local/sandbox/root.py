"""The sandbox's root file system: Debian with Python 3.13, AWS's runtime interface client and its emulator.

Like Lambda's own base it has no libgomp and no compiler. It is made once, in the user's cache.
"""

import fcntl
import os
import platform
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from monitory.errors import MonitoryError
from monitory_local.artifacts import build, wheels

SUITE = "trixie"
"""The Debian release whose Python is the runtime's."""

CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
EMULATOR = "usr/local/bin/aws-lambda-rie"
USER, GROUP = 993, 990
"""Lambda's own numbers of the user that functions run as."""

_LIBGOMP = "var/lang/lib"
_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
DEVICES = ("null", "zero", "full", "random", "urandom")
_MOUNT_POINTS = ("var/task", "var/runtime", _LIBGOMP, "opt", "tmp", "proc", "dev")
_PROGRAMS = {"unshare": "util-linux", "setpriv": "util-linux", "mount": "mount", "debootstrap": "debootstrap"}
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}


class SandboxError(MonitoryError):
    """The sandbox does not start, or died."""


class Unavailable(SandboxError):
    """This machine or this user cannot run the sandbox; the message says what to install or permit."""


def cache() -> Path:
    """Where the root lies, for the processor of this machine."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "monitory" / f"lambda-{wheels.PYTHON}-{architecture()}"


def architecture() -> str:
    """This machine's processor in Lambda's words.

    Raises:
        Unavailable: Lambda has no such processor.
    """
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise Unavailable(f"the Lambda sandbox needs x86_64 or aarch64, not {machine}")
    return _ARCHITECTURES[machine]


def check() -> None:
    """Raise unless the sandbox can run here.

    Raises:
        Unavailable: it cannot.
    """
    architecture()
    if platform.system() != "Linux":
        raise Unavailable("the Lambda sandbox needs Linux")
    if os.geteuid() != 0:
        raise Unavailable("the Lambda sandbox needs root, for its mount namespace")
    programs = [name for name in _PROGRAMS if name != "debootstrap" or not _is_ready(cache())]
    missing = sorted({_PROGRAMS[name] for name in programs if shutil.which(name) is None})
    if missing:
        raise Unavailable(f"the Lambda sandbox needs more programs: apt-get install {' '.join(missing)}")
    command = ["unshare", "--mount", "--pid", "--fork", "true"]
    trial = subprocess.run(command, capture_output=True, text=True, check=False)
    if trial.returncode:
        raise Unavailable(f"the Lambda sandbox needs mount namespaces: {trial.stderr.strip()}")


def libgomp(root: Path) -> Path:
    """The folder with OpenMP's library, which the root itself lacks."""
    return root.parent / "libgomp"


def ensure() -> Path:
    """The root; the first call makes it, which takes some minutes.

    Raises:
        Unavailable: the sandbox cannot run here.
        SandboxError: the root cannot be made; the message names the log.
        BuildError: a wheel of the runtime interface client is missing.
    """
    check()
    home = cache()
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test runs may begin at a time
        if not _is_ready(home):
            for part in ("root", "libgomp"):
                shutil.rmtree(home / part, ignore_errors=True)
            _bootstrap(home / "root", home / "setup.log")
            _furnish(home / "root")
            _ready_file(home).touch()
    return home / "root"


def _ready_file(home: Path) -> Path:
    """Its name changes with the versions inside, so that a newer lock file makes a new root."""
    pins = wheels.read_lock(build.ROOT / "functions/retrain/requirements.txt")
    return home / "-".join(["ready", SUITE, *(pins[name].version for name in _CLIENT)])


def _is_ready(home: Path) -> bool:
    return _ready_file(home).exists()


def _bootstrap(root: Path, log: Path) -> None:
    command = ["unshare", "--mount", "debootstrap", "--variant=minbase", "--include=python3,ca-certificates"]
    with log.open("wb") as output:
        process = subprocess.run([*command, SUITE, str(root)], stdout=output, stderr=subprocess.STDOUT, check=False)
    if process.returncode:
        raise SandboxError(f"debootstrap failed with status {process.returncode}; its log is {log}")


def _furnish(root: Path) -> None:
    arch = architecture()
    for library in [*root.glob("usr/lib/**/libgomp.so*"), *root.glob("lib/**/libgomp.so*")]:
        library.unlink(missing_ok=True)
    for folder in _MOUNT_POINTS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for device in DEVICES:
        (root / "dev" / device).touch()
    # OpenSSL reads one bundle, as on Amazon Linux
    (root / "usr/lib/ssl/cert.pem").unlink(missing_ok=True)
    (root / "usr/lib/ssl/cert.pem").symlink_to(f"/{CERTIFICATES}")
    with (root / "etc/passwd").open("a", encoding="utf-8") as users:
        users.write(f"sbx_user1051:x:{USER}:{GROUP}::/home/sbx_user1051:/sbin/nologin\n")
    pins = wheels.read_lock(build.ROOT / "functions/retrain/requirements.txt")
    with tempfile.TemporaryDirectory() as folder:
        for wheel in wheels.fetch([pins[name] for name in _CLIENT], arch, Path(folder)).values():
            wheels.unpack(wheel, root / "var/runtime", lambda _: True)
        build.add_libgomp(libgomp(root), arch, Path(folder))
    shutil.copy(_emulator(arch), root / EMULATOR)
    (root / EMULATOR).chmod(0o755)


def _emulator(arch: str) -> Path:
    """AWS's runtime interface emulator, which the locked aws-sam-cli carries."""
    package = find_spec("samcli")
    folder = Path(package.submodule_search_locations[0]) if package and package.submodule_search_locations else Path()
    path = folder / f"local/rapid/aws-lambda-rie-{arch}"
    if not path.is_file():
        raise SandboxError("there is no aws-lambda-rie beside this Python; `make env` installs aws-sam-cli")
    return path

"""Wheels for another Python than this one: resolved by a lock file, checked by hash, unpacked by hand.

Only the standard library and pip are needed. Environment markers are not evaluated: the lock files of what is
deployed are compiled for the deployed platform, so every line of them applies.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from monitory.errors import MonitoryError

MACHINES: Mapping[str, str] = {"x86_64": "x86_64", "arm64": "aarch64"}
PYTHON = "3.13"
_GLIBC_MINOR = 34  # Amazon Linux 2023, on which the runtime stands
_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_SCHEMES = ("purelib", "platlib")


class BuildError(MonitoryError):
    """The artifact cannot be built; the message says what is missing."""


class Pin(NamedTuple):
    """A line of a lock file: a distribution, its version and the hashes of its files."""

    name: str
    version: str
    hashes: frozenset[str]

    def __str__(self) -> str:
        """The requirement as pip reads it."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{h}" for h in sorted(self.hashes))])


def read_lock(path: Path) -> dict[str, Pin]:
    """The pins of a lock file by normalised name.

    Raises:
        BuildError: a line is not a pinned version with hashes.
    """
    pins = {}
    for line in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        text = line.split(" #")[0].strip()
        if not text or text.startswith("#"):
            continue
        match = _PIN.match(text)
        hashes = frozenset(_HASH.findall(text))
        if match is None or not hashes:
            raise BuildError(f"{path}: not a pinned version with hashes: {text[:80]}")
        name = normalise(match["name"])
        pins[name] = Pin(name, match["version"], hashes)
    return pins


def normalise(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def fetch(pins: Iterable[Pin], arch: str, wheelhouse: Path) -> dict[str, Path]:
    """The wheel of each pin for Python 3.13 on Lambda; wheels that the wheelhouse has are not downloaded again.

    Args:
        pins: the distributions.
        arch: `x86_64` or `arm64`, Lambda's words.
        wheelhouse: a folder of wheels of that architecture.

    Raises:
        BuildError: there is no such wheel, or a hash is wrong.
    """
    wheelhouse.mkdir(parents=True, exist_ok=True)
    pins = list(pins)
    stock = _stock(wheelhouse)
    missing = [pin for pin in pins if not _match(pin, stock)]
    if missing:
        _download(missing, arch, wheelhouse)
        stock = _stock(wheelhouse)
    matches = {pin.name: _match(pin, stock) for pin in pins}
    absent = [name for name, path in matches.items() if path is None]
    if absent:
        raise BuildError(f"no wheel with the hash of the lock file for {', '.join(absent)}")
    return {name: path for name, path in matches.items() if path is not None}


def unpack(wheel: Path, target: Path, keep: Callable[[str], bool]) -> dict[str, int]:
    """Unpack the files of a wheel whose paths `keep` accepts.

    Returns:
        Bytes by path below `target`.

    Raises:
        BuildError: a path leads out of the target.
    """
    sizes = {}
    with zipfile.ZipFile(wheel) as archive:
        for name, place in members(archive):
            if not keep(place):
                continue
            path = target / place
            if not path.resolve().is_relative_to(target.resolve()):
                raise BuildError(f"{wheel.name} holds the path {name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            content = archive.read(name)
            path.write_bytes(content)
            sizes[place] = len(content)
    return sizes


def members(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """The files of a wheel: name in the archive, place below the folder where it is installed.

    Scripts, headers and data files of the `.data` folder have no place beside modules and are left out.
    """
    for info in archive.infolist():
        if info.is_dir():
            continue
        parts = PurePosixPath(info.filename).parts
        if not parts[0].endswith(".data"):
            yield info.filename, info.filename
        elif parts[1] in _SCHEMES:
            yield info.filename, str(PurePosixPath(*parts[2:]))


def platforms(arch: str) -> list[str]:
    """The platform tags that the runtime accepts, newest first."""
    machine = MACHINES[arch]
    return [
        *(f"manylinux_2_{minor}_{machine}" for minor in range(_GLIBC_MINOR, 16, -1)),
        f"manylinux2014_{machine}",
        *(["manylinux2010_x86_64", "manylinux1_x86_64"] if machine == "x86_64" else []),
    ]


def _stock(wheelhouse: Path) -> dict[str, Path]:
    """The wheels in a wheelhouse by hash."""
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in sorted(wheelhouse.glob("*.whl"))}


def _match(pin: Pin, stock: Mapping[str, Path]) -> Path | None:
    # the hashes of a pin are those of all its files; the wheelhouse is of one architecture and one Python
    return next((path for digest, path in stock.items() if digest in pin.hashes), None)


def _download(pins: list[Pin], arch: str, wheelhouse: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as requirements:
        requirements.write("\n".join(map(str, pins)))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"]
    command += [f"--platform={tag}" for tag in platforms(arch)]
    command += [f"--dest={wheelhouse}", f"--requirement={requirements.name}"]
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        Path(requirements.name).unlink()
    if process.returncode:
        lines = [line for line in process.stderr.splitlines() if not line.startswith("WARNING")]
        raise BuildError("pip could not fetch the wheels:\n" + "\n".join(lines[-15:]))

"""Compile the C part of the shared package with zig's compiler, out of a locked wheel, for either processor.

    python -m monitory_local.artifacts.native [--arch arm64] TARGET

Without it everything works, and reading the lake costs several times as much. The retrain image's Dockerfile runs this
file alone, so it needs nothing but the standard library and pip.
"""

import argparse
import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "layers/shared/monitory/features/uniform.c"
LIBRARY = "libuniform.so"
"""Beside its source."""

_LOCK = ROOT / "requirements/compiler.txt"
_TOOL = ROOT / ".aws-sam/zig"
_TARGETS = {"x86_64": "x86_64-linux-gnu.2.34", "arm64": "aarch64-linux-gnu.2.34"}  # Amazon Linux 2023
_FLAGS = ("-O2", "-fno-math-errno", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-s")
_SAME_BITS = "-ffp-contract=off"  # or arm64 would multiply and add with one rounding


class CompilerError(Exception):
    """The C part cannot be compiled; the message says why."""


def compile_library(target: Path, arch: str | None = None) -> None:
    """Write the library for Lambda's `arch`, `x86_64` or `arm64`, or for this machine: on Linux, the same bytes.

    Raises:
        CompilerError: there is no compiler for this machine, or it fails.
    """
    _install()
    if arch is None and sys.platform == "linux":
        arch = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())
    command = [sys.executable, "-m", "ziglang", "cc", *(("-target", _TARGETS[arch]) if arch else ()), *_FLAGS]
    command += [_SAME_BITS, "-o", str(target), str(SOURCE), "-lm"]
    cache = {name: str(_TOOL / "cache") for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")}
    _run(command, os.environ | {"PYTHONPATH": str(_TOOL)} | cache)


def _install() -> None:
    """Install the locked compiler where it is not there yet; it takes 400 MB."""
    stamp = _TOOL / hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:16]
    if stamp.exists():
        return
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=1"]
    command += ["--no-deps", "--no-compile", "--only-binary=:all:", "--require-hashes", "--upgrade"]
    _run([*command, f"--target={_TOOL}", f"--requirement={_LOCK}"], os.environ)
    stamp.touch()


def _run(command: list[str], environment: os._Environ[str] | dict[str, str]) -> None:
    process = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(environment))
    if process.returncode:
        cause = f"{command[2]}: {process.stderr.strip()[-2000:]}"
        raise CompilerError(f"no C library, so reading the lake costs several times as much CPU: {cause}")


def main(arguments: list[str] | None = None) -> int:
    """Compile what the command line asks for; a machine for which there is no compiler goes without."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("target", type=Path, help=f"the library to write; the package looks for {LIBRARY}")
    parser.add_argument("--arch", choices=sorted(_TARGETS), help="Lambda's processor [this machine]")
    options = parser.parse_args(arguments)
    try:
        compile_library(options.target, options.arch)
    except CompilerError as exc:
        print(f"warning: {exc}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

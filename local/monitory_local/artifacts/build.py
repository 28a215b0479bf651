"""Build the zip artifacts as the runtime wants them, without Docker and on any Python from 3.11 on.

`python -m monitory_local.artifacts.build` makes under `.aws-sam/build/` what `sam deploy` and `sam local` look for
there: PredictFunction/ (the handler and its web framework), ScoreFunction/, SharedLayer/ (the shared package, its
libraries, LightGBM's C library and libgomp) and template.yaml with their places in it. `sam build` calls it too, one
artifact at a time.
"""

import argparse
import fnmatch
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from monitory_local.artifacts import native, wheels
from monitory_local.artifacts.wheels import BuildError, Pin

ROOT = Path(__file__).resolve().parents[3]
LIMIT_BYTES = 120_000_000
LAYER, FUNCTION, SCORE = "SharedLayer", "PredictFunction", "ScoreFunction"
IMAGE_FUNCTIONS = 2
"""Retrain and read: one image, under two roles."""

# What the function never opens, by pattern on the path in the wheel. A pattern matches folders, too.
EXCLUSIONS: Mapping[str, str] = {
    "*.pyi": "type stubs",
    "*/py.typed": "a mark for type checkers",
    "*/__pycache__/*": "bytecode of another Python",
    "*.dist-info/RECORD": "names files that are not shipped",
    "*.dist-info/WHEEL": "for installers",
    "*.dist-info/INSTALLER": "for installers",
    "*.dist-info/top_level.txt": "for installers",
    "*.dist-info/sboms/*": "0.3 MB; the lock file says the same",
    "aws_lambda_powertools/event_handler/*": "2.2 MB: another web framework, with a copy of Swagger UI",
    "aws_lambda_powertools/utilities/[!_]*/*": "1.6 MB: we log, no more",
    "fastapi/.agents/*": "texts for coding assistants",
    "fastapi/cli.py": "a command",
    "fastapi/testclient.py": "tests",
    "starlette/testclient.py": "tests",
    "anyio/_backends/_trio.py": "another event loop",
    "anyio/pytest_plugin.py": "tests",
    "idna/*": "0.5 MB of Unicode: anyio asks for it when it opens a connection, which nothing here does",
    "lightgbm/*.py": "the Python package needs numpy and scipy; its C library is called directly",
    "lightgbm/VERSION.txt": "read by the Python package only",
    "obstore/auth/*": "credential providers of other clouds and of engineers' machines",
    "obstore/fsspec.py": "an adapter for pandas and dask",
    "pydantic/mypy.py": "a plugin of the type checker",
    "pydantic/v1/*": "0.5 MB: the old API",
}
EXCEPTIONS = ("aws_lambda_powertools/utilities/typing/*", "aws_lambda_powertools/utilities/jmespath_utils/*")

# The zip runtime has no libgomp. Scikit-learn's wheel, pinned for the retrain image, carries a build of it for old
# glibcs. GPLv3 with the GCC Runtime Library Exception: a program may use it whatever its own licence; the licence
# text in the same wheel goes along.
GOMP_WHEEL = "scikit-learn"
GOMP_LIBRARY, GOMP_LICENCE = "scikit_learn.libs/libgomp-*.so*", "scikit_learn-*.dist-info/licenses/COPYING"


class Artifact(NamedTuple):
    """A folder that Lambda unpacks: its mount point, what of ours goes in, and where packages lie in it."""

    name: str
    mount_point: str
    package: Path
    packages: str


ARTIFACTS = {
    LAYER: Artifact(LAYER, "/opt", ROOT / "layers/shared/monitory", "python"),
    FUNCTION: Artifact(FUNCTION, "/var/task", ROOT / "functions/predict/monitory_predict", ""),
    SCORE: Artifact(SCORE, "/var/task", ROOT / "functions/score/monitory_score", ""),
}


def is_shipped(path: str) -> bool:
    """Whether a file of a wheel goes into the artifact."""
    if any(fnmatch.fnmatchcase(path, pattern) for pattern in EXCEPTIONS):
        return True
    return not any(fnmatch.fnmatchcase(path, pattern) for pattern in EXCLUSIONS)


def pins_of(name: str) -> list[Pin]:
    """What is installed into an artifact; the functions do not repeat what the layer has.

    Raises:
        BuildError: the function's lock file names another version than the layer's.
    """
    layer = wheels.read_lock(ROOT / "layers/shared/requirements.txt")
    layer |= wheels.read_lock(ROOT / "layers/shared/requirements-native.txt")
    if name == LAYER:
        return list(layer.values())
    if name == SCORE:
        return []  # it needs nothing but the layer
    function = wheels.read_lock(ROOT / "functions/predict/requirements.txt")
    for pin in function.values():
        if pin.name in layer and layer[pin.name].version != pin.version:
            raise BuildError(f"{pin.name} is {layer[pin.name].version} in the layer and {pin.version} in the function")
    return [pin for pin in function.values() if pin.name not in layer]


def build(name: str, target: Path, arch: str, wheelhouse: Path, compiler: Path | None) -> Counter[str]:
    """Replace an artifact's folder.

    Args:
        name: one of `ARTIFACTS`.
        target: the folder; what was in it before is removed once the new one is whole.
        arch: `x86_64` or `arm64`.
        wheelhouse: where wheels are kept between builds.
        compiler: an interpreter of Python 3.13 for the bytecode; without it there is none.

    Returns:
        Unzipped bytes by package.

    Raises:
        BuildError: a wheel is missing, or the bytecode cannot be made.
    """
    artifact = ARTIFACTS[name]
    fresh = target.with_name(f"{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    packages = fresh / artifact.packages
    packages.mkdir(parents=True)
    for wheel in wheels.fetch(pins_of(name), arch, wheelhouse).values():
        wheels.unpack(wheel, packages, is_shipped)
    shutil.copytree(
        artifact.package,
        packages / artifact.package.name,
        ignore=shutil.ignore_patterns("__pycache__", "py.typed", "*.c", native.LIBRARY),
    )
    if name == LAYER:
        add_libgomp(fresh / "lib", arch, wheelhouse)
        add_library(packages, arch)
    if compiler:
        compile_bytecode(fresh, artifact.mount_point, compiler)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    return sizes(target, artifact.packages)


def add_library(packages: Path, arch: str) -> None:
    """Compile the C part of the shared package, which does without where it cannot be compiled."""
    try:
        native.compile_library(packages / "monitory/features" / native.LIBRARY, arch)
    except native.CompilerError as exc:
        print(f"warning: {exc}", file=sys.stderr)


def add_libgomp(folder: Path, arch: str, wheelhouse: Path) -> None:
    """Put libgomp, under the name that LightGBM's library asks for, and its licence into a folder.

    Raises:
        BuildError: the wheel does not carry it.
    """
    pin = wheels.read_lock(ROOT / "functions/retrain/requirements.txt")[GOMP_WHEEL]
    wheel = wheels.fetch([pin], arch, wheelhouse)[GOMP_WHEEL]
    sizes_by_path = wheels.unpack(
        wheel, folder, lambda path: any(fnmatch.fnmatchcase(path, p) for p in (GOMP_LIBRARY, GOMP_LICENCE))
    )
    for pattern, name in ((GOMP_LIBRARY, "libgomp.so.1"), (GOMP_LICENCE, "LICENSE-libgomp.txt")):
        matches = fnmatch.filter(sizes_by_path, pattern)
        if len(matches) != 1:
            raise BuildError(f"{wheel.name} holds {len(matches)} files {pattern} instead of one")
        (folder / matches[0]).rename(folder / name)
        shutil.rmtree(folder / matches[0].split("/")[0])
    (folder / "libgomp.so.1").chmod(0o755)


def compile_bytecode(folder: Path, mount_point: str, compiler: Path) -> None:
    """Compile for a read-only mount point: unchecked, because zip and unzip change the sources' times.

    Raises:
        BuildError: a file does not compile.
    """
    command = [str(compiler), "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash"]
    command += ["-s", str(folder), "-p", mount_point, str(folder)]  # tracebacks name the place on Lambda
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        raise BuildError(f"bytecode: {process.stdout[-2000:]}{process.stderr[-2000:]}")


def find_compiler() -> Path | None:
    """An interpreter of the runtime's Python: this one, on PATH, of pyenv, or of uv."""
    return next((path for path in _interpreters() if _is_runtime(path)), None)


def _interpreters() -> Iterator[Path]:
    yield Path(sys.executable)
    name = f"python{wheels.PYTHON}"
    if on_path := shutil.which(name):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{wheels.PYTHON}*/bin/{name}"), reverse=True)
    if uv := shutil.which("uv"):
        command = [uv, "python", "find", "--no-python-downloads", wheels.PYTHON]
        path = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        if path:
            yield Path(path)


def _is_runtime(python: Path) -> bool:
    # a shim on PATH may answer that no such version is chosen
    command = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() == wheels.PYTHON


def sizes(folder: Path, packages: str) -> Counter[str]:
    """Bytes below a folder by package; all metadata folders count as one package."""
    counts: Counter[str] = Counter()
    for path in folder.rglob("*"):
        if path.is_file():
            place = path.relative_to(folder)
            inside = place.relative_to(packages) if place.is_relative_to(packages) else place
            top = inside.parts[0]
            counts["*.dist-info" if top.endswith(".dist-info") else top] += path.stat().st_size
    return counts


def write_template(out: Path, arch: str) -> None:
    """Copy the template beside the artifacts, with their places and their architecture.

    Raises:
        BuildError: the template does not name each source folder as often as it should.
    """
    context = os.path.relpath(ROOT, out.resolve())
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    for pattern, replacement in (
        (r"(?m)^( +CodeUri:) functions/predict/$", rf"\1 {FUNCTION}"),
        (r"(?m)^( +CodeUri:) functions/score/$", rf"\1 {SCORE}"),
        (r"(?m)^( +ContentUri:) layers/shared/$", rf"\1 {LAYER}"),
        (r"(?m)^( +DockerContext:) \.$", rf"\1 {context}"),
        # `sam deploy` uploads these as they stand in the repository
        (r"(?m)^( +DefinitionUri:) (statemachine/)", rf"\1 {context}/\2"),
        (r"(?m)^( +Parameters: {Location:) (monitoring/)", rf"\1 {context}/\2"),
        # a deployment of the other architecture would start, and die at the first import
        (
            r"(?m)^( +)Default: x86_64\n +AllowedValues: \[x86_64, arm64\]$",
            rf"\1Default: {arch}\n\1AllowedValues: [{arch}]",
        ),
    ):
        text, count = re.subn(pattern, replacement, text)
        expected = IMAGE_FUNCTIONS if "DockerContext" in pattern else 1
        if count != expected:
            raise BuildError(f"template.yaml matches {pattern} {count} times instead of {expected}")
    (out / "template.yaml").write_text(text, encoding="utf-8")


def report(counts: Mapping[str, Counter[str]]) -> int:
    """Print bytes by artifact and package; returns the total."""
    for name, packages in counts.items():
        for package, count in packages.most_common():
            print(f"{count / 1e6:8.2f} MB  {name}/{package}")
    total = sum(count for packages in counts.values() for count in packages.values())
    for name, packages in counts.items():
        print(f"{sum(packages.values()) / 1e6:8.2f} MB  {name}")
    print(f"{total / 1e6:8.2f} MB  in all, unzipped (at most {LIMIT_BYTES / 1e6:.0f})")
    return total


def main(arguments: list[str] | None = None) -> int:
    """Build what the command line asks for; 1 when that is too large or fails."""
    parser = argparse.ArgumentParser(
        prog="python -m monitory_local.artifacts.build", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--arch", choices=sorted(wheels.MACHINES), default="x86_64", help="of the functions [x86_64]")
    parser.add_argument("--out", type=Path, default=ROOT / ".aws-sam/build", help="[.aws-sam/build]")
    parser.add_argument("--only", choices=sorted(ARTIFACTS), help="build just this one, into --out itself")
    parser.add_argument("--python", type=Path, help=f"Python {wheels.PYTHON} for the bytecode [searched]")
    options = parser.parse_args(arguments)
    compiler = options.python or find_compiler()
    if compiler is None:
        print(
            f"warning: no Python {wheels.PYTHON} on this machine, so the artifact has no bytecode: each cold start"
            " compiles every module again and takes two to four times longer. Install one, or name it with --python.",
            file=sys.stderr,
        )
    wheelhouse = ROOT / ".aws-sam/wheels" / options.arch
    names = [options.only] if options.only else list(ARTIFACTS)
    try:
        counts = {
            name: build(name, options.out if options.only else options.out / name, options.arch, wheelhouse, compiler)
            for name in names
        }
        if not options.only:
            write_template(options.out, options.arch)
    except BuildError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    if report(counts) > LIMIT_BYTES:
        print(f"error: more than {LIMIT_BYTES / 1e6:.0f} MB", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

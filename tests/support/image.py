"""What a Dockerfile puts into an image, without Docker: its copies made and its requirements installed in a folder."""

import hashlib
import os
import re
import shlex
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from monitory_local.artifacts import native, wheels
from monitory_local.artifacts.build import ROOT, compile_bytecode, find_compiler

TASK_ROOT = "${LAMBDA_TASK_ROOT}"
DOCKERFILE = ROOT / "functions/retrain/Dockerfile"


@dataclass
class Dockerfile:
    """The instructions of a Dockerfile that say what is in the image and how it runs."""

    base: str = ""
    copies: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    handler: str = ""
    folder: str = ""
    made: list[tuple[str, str]] = field(default_factory=list)
    """What earlier stages made: where, and its place here."""
    earlier_stages: "list[Dockerfile]" = field(default_factory=list)

    @property
    def packages(self) -> set[str]:
        """System packages that are installed."""
        return {
            word
            for command in self.commands
            for match in re.findall(r"dnf install -y ([^&]+)", command)
            for word in match.split()
        }


def read_dockerfile(path: Path = DOCKERFILE) -> Dockerfile:
    """Read a Dockerfile; an instruction that is not known here is an error, for it would go untested."""
    text = re.sub(r"(?m)^\s*#.*\n", "", path.read_text(encoding="utf-8")).replace("\\\n", " ")
    found = Dockerfile()
    for line in filter(str.strip, text.splitlines()):
        instruction, _, rest = line.strip().partition(" ")
        match instruction:
            case "FROM":
                earlier = [*found.earlier_stages, found] if found.base else []
                found = Dockerfile(rest.split(" AS ")[0], earlier_stages=earlier)
            case "WORKDIR":
                found.folder = rest
            case "COPY" if rest.startswith("--from="):
                _, source, target = rest.split()
                found.made.append((source, target))
            case "COPY":
                source, target = rest.split()
                found.copies.append((source, target))
            case "RUN":
                found.commands.append(rest)
            case "ENV":
                found.environment |= dict(word.split("=", 1) for word in shlex.split(rest))
            case "USER":
                found.user = rest
            case "CMD":
                (found.handler,) = re.findall(r'"([^"]+)"', rest)
            case _:
                raise AssertionError(f"{instruction} is not known to this test")
    return found


def make_task_root(dockerfile: Dockerfile, folder: Path, wheelhouse: Path, *, bytecode: bool = True) -> None:
    """Fill a folder with what the Dockerfile puts into LAMBDA_TASK_ROOT; bytecode only where there is a Python 3.13."""
    compiler = find_compiler() if bytecode else None
    for source, target in dockerfile.copies:
        place = folder / target.removeprefix(f"{TASK_ROOT}/")
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__", native.LIBRARY))
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, place)
    for _, target in dockerfile.made:
        native.compile_library(folder / target.removeprefix(f"{TASK_ROOT}/"), "x86_64")
    for command in dockerfile.commands:
        for requirements in re.findall(rf'--requirement "{re.escape(TASK_ROOT)}/([^"]+)"', command):
            if compiler:
                libraries = compiled_libraries(folder / requirements, wheelhouse, compiler)
                shutil.copytree(libraries, folder, copy_function=_link, dirs_exist_ok=True)
            else:
                _unpack(folder / requirements, folder, wheelhouse)
        if "chmod -R a+rX" in command:
            folder.chmod(0o755)
        if compiler and "compileall" in command:
            for _, target in dockerfile.copies:
                code = target.removeprefix(f"{TASK_ROOT}/")
                if (folder / code).is_dir():
                    compile_bytecode(folder / code, f"/var/task/{code}", compiler)


def compiled_libraries(lock: Path, wheelhouse: Path, compiler: Path) -> Path:
    """A folder with the libraries of a lock and their bytecode: made once for a lock, kept beside the wheels.

    Unpacking and compiling them takes 18 s of CPU.
    """
    digest = hashlib.sha256(lock.read_bytes() + compiler.resolve().as_posix().encode()).hexdigest()
    kept = wheelhouse.with_name("libraries")
    if not (kept / digest).is_dir():
        kept.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=kept))
        _unpack(lock, fresh, wheelhouse)
        compile_bytecode(fresh, "/var/task", compiler)
        try:
            fresh.rename(kept / digest)
        except OSError:  # another process of the same run was first
            shutil.rmtree(fresh)
    return kept / digest


def _unpack(lock: Path, folder: Path, wheelhouse: Path) -> None:
    for wheel in wheels.fetch(wheels.read_lock(lock).values(), "x86_64", wheelhouse).values():
        # the libraries' own tests are a third of their files, and nothing imports them
        wheels.unpack(wheel, folder, lambda path: "/tests/" not in path)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def docker_sends(path: str) -> bool:
    """Whether .dockerignore lets Docker have a path; the last pattern that fits decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            exception = pattern.startswith("!")
            # a pattern speaks for what is below, too
            expression = re.escape(pattern.lstrip("!")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
            if re.fullmatch(f"{expression}(?:/.*)?", path):
                sent = exception
    return sent

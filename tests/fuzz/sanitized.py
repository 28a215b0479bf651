"""Fuzz the C part with sanitizers: `python -m tests.fuzz.sanitized --mutants 1000000`.

A system's compiler builds `uniform.c` with the address and the undefined-behaviour sanitizer into a program that
changes objects and reads them (`sanitized.c`). What it takes, the product's library and Python read into the same bits.
"""

import argparse
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from monitory import clock
from monitory.features import uniform
from monitory.layout.lake_layout import LakeLayout
from tests.support.samples import SOURCE
from tests.support.uniform import DAYS, LAYOUTS, SENSORS, ZONES, is_taken, objects, plain

HARNESS = Path(__file__).with_suffix(".c")
FINDING = Path(".local/fuzz/sanitized-finding")
_FLAGS = (
    "-O1",
    "-g",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-ffp-contract=off",
    "-Wall",
    "-Wextra",
)
_OBJECTS = 50  # a process
_EACH = 1_000  # changes of an object


class NoSanitizerError(Exception):
    """There is no compiler with sanitizers; the message says what to do."""


def main() -> None:
    """Try a number of objects."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.sanitized", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--mutants", type=int, default=1_000_000, help="changed objects (%(default)s)")
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="repeats a run [the time]")
    arguments = parser.parse_args()
    if uniform.library() is None:
        sys.exit("the C part is not compiled, so nothing was tried: make native")
    with tempfile.TemporaryDirectory() as folder:
        try:
            program = build(Path(folder))
        except NoSanitizerError as exc:
            sys.exit(f"nothing was tried: {exc}")
        tried, taken, compared = run(program, arguments.mutants, arguments.seed)
    sys.stdout.write(f"{tried:,} changed objects in C under sanitizers, no finding: ")
    sys.stdout.write(f"{taken:,} taken, {compared:,} compared with Python bit for bit\n")


def build(folder: Path) -> Path:
    """The program that changes and reads, with sanitizers.

    Raises:
        NoSanitizerError: nothing on this machine compiles it.
    """
    program = folder / "sanitized"
    compiler = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    if compiler is None:
        raise NoSanitizerError("no cc, gcc or clang was found; install gcc or clang (zig's compiler has no sanitizers)")
    include = f"-I{Path(uniform.__file__).parent}"
    ended = subprocess.run(
        [compiler, *_FLAGS, include, "-o", str(program), str(HARNESS), "-lm"],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise NoSanitizerError(f"{compiler} does not compile with sanitizers: {ended.stderr.strip()[-2000:]}")
    return program


def run(program: Path, mutants: int, seed: int) -> tuple[int, int, int]:
    """Try objects; how many were tried, taken, and taken as well by the product and compared.

    The program takes a changed first line whose fields Python may refuse, so that some are not compared.
    """
    chosen, tried, taken, compared = random.Random(seed), 0, 0, 0
    try:
        while tried < mutants:
            layout, day = chosen.choice(LAYOUTS), chosen.choice(DAYS)
            clock.set_zone(chosen.choice(ZONES))
            each = min(_EACH, mutants - tried)
            count = min(_OBJECTS, -(-(mutants - tried) // each))
            feed = b"".join([_sensors(), *(_object(chosen, layout, day) for _ in range(count))])
            for body in _taken(program, feed, chosen.getrandbits(63), each, seed):
                taken += 1
                compared += _compared(body, layout, day)
            tried += count * each
    finally:
        clock.set_zone(clock.DEFAULT_ZONE)
    return tried, taken, compared


def _sensors() -> bytes:
    names = [(sensor, sensor.lake_name.encode()) for sensor in SENSORS.sensors]
    each = (struct.pack("<idd", len(name), sensor.low, sensor.high) + name for sensor, name in names)
    return struct.pack("<i", len(names)) + b"".join(each)


def _object(chosen: random.Random, layout: LakeLayout, day: str) -> bytes:
    """A plain object, and where Python finds the fields of its first line."""
    key = SOURCE._replace(day=SOURCE.day.fromisoformat(day))
    while True:
        body = bytes(plain(chosen, layout, day))
        line = body.find(b"\n")
        found = objects(layout)._fields(body[:line], key) if line > 0 else None
        if found:
            places = b"".join(struct.pack("<3i", *field) for field in found[1])
            return struct.pack("<3i", len(body), line, len(found[1])) + places + body


def _taken(program: Path, feed: bytes, draw: int, each: int, seed: int) -> Iterator[bytes]:
    ended = subprocess.run([program, str(draw), str(each)], input=feed, capture_output=True, check=False)
    if ended.returncode:
        raise AssertionError(f"--seed {seed} repeats it: {ended.stderr.decode(errors='replace')[-4000:]}")
    at = 0
    while at < len(ended.stdout):
        (size,) = struct.unpack_from("<i", ended.stdout, at)
        yield ended.stdout[at + 4 : at + 4 + size]
        at += 4 + size


def _compared(body: bytes, layout: LakeLayout, day: str) -> bool:
    try:
        return is_taken(body, layout, day)
    except Exception:
        FINDING.parent.mkdir(parents=True, exist_ok=True)
        FINDING.write_bytes(body)
        raise


if __name__ == "__main__":
    main()

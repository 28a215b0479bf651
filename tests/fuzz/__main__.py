"""Fuzz the decoders: `python -m tests.fuzz --seconds 600`.

With atheris, coverage decides what is tried next; each target runs in a process of its own, one after the other.
Without it, inputs of the corpus are changed at random: fewer paths, the same checks.
"""

import argparse
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
NAMES = sorted(path.name for path in CORPUS.iterdir())
"""Each target has a corpus of its name."""

LARGEST = 4096
_PIECES = (b"null", b"1e999", b"-1", b'"', b"{", b"[", b"\xff", b"\x00", b"\n", b",", b"9999")


def main() -> None:
    """Run all targets, or one, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the decoders.")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together (%(default)s)")
    parser.add_argument("--target", choices=NAMES, help="only this one, in this process")
    parser.add_argument("--found", type=Path, default=Path(".local/fuzz"), help="where findings go (%(default)s)")
    arguments = parser.parse_args()
    arguments.found.mkdir(parents=True, exist_ok=True)
    if arguments.target:
        _fuzz(arguments.target, arguments.seconds, arguments.found)
        return
    seconds = max(arguments.seconds // len(NAMES), 1)
    failed = [name for name in NAMES if not _report(name, seconds, arguments.found)]
    if failed:
        sys.exit(f"findings in {', '.join(failed)}; inputs are in {arguments.found}")


def _report(name: str, seconds: int, found: Path) -> bool:
    command = [sys.executable, "-m", "tests.fuzz", "--target", name, "--seconds", str(seconds), "--found", str(found)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    text = ended.stderr + ended.stdout
    executions = re.findall(r"(?:stat::number_of_executed_units:|executions) +(\d+)", text)
    coverage = re.findall(r"cov: (\d+)", text)
    how = f"coverage {coverage[-1]} edges" if coverage else "random changes, atheris is not installed"
    verdict = "no finding" if not ended.returncode else "FINDING\n" + "\n".join(text.splitlines()[-40:])
    sys.stdout.write(f"{name:14} {int(executions[-1]) if executions else 0:>10,} executions, {how}: {verdict}\n")
    sys.stdout.flush()
    return not ended.returncode


def _fuzz(name: str, seconds: int, found: Path) -> None:
    try:
        import atheris
    except ImportError:
        _change(name, seconds, found)
        return
    with atheris.instrument_imports(include=["monitory", "monitory_predict", "monitory_retrain"]):
        target = _target(name)
    work = found / name
    work.mkdir(exist_ok=True)
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-max_len={LARGEST}",
            "-timeout=10",
            "-rss_limit_mb=1500",
            "-print_final_stats=1",
            f"-artifact_prefix={found}/{name}-",
            str(work),
            str(CORPUS / name),
        ],
        target,
    )
    atheris.Fuzz()


def _target(name: str) -> Callable[[bytes], None]:
    """A target, imported no sooner than it can be instrumented."""
    from tests.fuzz.targets import TARGETS

    return TARGETS[name]


def _change(name: str, seconds: int, found: Path) -> None:
    chosen = random.Random(time.time())
    target = _target(name)
    seeds = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    until = time.monotonic() + seconds
    executions = 0
    while time.monotonic() < until:
        data = changed(chosen.choice(seeds), chosen)
        try:
            target(data)
        except Exception:
            (found / f"{name}-finding").write_bytes(data)
            raise
        executions += 1
    sys.stdout.write(f"executions {executions}\n")


def changed(data: bytes, chosen: random.Random) -> bytes:
    """Bytes with some changes."""
    body = bytearray(data)
    for _ in range(chosen.randint(1, 6)):
        at = chosen.randrange(len(body) + 1)
        kind = chosen.randrange(4)
        if kind == 0:
            body[at : at + 1] = bytes([chosen.randrange(256)])
        elif kind == 1:
            del body[at : at + chosen.randint(1, 20)]
        elif kind == 2:
            body[at:at] = chosen.choice(
                [b"null", b"1e999", b"-1", b'"', b"{", b"[", b"\xff", b"\x00", b"\n", b",", b"9999"]
            )
        else:
            body[at:at] = body[at : at + chosen.randint(1, 40)]
    return bytes(body[:LARGEST])


if __name__ == "__main__":
    main()

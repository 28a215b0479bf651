"""Cold starts of the built artifact in the Lambda sandbox, beside the pandas and LightGBM stack that it replaces.

    python -m benchmarks.cold_start [--starts 9]

prints one JSON line per figure, `ours` beside `reference` and `empty`, started in turns in the same run. `empty` is a
handler that imports nothing and answers at once: what the runtime itself takes. The reference is the pipeline of
`benchmarks.reference` with its libraries, installed as `sam build` installs them: no bytecode. What bytecode alone
would give it is measured, too. Each other start loads the same model from the same S3 server and answers for the same
machine, which has one hour of readings, 0.8 MB.

`init_ms` is the emulator's INIT REPORT; `cpu_ms` the CPU time that the process has used when it has given its first
answer, which a busy machine disturbs less. `warm_ms` is ours alone: `benchmarks.predict` compares warm answers.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmarks import stage
from benchmarks.sides import median, say
from monitory.machine import Machine
from monitory_local import lambdas, sandbox
from monitory_local.artifacts import build, wheels
from monitory_local.simulator.__main__ import last_hours
from monitory_local.simulator.lake import write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan

HANDLER = "monitory_predict.handler.lambda_handler"
EMPTY = """def lambda_handler(event, context):
    return {"statusCode": 200}
"""
WARM_CALLS = 20
WHEELHOUSE = build.ROOT / ".aws-sam/wheels/x86_64"
PREDICT_LOCK = build.ROOT / "functions/predict/requirements.txt"
RETRAIN_LOCK = build.ROOT / "functions/retrain/requirements.txt"
# what the reference imports and what that needs, at the versions of our own lock files
REFERENCE_PACKAGES = (
    *("boto3", "botocore", "jmespath", "s3transfer", "urllib3", "python-dateutil", "six"),
    "msgspec",  # the clock's errors; some milliseconds of thousands
    *("lightgbm", "narwhals", "numpy", "pandas", "scipy"),
)


_EXTREMES: tuple[tuple[str, Callable[[list[float]], float]], ...] = (("min", min), ("max", max))


class Start(NamedTuple):
    """What one start showed; milliseconds and MB (10^6 bytes)."""

    init_ms: float
    cpu_ms: float
    first_ms: float
    warm_ms: list[float]
    peak_mb: float


def main() -> None:
    """Build both artifacts, start them in turns, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_start", description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=9, help="of each side (%(default)s)")
    starts = parser.parse_args().starts
    try:
        sandbox.check()
    except sandbox.Unavailable as exc:
        sys.exit(str(exc))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, stage.buckets() as (lake, models):
        machine = _one_hour(lake)
        stage.promote_model(models)
        environment = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "S3_", "LOG_"))}
        environment["S3_MODEL_KEY"] = stage.MODEL_KEY
        event = lambdas.predict_event(*machine)
        sides = _artifacts(Path(folder), environment)
        sizes = {name: _size(artifact) for name, artifact in sides.items()}
        seen: dict[str, list[Start]] = {name: [] for name in sides}
        for _ in range(starts):
            for name, artifact in sides.items():
                seen[name].append(_start(artifact, event, WARM_CALLS if name == "ours" else 0))
    del sizes["empty"]
    _say("unzipped_mb", sizes)
    for figure in ("init_ms", "cpu_ms", "first_ms", "peak_mb"):
        values = {name: [getattr(start, figure) for start in found] for name, found in seen.items()}
        extremes = {f"{name}_{word}": find(of) for name, of in values.items() for word, find in _EXTREMES}
        _say(figure, {name: median(of) for name, of in values.items()}, starts=starts, **extremes)
    say("warm_ms", ours=median([ms for start in seen["ours"] for ms in start.warm_ms]), starts=starts)


def _say(figure: str, values: Mapping[str, float], **others: float) -> None:
    if empty := values.get("empty"):
        others["empty_ratio"] = values["ours"] / empty
    say(figure, **values, ratio=values["reference"] / values["ours"], **others)


def _one_hour(lake: str) -> Machine:
    hours = last_hours(1)
    producer = Producer(Plan(hours.start, machines=1))
    write_hours(stage.bucket(lake), producer, hours)
    lives = producer.machines[0].lives
    return Machine(lives.zone_id, lives.equip_id)


def _artifacts(folder: Path, environment: Mapping[str, str]) -> dict[str, sandbox.Artifact]:
    compiler = build.find_compiler()
    for name in build.ARTIFACTS:
        build.build(name, folder / name, "x86_64", WHEELHOUSE, compiler)
    ours = sandbox.Artifact(folder / build.FUNCTION, HANDLER, [folder / build.LAYER], environment)
    reference = _reference(folder / "reference", folder / "reference-layer", environment)
    (folder / "empty").mkdir()
    (folder / "empty/empty.py").write_text(EMPTY)
    empty = sandbox.Artifact(folder / "empty", "empty.lambda_handler", [], environment)
    sides = {"ours": ours, "empty": empty, "reference": reference}
    if compiler:
        compiled = folder / "reference-compiled"
        shutil.copytree(reference.task, compiled)
        build.compile_bytecode(compiled, "/var/task", compiler)
        sides["reference_with_bytecode"] = replace(reference, task=compiled)
    return sides


def _reference(task: Path, layer: Path, environment: Mapping[str, str]) -> sandbox.Artifact:
    """The reference as a zip function, with libgomp in a layer, for without it nothing starts."""
    lock = wheels.read_lock(RETRAIN_LOCK)
    pins = wheels.read_lock(PREDICT_LOCK) | {name: lock[name] for name in REFERENCE_PACKAGES}
    for wheel in wheels.fetch(pins.values(), "x86_64", WHEELHOUSE).values():
        wheels.unpack(wheel, task, lambda path: "__pycache__" not in path)
    for source in ("benchmarks/__init__.py", "benchmarks/reference.py", "benchmarks/reference_handler.py"):
        (task / source).parent.mkdir(exist_ok=True)
        shutil.copy(build.ROOT / source, task / source)
    for source in ("__init__.py", "clock.py", "errors.py"):
        (task / "monitory").mkdir(exist_ok=True)
        shutil.copy(build.ROOT / "layers/shared/monitory" / source, task / "monitory" / source)
    build.add_libgomp(layer / "lib", "x86_64", WHEELHOUSE)
    return sandbox.Artifact(task, "benchmarks.reference_handler.lambda_handler", [layer], environment)


def _start(artifact: sandbox.Artifact, event: object, warm_calls: int) -> Start:
    with sandbox.serve(artifact) as running:
        cpu = 0.0
        for _ in range(1 + warm_calls):
            answer = running.invoke(event)
            if answer.get("statusCode") != 200:
                sys.exit(f"{artifact.handler} answered {answer}\n{running.log()[-3000:]}")
            cpu = cpu or running.cpu_ms()
        first, *warm = running.durations_ms()
        init = running.init_ms()
        return Start(init, cpu, first - init, warm, running.peak_rss_mb())


def _size(artifact: sandbox.Artifact) -> float:
    folders = [artifact.task, *artifact.layers]
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    main()

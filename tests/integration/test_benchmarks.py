"""The cheap benchmarks run as people run them, on little data: what they print is what the documentation names."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.spikes import LIES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "figures"),
    [
        ("contributions --trees 10", {"model, value of a row", "model, value, interval and drivers of a row"}),
        ("second_night --machines 1 --days 3", {"second night"}),
        ("scoring --machines 3 --trees 10", {"scoring, every machine has a new object", "scoring, nothing is new"}),
        (
            "trends --machines 3",
            {
                "trends, a point added to each",
                "trends, read",
                "a page of 50 machines with trends",
                "a page of 50 machines without trends",
            },
        ),
        (
            "scale --machines 1 --days 1 --trees 10",
            {"scale, first night", "scale, second night", "scale, predict, new hour"},
        ),
        ("backfill --machines 1 --days 1 --readers 1", {"backfill, one process", "backfill, batches"}),
        ("training --machines 5 --days 12 --threads 1", {"training"}),
        ("failure_modes --machines 12 --days 32", {"mode ahead"}),
        ("spikes --machines 1 --days 10 --rates 2 --training-machines 5", {"healthy", "hours", "days", *LIES}),
    ],
)
def test_a_benchmark_prints_its_figures(arguments: str, figures: set[str]) -> None:
    path = os.pathsep.join(
        str(ROOT / folder)
        for folder in (".", "layers/shared", "functions/predict", "functions/retrain", "functions/score", "local")
    )
    name, *options = arguments.split()
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert {line["figure"] for line in lines} == figures
    for line in lines:
        numbers = [value for value in line.values() if isinstance(value, int | float)]
        assert numbers
        assert all(value >= 0 for value in numbers)

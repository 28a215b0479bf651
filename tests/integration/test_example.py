"""`make example` on a small data set of C-MAPSS's form: from files to predictions, through the real programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from monitory_local.example.cmapss import SENSORS

ROOT = Path(__file__).resolve().parents[2]
ENGINES = 10
WEAR_CYCLES = 90


def engine_rows(engine: int, life: int, shown: int, draw: np.random.Generator) -> str:
    """The first cycles of a life whose sensors drift in its last 90 cycles, each by another factor."""
    cycles = np.arange(1, shown + 1)
    wear = np.clip(1 - (life - cycles) / WEAR_CYCLES, 0, 1)
    factors = np.linspace(-4, 4, len(SENSORS))
    values = 500 + wear[:, None] * factors + draw.normal(0, 0.3, (shown, len(SENSORS)))
    lines = [
        " ".join([str(engine), str(cycle), "0", "0", "100", *(f"{value:.3f}" for value in row)])
        for cycle, row in zip(cycles.tolist(), values.tolist(), strict=True)
    ]
    return "\n".join(lines) + "\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    lives = draw.integers(100, 160, ENGINES).tolist()
    second = draw.integers(100, 160, ENGINES).tolist()
    left = draw.integers(5, 80, ENGINES).tolist()
    # the first runs of these end within the days that judge the model, whatever time of day it is
    left[:6] = [life - 15 for life in second[:6]]
    numbers = range(1, ENGINES + 1)
    train = [engine_rows(n, life, life, draw) for n, life in zip(numbers, lives, strict=True)]
    test = [engine_rows(n, life, life - rest, draw) for n, life, rest in zip(numbers, second, left, strict=True)]
    (tmp_path / "train_FD001.txt").write_text("".join(train))
    (tmp_path / "test_FD001.txt").write_text("".join(test))
    (tmp_path / "RUL_FD001.txt").write_text("\n".join(map(str, left)) + "\n")
    return tmp_path


@pytest.mark.timeout(600)
def test_the_example_predicts_lives_better_than_their_mean(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "example"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3_", "LOG_"))}
    command = [sys.executable, "-m", "monitory_local.example", str(source), "--folder", str(folder), "--hours", "2"]
    done = subprocess.run(
        command,
        env=environment | {"PYTHONPATH": os.pathsep.join(sys.path), "MIN_READINGS": "30000"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=580,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout.splitlines()[-1])
    predictions = [json.loads(line) for line in (folder / "predictions.ndjson").read_text().splitlines()]
    assert result["last_hour"]["predictions"] == ENGINES
    assert len(predictions) == 2 * ENGINES
    assert result["last_hour"]["rmse"] < result["last_hour"]["mean_rmse"] / 2
    assert f"ENGINE-{ENGINES:03d}" in done.stdout
    assert (folder / "report.html").stat().st_size > 10_000

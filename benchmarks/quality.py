"""Model quality on NASA's C-MAPSS data, with the product's own feature, training and calibration code.

    python -m benchmarks.quality CMAPSS_FOLDER FD001 FD003

prints one JSON line per subset: the means over three seeds. The test engines only give the figures: what there is to
choose is chosen by grouped cross-validation over training engines, which `--folds 5` repeats: every engine is
predicted, in all its settled rows, by a model that was trained and calibrated on other engines. `rmse`, `nasa_score`
and `mae` are against the capped truth min(RUL, 125), `rmse_raw` against the uncapped one; cycles. Operating regimes are
learnt from the training file's settings. `--regimes 6` spreads a subset with one regime over six simulated ones.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from benchmarks import cmapss
from monitory.features import vector
from monitory.log import logger
from monitory.model.model import Model
from monitory.settings import Settings
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset import dataset
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.lifetimes import Lifetimes
from monitory_retrain.dataset.split import folds
from monitory_retrain.evaluation import scores
from monitory_retrain.training import regimes as regime_learning
from monitory_retrain.training import survival, training
from monitory_retrain.training.training import Recipe

SEEDS = (0, 1, 2)
SETTLED_HOURS = 30.0
THREADS = 0
COVERAGE = 0.9
CAP_DAYS = cmapss.CAP_CYCLES / 24


def main() -> None:
    """Measure the subsets named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where train_FD001.txt(.gz) and its like are")
    parser.add_argument("subsets", nargs="+", help="FD001 .. FD004")
    parser.add_argument("--folds", type=int, help="cross-validate over training engines, do not touch the test ones")
    parser.add_argument("--regimes", type=int, default=1, help="spread the engines over so many simulated regimes")
    arguments = parser.parse_args()
    for subset in arguments.subsets:
        files = Files(arguments.folder, subset, arguments.regimes)
        found = cross_validate(files, arguments.folds) if arguments.folds else measure(files)
        print(json.dumps(found), flush=True)


class Files:
    """A subset's files as rows with features and labels (those of test engines mean nothing)."""

    def __init__(self, folder: Path, subset: str, regimes: int) -> None:
        """Read the training file, and learn the operating regimes from it."""
        self.subset = subset
        self._folder = folder
        self._count = regimes
        self._train = cmapss.read(folder, f"train_{subset}")
        sensors = cmapss.sensor_set()
        table = cmapss.hour_table(self._flown(self._train), sensors)
        self.regimes = regime_learning.learn(table, np.ones(len(table), dtype=np.bool_), sensors)

    def training(self) -> Dataset:
        """The training engines."""
        return self._rows(self._train)

    def test(self) -> Dataset:
        """The test engines."""
        return self._rows(cmapss.read(self._folder, f"test_{self.subset}"))

    def truth(self) -> Floats:
        """Cycles that each test engine had left after its last row."""
        return cmapss.read(self._folder, f"RUL_{self.subset}").ravel()

    def _flown(self, data: Floats) -> Floats:
        return cmapss.in_regimes(data, self._train, self._count) if self._count > 1 else data

    def _rows(self, data: Floats) -> Dataset:
        sensors = cmapss.sensor_set()
        table = cmapss.hour_table(self._flown(data), sensors)
        log = logger("benchmark", Settings(log_level="ERROR"))
        return dataset.build(table, cmapss.run_to_failure(table), sensors, log, regimes=self.regimes)


def measure(files: Files) -> dict[str, object]:
    """Train on a subset's training engines and score the last rows of its test engines."""
    started = time.perf_counter()
    known, unknown, raw = files.training(), files.test(), files.truth()
    last = np.flatnonzero(np.diff(unknown.machine, append=-1))
    true = np.minimum(raw, cmapss.CAP_CYCLES)
    found = [_one(known, unknown.take(last), true, raw, seed) for seed in SEEDS]
    mean_rmse = float(np.sqrt(((known.rul.mean() * 24 - true) ** 2).mean()))
    return {**_means(files, found), "mean_rmse": round(mean_rmse, 3), "seconds": _since(started)}


def cross_validate(files: Files, count: int) -> dict[str, object]:
    """Score training engines, each by a model of the others."""
    started = time.perf_counter()
    known = files.training()
    fold = folds(known.life, count, seed=0)
    found = []
    for number in range(count):
        held = known.take((fold == number) & (known.age >= SETTLED_HOURS))
        true = held.rul * 24
        found.append(_one(known.take(fold != number), held, true, true, seed=number))
    return {**_means(files, found), "folds": count, "seconds": _since(started)}


def _means(files: Files, found: list[dict[str, float]]) -> dict[str, object]:
    regimes = len(files.regimes.regimes) if files.regimes else 1
    means = {name: round(float(np.mean([figures[name] for figures in found])), 3) for name in found[0]}
    return {"subset": files.subset, "regimes": regimes, **means}


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 1)


def _one(known: Dataset, test: Dataset, true: Floats, raw: Floats, seed: int) -> dict[str, float]:
    names = vector.trained(cmapss.sensor_set())
    columns = [known.names.index(name) for name in names]
    lives = Lifetimes(known.seen, ~np.isnan(known.rul), CAP_DAYS)
    trained = training.train(known.x[:, columns], lives, known.life, names, Recipe(seed=seed, threads=THREADS))
    rows = trained.rows[trained.settled]
    interval = survival.distribution(trained.out_of_fold[trained.settled], lives.take(rows), known.life[rows], COVERAGE)
    model = Model(trained.text.encode(), None, feature_names=known.names, cap_days=CAP_DAYS)
    days = np.array([model.value(dict(zip(test.names, row, strict=True)), "") for row in test.x.tolist()])
    result = scores.score(true / 24, days, interval, CAP_DAYS, test.age)
    cycles = days * 24
    return {
        "rmse": result.rmse * 24,
        "rmse_raw": float(np.sqrt(((cycles - raw) ** 2).mean())),
        "nasa_score": scores.nasa_score(true, cycles),
        "mae": result.mae * 24,
        "coverage": result.coverage or float("nan"),
        "width": (result.width or float("nan")) * 24,
    }


if __name__ == "__main__":
    main()

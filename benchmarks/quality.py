"""Model quality on NASA's C-MAPSS data, with the product's own feature, training and calibration code.

    python -m benchmarks.quality CMAPSS_FOLDER FD001 FD003

prints one JSON line per subset: means over the seeds 0, 1, 2, or as many as `--seeds`. The test engines only give the
figures: what there is to choose is chosen by grouped cross-validation over training engines, which `--folds 5` repeats:
every engine is predicted, in all its settled rows, by a model that was trained and calibrated on other engines. `rmse`,
`nasa_score` and `mae` are against the capped truth min(RUL, 125), `rmse_raw` against the uncapped one; cycles.
Operating regimes are learnt from the training file's settings. `--regimes 6` spreads a subset with one regime over six
simulated ones. `--engines 5` learns from five training engines, others for each seed; with `--censored 0.5` half of the
training engines are watched to a random cycle only, so that their failure is not seen.
`--variant` says what boosters learn; without, training finds out.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import cmapss
from monitory.clock import HOURS_PER_DAY
from monitory.log import logger
from monitory.settings import RetrainSettings, Settings
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset import dataset
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.split import folds
from monitory_retrain.evaluation import holdout, scores
from monitory_retrain.training import fitting
from monitory_retrain.training import regimes as regime_learning
from monitory_retrain.training.training import VARIANTS, Recipe

SETTLED_HOURS = 30.0
THREADS = 0
CAP_DAYS = cmapss.CAP_CYCLES / 24
SETTINGS = RetrainSettings(max_rul_days=CAP_DAYS)
LOG = logger("benchmark", Settings(log_level="ERROR"))


def main() -> None:
    """Measure the subsets named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where train_FD001.txt(.gz) and its like are")
    parser.add_argument("subsets", nargs="+", help="FD001 .. FD004")
    parser.add_argument("--folds", type=int, help="cross-validate over training engines, do not touch the test ones")
    parser.add_argument("--engines", type=int, help="learn from so many training engines")
    parser.add_argument("--censored", type=float, default=0.0, help="share of them whose failure is not seen")
    parser.add_argument("--regimes", type=int, default=1, help="spread the engines over so many simulated regimes")
    parser.add_argument("--seeds", type=int, default=3, help="of the test engines' figures (%(default)s)")
    parser.add_argument("--variant", choices=VARIANTS, help="of training (the one with the least error)")
    arguments = parser.parse_args()
    recipe = Recipe(threads=THREADS, variant=arguments.variant)
    for subset in arguments.subsets:
        files = Files(arguments.folder, subset, arguments.regimes)
        if arguments.folds:
            line = cross_validate(files, arguments.folds, recipe)
        else:
            line = measure(files, recipe, range(arguments.seeds), arguments.engines, arguments.censored)
        print(json.dumps(line), flush=True)


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
        labels = cmapss.run_to_failure(table)
        return dataset.build(table, labels, sensors, LOG, regimes=self.regimes, dtype=dataset.TRAINING_TYPE)


def measure(
    files: Files, recipe: Recipe, seeds: range, engines: int | None = None, censored: float = 0.0
) -> dict[str, object]:
    """Train on a subset's training engines and score the last rows of its test engines.

    Args:
        files: of the subset.
        recipe: how to train.
        seeds: of the training and of what is drawn, each taken in its turn.
        engines: how many training engines teach; None for all.
        censored: share of these that are watched to a random cycle only, 0..1.
    """
    started = time.perf_counter()
    known, unknown, raw = files.training(), files.test(), files.truth()
    last = np.flatnonzero(np.diff(unknown.machine, append=-1))
    true = np.minimum(raw, cmapss.CAP_CYCLES)
    found = [
        _one(_part(known, engines, censored, seed), unknown.take(last), true, raw, replace(recipe, seed=seed))
        for seed in seeds
    ]
    mean_rmse = float(np.sqrt(((known.rul.mean() * 24 - true) ** 2).mean()))
    size = {"engines": engines or len(known.machines), "censored": censored, "variant": recipe.variant}
    by_seed = [round(figures["rmse"], 2) for figures in found]
    return {
        **_means(files, found),
        **size,
        "rmse_by_seed": by_seed,
        "mean_rmse": round(mean_rmse, 3),
        "seconds": _since(started),
    }


def _part(known: Dataset, engines: int | None, censored: float, seed: int) -> Dataset:
    """The rows of some engines, of which some are watched to a random cycle only."""
    draw = np.random.default_rng([seed, 7])
    order = draw.permutation(len(known.machines))[:engines]
    first, last = (int(edge) for edge in (known.hour.min(), known.hour.max()))
    ends = np.full(len(known.machines), last + 1)
    for engine in order[: round(censored * len(order))].tolist():
        ends[engine] = draw.integers(first, known.hour[known.machine == engine].max()) + 1
    part = known.take(np.isin(known.machine, order) & (known.hour < ends[known.machine]))
    until = ends[part.machine]
    unseen = part.label_available_at >= until
    return replace(
        part,
        rul=np.where(unseen, np.nan, part.rul),
        seen=np.where(unseen, np.minimum(part.seen, (until - 1 - part.hour) / HOURS_PER_DAY), part.seen),
    )


def cross_validate(files: Files, count: int, recipe: Recipe) -> dict[str, object]:
    """Score training engines, each by a model of the others."""
    started = time.perf_counter()
    known = files.training()
    fold = folds(known.life, count, seed=0)
    found = []
    for number in range(count):
        held = known.take((fold == number) & (known.age >= SETTLED_HOURS))
        true = held.rul * 24
        found.append(_one(known.take(fold != number), held, true, true, replace(recipe, seed=number)))
    return {**_means(files, found), "folds": count, "variant": recipe.variant, "seconds": _since(started)}


def _means(files: Files, found: list[dict[str, float]]) -> dict[str, object]:
    regimes = len(files.regimes.regimes) if files.regimes else 1
    means = {name: round(float(np.mean([figures[name] for figures in found])), 3) for name in found[0]}
    return {"subset": files.subset, "regimes": regimes, **means}


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 1)


def _one(known: Dataset, test: Dataset, true: Floats, raw: Floats, recipe: Recipe) -> dict[str, float]:
    fit = fitting.fit(known, cmapss.sensor_set(), SETTINGS, recipe, LOG)
    days = holdout.predictions(fit.model(known.names, CAP_DAYS), test)
    result = scores.score(true / 24, days, fit.calibration, CAP_DAYS, test.age)
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

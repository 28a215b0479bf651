"""Model quality in factories of many kinds, by the future that their simulator knows.

    python -m benchmarks.scenarios [NAME …] [--seeds 3] [--threads 0] [--variant median]

The product learns from what a factory knows at the end of its history; it is judged in each hour after that, on *all*
running machines, by the simulator's true RUL up to the cap: nobody is left out because the failure is yet to come.
Two JSON lines a scenario, means over seeds. The first has the errors: `mean_mae` answers the training mean always (of
lives as Kaplan and Meier see them), `near_mae` counts RULs of at most 3 days, `false_urgent` is the share of those with
more than 10 days left whose prediction is 5 or less, `missed_urgent` of those with at most 3 left whose prediction is
more than 5, `coverage` and `width` are of the intervals.

The second has the rest: MAE and coverage by seed, `bias`, the oracle's MAE where there is one (see `oracle`), `brier_3`
and `brier_7` of P(failure within 3, 7 days) and `base_3`, `base_7` of answering the base rate, how often the worn
sensor is the first driver within 3 days of failure, sizes and seconds; and whether the verdict sees what is true: the
skill, MAE and coverage that the hold-out sees (`holdout_…`) beside those of the future (`future_…`), see `agreement`.
"""

import argparse
import json
import sys
import time
from dataclasses import replace

import numpy as np

from benchmarks.agreement import agreement
from benchmarks.simulated import CAP, SCENARIOS, SETTINGS, Factory, factory
from monitory import sensors
from monitory.features import vector
from monitory.log import logger
from monitory.model.distribution import Distribution
from monitory.model.model import Model
from monitory.scoring.prediction import drivers
from monitory.sensors import SensorSet
from monitory.settings import Settings
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.lifetimes import Lifetimes, mean_time
from monitory_retrain.evaluation import holdout
from monitory_retrain.evaluation.scores import intervals
from monitory_retrain.training import fitting
from monitory_retrain.training.training import VARIANTS, Recipe

ERRORS = ("mae", "mean_mae", "near_mae", "false_urgent", "missed_urgent", "coverage", "width")
NEAR_DAYS, URGENT_DAYS, FAR_DAYS = 3.0, 5.0, 10.0
NAMED_ROWS = 300

Figures = dict[str, float | None]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scenarios", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SCENARIOS)} (all)")
    parser.add_argument("--seeds", type=int, default=3, help="factories of each kind (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="of LightGBM; 0 for all cores")
    parser.add_argument("--variant", choices=VARIANTS, help="of training (the one with the least error)")
    arguments = parser.parse_args()
    recipe = Recipe(
        threads=arguments.threads,
        variant=arguments.variant,
    )
    if unknown := set(arguments.names) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    for name in arguments.names or SCENARIOS:
        for line in measure(name, arguments.seeds, recipe):
            print(json.dumps(line), flush=True)


def measure(name: str, seeds: int, recipe: Recipe) -> list[dict[str, object]]:
    """The two lines of a scenario."""
    sensor_set, by_seed = sensors.load(), []
    for seed in range(1, seeds + 1):
        started = time.perf_counter()
        by_seed.append(judge(factory(SCENARIOS[name], seed, sensor_set), sensor_set, replace(recipe, seed=seed)))
        seconds = time.perf_counter() - started
        print(f"{name}, seed {seed} of {seeds}: MAE {by_seed[-1]['mae']:.2f} days, {seconds:.0f} s", file=sys.stderr)
    means = {key: _mean([figures[key] for figures in by_seed]) for key in by_seed[0]}
    details = {key: value for key, value in means.items() if key not in ERRORS}
    spread = {f"{key}_by_seed": [_rounded(figures[key]) for figures in by_seed] for key in ("mae", "coverage")}
    return [
        {"scenario": name, **{key: means[key] for key in ERRORS}},
        {"scenario": name, "figure": "details", "seeds": seeds, **spread, **details},
    ]


def judge(known: Factory, sensor_set: SensorSet, recipe: Recipe) -> Figures:
    """Learn from a factory's history, and judge by what comes after it."""
    history, true = known.history, known.judged.rul
    log = logger("benchmark", Settings(log_level="ERROR"))
    started = time.perf_counter()
    fit = fitting.fit(history, sensor_set, SETTINGS, recipe, log)
    seconds = time.perf_counter() - started
    model = fit.model(history.names, CAP)
    predicted = holdout.predictions(model, known.judged)
    lives = Lifetimes(history.seen, ~np.isnan(history.rul), CAP)
    return {
        **_errors(true, predicted),
        "mean_mae": float(np.abs(true - mean_time(lives)).mean()),
        **_distribution(true, predicted, fit.calibration),
        "oracle_mae": None if known.oracle is None else float(np.abs(true - known.oracle).mean()),
        "worn_first": _worn_first(known, model, sensor_set),
        **agreement(known, sensor_set, recipe),
        "history_rows": float(len(history)),
        "judged_rows": float(len(known.judged)),
        "failed_lives": float(len(np.unique(history.life[lives.failed]))),
        "trees": float(fit.trained.trees),
        "seconds": seconds,
    }


def _errors(true: Floats, predicted: Floats) -> Figures:
    error, near, far = np.abs(predicted - true), true <= NEAR_DAYS, true > FAR_DAYS
    return {
        "mae": float(error.mean()),
        "near_mae": float(error[near].mean()) if near.any() else None,
        "false_urgent": float((predicted[far] <= URGENT_DAYS).mean()) if far.any() else None,
        "missed_urgent": float((predicted[near] > URGENT_DAYS).mean()) if near.any() else None,
        "bias": float((predicted - true).mean()),
    }


def _distribution(true: Floats, predicted: Floats, distribution: Distribution | None) -> Figures:
    if distribution is None:
        return {"coverage": None, "width": None, "brier_3": None, "base_3": None, "brier_7": None, "base_7": None}
    low, high = intervals(predicted, distribution, CAP)
    figures: Figures = {
        "coverage": float(((low <= true) & (true <= high)).mean()),
        "width": float((high - low).mean()),
    }
    chances = holdout.probabilities(distribution, predicted)
    for days in (3, 7):
        fails = true <= days
        figures[f"brier_{days}"] = float(((chances[days] - fails) ** 2).mean())
        figures[f"base_{days}"] = float(fails.mean() * (1 - fails.mean()))
    return figures


def _worn_first(known: Factory, model: Model, sensor_set: SensorSet) -> float | None:
    """In how many of the hours near a failure the worn sensor is named first: moves the RUL most, up or down."""
    judged, x = known.judged, known.judged.x
    near = [at for at in np.flatnonzero(judged.rul <= NEAR_DAYS).tolist() if known.worn[at]][:NAMED_ROWS]
    first = 0
    for at in near:
        values = dict(zip(judged.names, x[at].tolist(), strict=True))
        contributions = model.estimate(values, "").contributions
        named = [d.sensor for d in drivers(contributions, sensor_set, vector.nearest(values, sensor_set))]
        first += named[:1] == [known.worn[at]]
    return first / len(near) if near else None


def _mean(values: list[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return _rounded(float(np.mean(there))) if there else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


if __name__ == "__main__":
    main()

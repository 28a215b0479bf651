"""Whether the hold-out ranks models as the known future does.

    python -m benchmarks.agreement [SCENARIO …] [--seeds 2] [--threads 0]

Models of very different worth are trained on what a simulated factory knows when its hold-out begins: the product,
with few trees, with the newest hour's readings alone, with the running time alone, on the rows whose failure was seen
alone; beside them answers without a model. Each is judged twice: by the product's scores on the hold-out, which knows
what a factory knows, and by the simulator's truth in the hours after the data ends, on all running machines. A JSON
line a scenario: `agreement` is the share of pairs that both put into the same order (0.5 is chance; pairs that differ
by less than 2 % in truth don't count), for the product's MAE as far as hours were watched, for other scores that the
literature knows, and for the former one, which took the hours whose failure was seen; `r2` and `future_r2` are the
product's skill on the hold-out and in the future, `accepted` the models that pass the bar of a first model.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np

from benchmarks import scenarios
from benchmarks.scenarios import CAP, Factory
from monitory import sensors
from monitory.features import vector
from monitory.model.model import Model
from monitory.sensors import SensorSet
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset import split
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.lifetimes import Lifetimes, kaplan_meier
from monitory_retrain.dataset.split import TimeSplit
from monitory_retrain.evaluation import holdout, verdict
from monitory_retrain.evaluation.scores import absolute_errors, score
from monitory_retrain.pipeline import HOLDOUT_SHARE
from monitory_retrain.training import training
from monitory_retrain.training.training import Recipe

NAMES = ("long-21d", "long-90d", "short", "small-20x60")
TIE = 0.02
EVERY = 3  # hours; neighbouring ones are near copies
PAIRS = 200_000


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES, help=f"of {', '.join(scenarios.SCENARIOS)} (%(default)s)")
    parser.add_argument("--seeds", type=int, default=2, help="factories of each kind (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="of LightGBM; 0 for all cores")
    arguments = parser.parse_args()
    sensor_set = sensors.load()
    for name in arguments.names:
        for seed in range(1, arguments.seeds + 1):
            factory = scenarios.build(scenarios.SCENARIOS[name], seed, sensor_set)
            line = measure(factory, sensor_set, Recipe(seed=seed, threads=arguments.threads))
            print(json.dumps({"benchmark": "agreement", "scenario": name, "seed": seed, **line}), flush=True)


def measure(factory: Factory, sensor_set: SensorSet, recipe: Recipe) -> dict[str, object]:
    """The agreement of one factory's hold-out with its future."""
    rows, future = factory.history, factory.judged
    parts = split.split(rows, split.begins(rows.hour, HOLDOUT_SHARE))
    shown = parts._replace(holdout=parts.holdout.take(parts.holdout.hour % EVERY == 0))
    models = _models(parts.training, sensor_set, recipe)
    held = {name: holdout.predictions(model, shown.holdout) for name, model in models.items()}
    later = {name: holdout.predictions(model, future) for name, model in models.items()}
    mean = holdout.training_mean(parts.training, CAP)
    for name, days in (("mean", mean), ("cap", CAP)):
        held[name], later[name] = np.full(len(shown.holdout), days), np.full(len(future), days)
    truth = {name: score(future.rul, predicted) for name, predicted in later.items()}
    true, watched = shown.holdout.seen, shown.watched
    scores = {name: score(true, predicted, watched=watched) for name, predicted in held.items()}
    rules = holdout.baselines(rows, shown, CAP)
    bar = rules.mean.mae, rules.last_life.mae
    return {
        "agreement": {
            rule: _agreement({name: judge(shown, held[name]) for name in held}, {n: s.mae for n, s in truth.items()})
            for rule, judge in RULES.items()
        },
        "mae": {name: round(found.mae, 2) for name, found in scores.items()},
        "future_mae": {name: round(found.mae, 2) for name, found in truth.items()},
        "r2": {name: round(found.r2 or 0.0, 2) for name, found in scores.items()},
        "future_r2": {name: round(found.r2 or 0.0, 2) for name, found in truth.items()},
        "bar": [round(mae, 2) for mae in bar],
        "accepted": [name for name, found in scores.items() if verdict.first(found, *bar).promote],
        "failures": len(np.unique(shown.holdout.life[true < np.minimum(watched, CAP)])),
    }


def _models(known: Dataset, sensor_set: SensorSet, recipe: Recipe) -> dict[str, Model]:
    names = vector.trained(sensor_set)
    snapshot = tuple(name + suffix for name in sensor_set.names for suffix in vector.SNAPSHOT)
    half = known.take(known.machine % 2 == 0)
    few = replace(recipe, max_trees=15)
    return {
        "product": _model(known, names, recipe),
        "few_trees": _model(known, names, few),
        "half": _model(half, names, recipe),
        "snapshot": _model(known, snapshot, recipe),
        "age": _model(known, (vector.AGE,), recipe),
        "seen_only": _model(known.labelled, names, recipe),
    }


def _model(known: Dataset, names: tuple[str, ...], recipe: Recipe) -> Model:
    lives = Lifetimes(known.seen, ~np.isnan(known.rul), CAP)
    columns = [known.names.index(name) for name in names]
    trained = training.train(known.x[:, columns], lives, known.life, names, recipe)
    return Model(trained.text.encode(), None, feature_names=known.names, cap_days=CAP)


def _agreement(judged: dict[str, float], truth: dict[str, float]) -> float:
    same = counted = 0
    for a, b in combinations(truth, 2):
        if abs(truth[a] - truth[b]) > TIE * min(truth[a], truth[b]):
            counted += 1
            same += (judged[a] < judged[b]) == (truth[a] < truth[b])
    return round(same / max(counted, 1), 2)


def _restricted(parts: TimeSplit, predicted: Floats) -> float:
    return float(absolute_errors(parts.holdout.seen, predicted, parts.watched).mean())


def _restricted_square(parts: TimeSplit, predicted: Floats) -> float:
    return float((absolute_errors(parts.holdout.seen, predicted, parts.watched) ** 2).mean())


def _seen_only(parts: TimeSplit, predicted: Floats) -> float:
    """MAE of the hours whose failure, or the cap, was seen."""
    exact = ~np.isnan(parts.holdout.rul)
    return float(np.abs(predicted - parts.holdout.seen)[exact].mean()) if exact.any() else float("nan")


def _hinge(parts: TimeSplit, predicted: Floats) -> float:
    """Errors of hours whose failure was seen, and of others where less was predicted than they were seen to run."""
    exact, seen = ~np.isnan(parts.holdout.rul), parts.holdout.seen
    return float(np.where(exact, np.abs(predicted - seen), np.maximum(seen - predicted, 0)).mean())


def _weighted(parts: TimeSplit, predicted: Floats) -> float:
    """MAE by inverse probability of censoring (Graf et al., 1999): seen failures stand for others too."""
    exact, seen = ~np.isnan(parts.holdout.rul), parts.holdout.seen
    days = np.linspace(0, CAP, 121)
    sight = kaplan_meier(Lifetimes(seen, ~exact, CAP + 1), days)
    weight = exact / np.maximum(np.interp(seen, days, sight), 0.05)
    return float((weight * np.abs(predicted - seen)).sum() / max(weight.sum(), 1e-9))


def _discordance(parts: TimeSplit, predicted: Floats) -> float:
    """1 - concordance (Harrell et al., 1982): pairs of which one is seen to fail first."""
    exact, seen = ~np.isnan(parts.holdout.rul), parts.holdout.seen
    random = np.random.default_rng(0)
    a, b = (random.integers(len(seen), size=PAIRS) for _ in range(2))
    pair = exact[a] & (seen[a] < seen[b])
    better = (predicted[a] < predicted[b]) + 0.5 * (predicted[a] == predicted[b])
    return 1 - float(better[pair].mean()) if pair.any() else float("nan")


RULES: dict[str, Callable[[TimeSplit, Floats], float]] = {
    "restricted_mae": _restricted,
    "restricted_mse": _restricted_square,
    "hinge_mae": _hinge,
    "ipcw_mae": _weighted,
    "concordance": _discordance,
    "seen_only_mae": _seen_only,
}


if __name__ == "__main__":
    main()

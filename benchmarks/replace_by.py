"""The long-run cost of replacing parts by the date that answers give, beside other rules.

    python -m benchmarks.replace_by [--machines 40] [--days 45] [--judged 30] [--unplanned 5]

A simulated factory's product learns from its history. Lives that begin and fail in the days after it are replayed under
each rule: a planned stop (cost 1) ends the life when the rule says so, or the failure does (cost `--unplanned`).
By renewal reward the long-run cost is the sum of costs over the sum of running time, here per month of 30 days. Rules
see every third hour, as the judged rows do:

- `replace_by`: stop when the best time is before the next look;
- `rul_3_days`: when 3 days or less are predicted;
- `fixed_interval`: at one age, the best for these very lives in hindsight;
- `run_to_failure`; and `oracle`, which stops at the last look before the failure.
"""

import argparse
import json
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.simulated import CAP, JUDGE_EVERY, SETTINGS, Factory, Scenario, factory
from monitory import sensors
from monitory.clock import HOURS_PER_DAY
from monitory.log import logger
from monitory.model.distribution import Distribution
from monitory.scoring.replacement import StopCosts, best_replacement
from monitory.settings import Settings
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.evaluation.holdout import predictions
from monitory_retrain.training import fitting
from monitory_retrain.training.training import Recipe

PLANNED = 1.0
MONTH_DAYS = 30.0
LOOK_DAYS = JUDGE_EVERY / HOURS_PER_DAY
NEW_HOURS = 12
"""A life whose first judged hour is older began before the judged days."""


class Life:
    """A whole life as it is looked at: ages and predictions in days, and the age at which it fails."""

    def __init__(self, age: Floats, predicted: Floats, failure: float) -> None:
        """Ages ascend; shape (n,) each."""
        self.age, self.predicted, self.failure = age, predicted, failure

    def stop(self, decides: Callable[[float, float], bool]) -> float | None:
        """The age at which a rule of age and prediction plans a stop; None where the failure comes first."""
        for age, predicted in zip(self.age.tolist(), self.predicted.tolist(), strict=True):
            if decides(age, predicted):
                return float(age)
        return None


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.replace_by", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--machines", type=int, default=40, help="of the factory (%(default)s)")
    parser.add_argument("--days", type=int, default=45, help="of its history (%(default)s)")
    parser.add_argument("--judged", type=int, default=30, help="days after it (%(default)s)")
    parser.add_argument("--unplanned", type=float, default=5.0, help="cost of a failure; a planned stop costs 1")
    parser.add_argument("--seed", type=int, default=1, help="of the simulation (%(default)s)")
    arguments = parser.parse_args()
    known = factory(Scenario(arguments.machines, arguments.days, arguments.judged), arguments.seed, sensors.load())
    for line in measure(known, StopCosts(PLANNED, arguments.unplanned), Recipe(seed=arguments.seed)):
        print(json.dumps({"benchmark": "replace by", "unplanned_cost": arguments.unplanned, **line}), flush=True)


def measure(known: Factory, costs: StopCosts, recipe: Recipe) -> Iterator[dict[str, object]]:
    """A line for each rule."""
    judged = known.judged
    fit = fitting.fit(known.history, sensors.load(), SETTINGS, recipe, logger("benchmark", Settings(log_level="ERROR")))
    distribution = fit.calibration
    if distribution is None:
        raise SystemExit("too few lives to learn a survival curve from: more --machines or --days")
    lives = whole_lives(judged, predictions(fit.model(known.history.names, CAP), judged))
    if not lives:
        raise SystemExit("no life begins and fails in the judged days: more --machines or --judged")
    rules: dict[str, list[float | None]] = {
        "replace_by": [life.stop(_by_date(distribution, costs)) for life in lives],
        "rul_3_days": [life.stop(lambda _, predicted: predicted <= 3.0) for life in lives],
        "fixed_interval": _best_interval(lives, costs),
        "run_to_failure": [None] * len(lives),
        "oracle": [float(life.age[-1]) for life in lives],
    }
    for rule, stops in rules.items():
        yield {
            "figure": rule,
            "lives": len(lives),
            "cost_per_machine_month": round(cost(lives, stops, costs), 3),
            "failures": sum(stop is None for stop in stops),
            "mean_days_used": round(_used(lives, stops) / len(lives), 2),
        }


def whole_lives(judged: Dataset, predicted: Floats) -> list[Life]:
    """The lives that begin and fail among judged rows whose true RUL is known."""
    age = judged.age
    last = judged.hour.max()
    lives = []
    for number in np.unique(judged.life).tolist():
        rows = np.flatnonzero(judged.life == number)
        rows = rows[np.argsort(judged.hour[rows])]
        left_hours = judged.rul[rows] * HOURS_PER_DAY
        fails = judged.hour[rows[0]] + left_hours[0]
        if age[rows[0]] <= NEW_HOURS and fails <= last:
            running = rows[judged.rul[rows] > 0]
            days = age[running] / HOURS_PER_DAY
            lives.append(Life(days, predicted[running], float(days[0] + judged.rul[running[0]])))
    return lives


def cost(lives: list[Life], stops: list[float | None], costs: StopCosts) -> float:
    """The long-run cost a machine and month."""
    total = sum(costs.unplanned if stop is None else costs.planned for stop in stops)
    return total / _used(lives, stops) * MONTH_DAYS


def _used(lives: list[Life], stops: list[float | None]) -> float:
    return sum(life.failure if stop is None else stop for life, stop in zip(lives, stops, strict=True))


def _by_date(distribution: Distribution, costs: StopCosts) -> Callable[[float, float], bool]:
    def decides(age: float, predicted: float) -> bool:
        best = best_replacement(distribution, predicted, age, costs)
        return best is not None and best.days < LOOK_DAYS

    return decides


def _best_interval(lives: list[Life], costs: StopCosts) -> list[float | None]:
    """Stops at the one age that costs these lives least; none where running to failure does."""
    longest = max(life.failure for life in lives)
    candidates = [
        [age if age < life.failure else None for life in lives]
        for age in np.arange(LOOK_DAYS, longest + LOOK_DAYS, LOOK_DAYS).tolist()
    ]
    return min(candidates, key=lambda stops: cost(lives, stops, costs))


if __name__ == "__main__":
    main()

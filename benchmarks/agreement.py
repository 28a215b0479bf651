"""Whether the verdict sees what is true: the hold-out's scores of a model beside those of the known future."""

import numpy as np

from benchmarks.simulated import CAP, SETTINGS, Factory
from monitory.log import logger
from monitory.model.distribution import PROBABILITY_DAYS
from monitory.sensors import SensorSet
from monitory.settings import Settings
from monitory_retrain import pipeline
from monitory_retrain.dataset import split
from monitory_retrain.dataset.lifetimes import Lifetimes, kaplan_meier
from monitory_retrain.evaluation import holdout, verdict
from monitory_retrain.evaluation.scores import brier, score
from monitory_retrain.training import fitting
from monitory_retrain.training.training import Recipe


def agreement(known: Factory, sensor_set: SensorSet, recipe: Recipe) -> dict[str, float | None]:
    """Scores of a factory's judged model, which learns from what is before the hold-out.

    Returns:
        `skill` as in the verdict (1 - Brier score / that of what Kaplan and Meier see in training), MAE in days as far
        as hours were watched, and coverage, each on the hold-out and in the future; `passes` is 1 where the model
        passes the bar of a first one.
    """
    history, true = known.history, known.judged.rul
    parts = split.split(history, split.begins(history.hour, pipeline.HOLDOUT_SHARE))
    fit = fitting.fit(parts.training, sensor_set, SETTINGS, recipe, logger("benchmark", Settings(log_level="ERROR")))
    model = fit.model(history.names, CAP)
    scores = pipeline.holdout_scores(parts, holdout.predictions(model, parts.holdout), fit.calibration, CAP)
    baselines = holdout.baselines(history, parts, CAP)
    predicted = holdout.predictions(model, known.judged)
    future = score(true, predicted, fit.calibration, CAP)
    future_brier = future_base = None
    if fit.calibration:
        training = parts.training
        lives = Lifetimes(training.seen, ~np.isnan(training.rul), CAP)
        curve = kaplan_meier(lives, np.array([0.0, *PROBABILITY_DAYS]))
        rates = {days: np.full(len(true), 1 - left) for days, left in zip(PROBABILITY_DAYS, curve[1:], strict=True)}
        always = np.full(len(true), np.inf)
        future_brier = brier(true, always, holdout.probabilities(fit.calibration, predicted), CAP)
        future_base = brier(true, always, rates, CAP)
    return {
        "holdout_skill": _skill(scores.brier, baselines.mean.brier),
        "future_skill": _skill(future_brier, future_base),
        "holdout_mae": scores.mae,
        "future_mae": future.mae,
        "holdout_coverage": scores.coverage,
        "future_coverage": future.coverage,
        "passes": float(verdict.first(scores, baselines).promote),
    }


def _skill(score: float | None, base: float | None) -> float | None:
    return 1 - score / base if score is not None and base else None

"""From hour rows to a challenger with its scores: the pure middle of the retrain job."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date

import msgspec
import numpy as np

from monitory.features import vector
from monitory.features.regimes import Regimes
from monitory.log import Logger
from monitory.logbook.logbook import Logbook
from monitory.machine import Machine
from monitory.model.distribution import Distribution
from monitory.model.failure_modes import FailureModes
from monitory.model.model import Model
from monitory.sensors import SensorSet
from monitory.settings import RetrainSettings
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset import dataset, hour_table, labels, split, sufficiency
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.dates import date_numbers
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.labels import Labels
from monitory_retrain.dataset.split import TimeSplit
from monitory_retrain.dataset.sufficiency import Supply
from monitory_retrain.evaluation import announcements, drift, holdout, reliability
from monitory_retrain.evaluation.announcements import Announcements
from monitory_retrain.evaluation.drift import Reference
from monitory_retrain.evaluation.holdout import Baselines, MachineScore
from monitory_retrain.evaluation.reliability import Reliability
from monitory_retrain.evaluation.scores import Scores, brier, score
from monitory_retrain.model_card import Judged, ModelCard, hourly_mean_ranges, library_versions, training_ranges
from monitory_retrain.training import failure_modes, fitting
from monitory_retrain.training import regimes as regime_learning
from monitory_retrain.training.fitting import Fit
from monitory_retrain.training.training import Recipe, Trained

HOLDOUT_SHARE = 0.25
"""Newest part of the training days: it judges recipes; what is served learns from it after the verdict."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """There is not enough to learn from; what is missing, in words."""

    reasons: list[str]
    supply: Supply
    labels: Labels
    table: HourTable


@dataclass(frozen=True, slots=True)
class Challenger:
    """A recipe's model, fitted twice: before the hold-out to be judged, on everything to be served.

    Attributes:
        fit: on everything: what is served.
        judged: before the hold-out: what the scores are of.
        split: training part and hold-out.
        labels: of all hour rows.
        supply: what the range held.
        predicted: the judged model's answers for the hold-out, days.
        scores: of these.
        baselines: scores of rules without sensors.
        machines: scores by machine.
        announcements: what people would have been told at D-5 and D-3.
        reliability: of its failure probabilities; empty without a calibration.
        reference: how features and the served model's answers are distributed before the hold-out.
        rows: hours that the served model's fit could choose from.
        history_days: days before the range that are among them.
        ranges: smallest and largest value of its features in them.
        last_day: running machines' rows of the newest date, labelled or not.
        regimes: in whose terms the features of all these rows are.
        table: what the rows were made of.
        failure_modes: which mode lies ahead, in the log's words; None where it names none, or too few.
    """

    fit: Fit
    judged: Fit
    split: TimeSplit
    labels: Labels
    supply: Supply
    predicted: Floats
    scores: Scores
    baselines: Baselines
    machines: list[MachineScore]
    announcements: list[Announcements]
    reliability: list[Reliability]
    reference: Reference | None
    rows: int
    ranges: dict[str, tuple[float, float]]
    last_day: Dataset
    regimes: Regimes | None
    table: HourTable
    failure_modes: FailureModes | None = None
    history_days: int = 0

    @property
    def trained(self) -> Trained:
        """What is served."""
        return self.fit.trained

    @property
    def calibration(self) -> Distribution | None:
        """Of the judged model: what `predicted` has its intervals from."""
        return self.judged.calibration

    @property
    def sha256(self) -> str:
        """Of the served model text."""
        return self.fit.sha256


def learn(
    table: HourTable,
    sensors: SensorSet,
    settings: RetrainSettings,
    recipe: Recipe,
    log: Logger,
    *,
    logbook: Logbook | None = None,
    earlier: Mapping[Machine, int] | None = None,
    history: HourTable | None = None,
) -> Challenger | Skipped:
    """Label, split, train, calibrate and score.

    Args:
        table: hour rows of the range: they decide whether there is enough, and their newest part judges.
        sensors: the sensor set that they were made with.
        settings: limits and how to label.
        recipe: how to train.
        log: told of the progress.
        logbook: failures and maintenance, where there is a log.
        earlier: machines' last failures before all these rows, where they are known.
        history: hour rows from before the range, which teach, too.
    """
    since = int(table.hour.min()) if len(table) else 0
    if history and len(table):
        table = hour_table.join([history, table], table.values.shape[1])
    found = labels.label_by(settings, table, sensors, logbook, earlier)
    supply = sufficiency.supply(table, found, since)
    missing = sufficiency.shortfalls(supply, settings)
    if missing:
        return Skipped(missing, supply, found, table)
    starts = split.begins(table.hour[found.running & (table.hour >= since)], HOLDOUT_SHARE)
    regimes = regime_learning.learn(table, found.running & (table.hour < starts), sensors)
    if regimes:
        log.info("operating regimes: %s", ", ".join(f"{regime.hours} hours" for regime in regimes.regimes))
    rows = dataset.build(
        table, found, sensors, log, regimes=regimes, names=vector.trained(sensors), dtype=dataset.TRAINING_TYPE
    )
    parts = split.split(rows, starts)
    missing = sufficiency.split_shortfalls(parts.training, parts.holdout)
    if missing:
        return Skipped(missing, supply, found, table)
    cap = settings.max_rul_days
    judged = fitting.fit(parts.training, sensors, settings, recipe, log)
    predicted = holdout.predictions(judged.model(rows.names, cap), parts.holdout)
    interval = judged.calibration
    log.info("judged: fitting again, on the hold-out too")
    final = fitting.fit(rows, sensors, settings, replace(recipe, variant=judged.trained.variant), log)
    older = parts.training  # of which no labels are asked
    day = date_numbers(rows.hour)
    return Challenger(
        fit=final,
        judged=judged,
        split=parts,
        labels=found,
        supply=supply,
        predicted=predicted,
        scores=holdout_scores(parts, predicted, interval, cap),
        baselines=holdout.baselines(rows, parts, cap),
        machines=holdout.by_machine(parts, predicted, interval, cap),
        announcements=announcements.announcements(parts.holdout, predicted, cap),
        reliability=reliability.reliability(parts.holdout, predicted, interval) if interval else [],
        reference=drift.reference(
            older, final.trained.features, holdout.predictions(final.model(rows.names, cap), older)
        ),
        rows=len(rows),
        history_days=len(np.unique(date_numbers(table.hour[table.hour < since]))),
        ranges=training_ranges(rows, final.trained.features),
        last_day=rows.take(day == day.max()),
        regimes=regimes,
        table=table,
        failure_modes=failure_modes.learn(rows, found.failure_modes, sensors),
    )


def holdout_scores(parts: TimeSplit, predicted: Floats, interval: Distribution | None, cap: float) -> Scores:
    """Scores of a model's answers for the hold-out, as far as it was watched; days."""
    true, watched = parts.holdout.seen, parts.watched
    return msgspec.structs.replace(
        score(true, predicted, interval, cap, parts.holdout.age, watched),
        brier=brier(true, watched, holdout.probabilities(interval, predicted), cap) if interval else None,
    )


def seen_with(model: Model, rows: Dataset, challenger: Challenger, sensors: SensorSet, log: Logger) -> Dataset:
    """Rows of a challenger's data in the terms of another model: its features, operating regimes and sensor set.

    Args:
        model: which.
        rows: some of the challenger's rows, in its order.
        challenger: whose.
        sensors: the sensor set of the challenger.
        log: gets the progress.
    """
    regimes, terms = model.regimes, model.terms(sensors)
    others = tuple(name for name in vector.names(terms) if name in model.features and name not in rows.names)
    if (regimes, terms) == (challenger.regimes, sensors) and not others:
        return rows
    table = challenger.table
    hours = int(table.hour.max()) + 1
    wanted = np.isin(table.machine * hours + table.hour, rows.machine * hours + rows.hour)
    return dataset.build(
        table,
        challenger.labels,
        terms,
        log,
        regimes=regimes,
        wanted=wanted,
        names=rows.names + others,
        dtype=dataset.TRAINING_TYPE,
    )


def metrics(challenger: Challenger) -> dict[str, object]:
    """The figures of metrics.json: the model's, each beside those of rules that use no sensor."""
    return {
        "holdout": challenger.scores,
        "training_mean": challenger.baselines.mean,
        "last_value": challenger.baselines.last_life,
        "announcements": challenger.announcements,
        "failure_probability": challenger.reliability,
        "training_rows": len(challenger.split.training),
        "holdout_rows": len(challenger.split.holdout),
        "fitted_rows": challenger.rows,
    }


def card(
    challenger: Challenger,
    *,
    version: str,
    trained_at: str,
    days: Sequence[date],
    sensors: SensorSet,
    settings: RetrainSettings,
    recipe: Recipe,
) -> ModelCard:
    """The model card of a challenger."""
    parts, found = challenger.split, challenger.labels
    return ModelCard(
        version=version,
        trained_at=trained_at,
        feature_schema=vector.SCHEMA,
        sensors=sensors,
        cap_days=settings.max_rul_days,
        features=challenger.trained.features,
        distribution=challenger.fit.calibration,
        ranges=challenger.ranges,
        hourly_means=hourly_mean_ranges(challenger.table, found.running, sensors),
        machines=frozenset(machine.equip_id for machine, _ in challenger.table.slices()),
        sha256=challenger.sha256,
        data={
            "first_day": str(days[0]),
            "last_day": str(days[-1]),
            **challenger.supply._asdict(),
            "history_days": challenger.history_days,
        },
        rows={"training": len(parts.training), "holdout": len(parts.holdout), "fitted": challenger.rows},
        labels={
            "failures": {str(machine): len(hours) for machine, hours in found.failures.items()},
            "maintenance": {str(machine): len(hours) for machine, hours in found.maintenance.items() if hours},
            "left_out": dict(found.left_out),
            "excursion_share": settings.excursion_share,
            "excursion_sensors": settings.excursion_sensors,
            "from_failure_log": settings.failure_log_key if found.from_log else None,
        },
        parameters={
            key: value
            for key, value in asdict(replace(recipe, variant=challenger.trained.variant)).items()
            if key != "threads"
        },
        trees=challenger.trained.trees,
        libraries=library_versions(),
        python=platform.python_version(),
        metrics=metrics(challenger),
        reference=challenger.reference,
        regimes=challenger.regimes,
        failure_modes=challenger.failure_modes,
        judged=Judged(challenger.judged.sha256, parts.starts, challenger.judged.calibration),
    )

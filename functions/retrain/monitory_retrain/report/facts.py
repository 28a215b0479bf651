"""The report's tables and sentences as plain values, without drawings or markup."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import lightgbm as lgb
import numpy as np

from monitory.alerts.rule import ENOUGH, RECENT
from monitory.clock import HOURS_PER_DAY, zone
from monitory.features.vector import sensor_of
from monitory.model.distribution import Distribution
from monitory.model.model import Calibration
from monitory.sensors import SensorSet
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.completeness import Completeness
from monitory_retrain.dataset.labels import CENSORED, DOWN, OFF
from monitory_retrain.dataset.split import TimeSplit
from monitory_retrain.evaluation.announcements import FALSE_FACTOR, Announcements, announcements
from monitory_retrain.evaluation.holdout import training_mean
from monitory_retrain.evaluation.scores import NEAR_FAILURE_DAYS, Scores, covered, intervals
from monitory_retrain.pipeline import Challenger
from monitory_retrain.report.figures import Coverage, Run
from monitory_retrain.report.findings import Findings

EDGES = (0.0, 1.0, 3.0, 5.0, 10.0, 20.0, np.inf)
"""Bins of true RUL, days."""

RUNS = 4
RUN_HOURS = 24
"""Shorter runs show nothing."""

REASONS = {
    CENSORED: "no failure followed: they teach that the machine runs at least so long",
    DOWN: "the machine was down after a failure",
    OFF: "the machine stood still",
}


class Row(NamedTuple):
    """A row of a table: its label, a text for each column, and a note below the label."""

    label: str
    cells: tuple[str, ...]
    note: str = ""


def days(value: float | None) -> str:
    """Days with two decimals; a dash without a value."""
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def _brier(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def percent(value: float | None) -> str:
    """A share as whole percent; a dash without a value."""
    return "–" if value is None else f"{value:.0%}"


def comparison(findings: Findings) -> tuple[tuple[str, ...], list[Row]]:
    """The columns and rows of the table of scores: the model, its champion and the rules without sensors."""
    baselines = findings.challenger.baselines
    columns: list[tuple[str, Scores]] = [("this model", findings.challenger.scores)]
    if findings.champion:
        columns.append(("champion", findings.champion.scores))
    columns += [("training mean", baselines.mean), ("last-life baseline", baselines.last_life)]
    scores = [score for _, score in columns]
    near = f"MAE near failure (RUL ≤ {NEAR_FAILURE_DAYS:g} days), days"
    rows = [
        Row("mean absolute error (MAE), days", tuple(days(score.mae) for score in scores)),
        Row(near, tuple(days(score.near_mae) for score in scores)),
        Row("root mean square error, days", tuple(days(score.rmse) for score in scores)),
        Row("Brier score of P(failure within N days) (0 is perfect)", tuple(_brier(score.brier) for score in scores)),
        Row("R² (1 is perfect)", tuple(days(score.r2) for score in scores)),
        Row("true RUL within the interval", tuple(percent(score.coverage) for score in scores)),
        Row("width of the interval, days", tuple(days(score.width) for score in scores)),
    ]
    return tuple(label for label, _ in columns), rows


def announcement_table(findings: Findings) -> tuple[tuple[str, ...], list[Row]]:
    """The columns and rows of the table of announcements: each limit of the model, then of the champion if any."""
    ours = findings.challenger.announcements
    models: list[tuple[str, Sequence[Announcements]]] = [("", ours)]
    if findings.champion:
        holdout, cap = findings.challenger.split.holdout, findings.card.cap_days
        models.append(("champion, ", announcements(holdout, findings.champion.predicted, cap)))
    columns = [(f"{prefix}D-{entry.limit_days:g}", entry) for prefix, entries in models for entry in entries]
    entries = [entry for _, entry in columns]
    rows = [
        Row("failures announced", tuple(announced(entry) for entry in entries)),
        Row("median lead, days", tuple(days(entry.median_lead_days) for entry in entries)),
        Row("lead that 9 of 10 failures have, days", tuple(days(entry.low_lead_days) for entry in entries)),
        Row("announcements", tuple(f"{entry.raised}" for entry in entries)),
        Row("… of which false", tuple(f"{entry.false}" for entry in entries)),
        Row("false, a machine and month", tuple(days(entry.false_per_machine_month) for entry in entries)),
    ]
    return tuple(label for label, _ in columns), rows


def announced(entry: Announcements) -> str:
    """How many of the judged failures were announced; a dash where none could be judged."""
    return f"{entry.announced} of {entry.failures}" if entry.failures else "–"


def announcement_rule() -> str:
    """What counts as announced and as false, in sentences."""
    return (
        f"A machine is announced at D-5 when {ENOUGH} of its last {RECENT} hours were predicted 5 days or less, and "
        f"until none is. An announcement is false if the machine runs on for more than {FALSE_FACTOR:g} times as long, "
        "or if it is withdrawn and no failure follows in that time. "
        "Failures too soon after the newest part begins to tell are not counted."
    )


def error_bins(findings: Findings) -> tuple[list[str], list[tuple[str, list[float | None]]]]:
    """MAE by bins of true RUL, of the model, the champion if any and the training mean; None in bins without hours.

    Hours count in a bin if they were watched to its upper edge, whatever became of the machine: among those that were
    not, only the ones that failed early would be known.
    """
    parts, cap = findings.challenger.split, findings.card.cap_days
    true, watched = parts.holdout.seen, parts.watched
    mean = np.full(len(true), training_mean(parts.training, cap))
    models = [("this model", findings.challenger.predicted)]
    if findings.champion:
        models.append(("champion", findings.champion.predicted))
    models.append(("training mean", mean))
    bins = np.digitize(true, EDGES[1:], right=True)
    bins[watched <= np.minimum(EDGES[1:], cap)[bins]] = -1
    last = max(int(bins.max()), 0)
    labels = [
        f"over {low:g}" if np.isinf(high) else f"{low:g}–{high:g}" for low, high in list(pairwise(EDGES))[: last + 1]
    ]

    def errors(predicted: Floats) -> list[float | None]:
        off = np.abs(predicted - true)
        return [float(off[bins == b].mean()) if (bins == b).any() else None for b in range(last + 1)]

    return labels, [(label, errors(predicted)) for label, predicted in models]


def coverage(
    split: TimeSplit, predicted: Floats, calibration: Calibration | Distribution, cap: float
) -> list[Coverage]:
    """The interval's coverage overall and by thirds of predicted RUL."""
    low, high = intervals(predicted, calibration, cap, split.holdout.age)
    true, watched, width = split.holdout.seen, split.watched, high - low
    parts = [Coverage("all hours", covered(true, low, high, cap, watched), float(width.mean()))]
    order = np.argsort(predicted, kind="stable")
    for third in np.array_split(order, 3):
        if len(third):
            label = f"predicted {predicted[third].min():.1f}–{predicted[third].max():.1f}"
            share = covered(true[third], low[third], high[third], cap, watched[third])
            parts.append(Coverage(label, share, float(width[third].mean())))
    return parts


def runs(challenger: Challenger, cap: float) -> list[Run]:
    """Runs to failure in the hold-out, from the best predicted to the worst, at most `RUNS`."""
    holdout, predicted = challenger.split.holdout, challenger.predicted
    complete = [
        rows
        for run in np.unique(holdout.life).tolist()
        if (rows := np.flatnonzero(holdout.life == run)).size >= RUN_HOURS and (holdout.rul[rows] == 0).any()
    ]
    complete.sort(key=lambda rows: float(np.abs(predicted[rows] - holdout.rul[rows]).mean()))
    count = min(RUNS, len(complete))
    sample = [complete[round(at)] for at in np.linspace(0, len(complete) - 1, count)] if count else []
    result = []
    for number, rows in enumerate(sample):
        place = round(number * (len(complete) - 1) / max(count - 1, 1)) + 1
        rank = "best" if place == 1 else "worst" if place == len(complete) else f"number {place}"
        error = float(np.abs(predicted[rows] - holdout.rul[rows]).mean())
        low = high = None
        if challenger.calibration:
            low, high = intervals(predicted[rows], challenger.calibration, cap, holdout.age[rows])
        failed = holdout.hour[rows] + np.round(holdout.rul[rows] * HOURS_PER_DAY)
        before = (failed.min() - holdout.hour[rows]) / HOURS_PER_DAY
        machine = holdout.machines[int(holdout.machine[rows[0]])].equip_id
        title = f"MAE {error:.1f} days" + (f" ({rank} of {len(complete)})" if len(complete) > 1 else "")
        result.append(Run(machine, title, before, holdout.rul[rows], predicted[rows], low, high))
    return result


def importance(text: str, sensors: SensorSet) -> list[tuple[str, float]]:
    """Each sensor's share of the gain of all splits, 0..1, the largest first; empty for a model without splits."""
    booster = lgb.Booster(model_str=text)
    gains: dict[str, float] = {}
    for feature, gain in zip(booster.feature_name(), booster.feature_importance("gain").tolist(), strict=True):
        owner = sensor_of(feature, sensors)
        gains[owner] = gains.get(owner, 0.0) + gain
    total = sum(gains.values())
    ranked = sorted(gains.items(), key=lambda item: (-item[1], item[0]))
    return [(sensor.replace("_", " "), gain / total) for sensor, gain in ranked if total]


def machines(findings: Findings) -> list[Row]:
    """Each machine's failures, missing hours and scores; machines without hold-out rows have no scores."""
    scores: Mapping[str, Scores] = {score.machine: score.scores for score in findings.challenger.machines}
    rows = []
    for machine, missing in zip(findings.completeness.machines, findings.completeness.missing.tolist(), strict=True):
        score = scores.get(str(machine))
        cells = (
            f"{len(findings.challenger.labels.failures.get(machine, ()))}",
            f"{missing:,}",
            f"{score.rows:,}" if score else "–",
            days(score.mae if score else None),
            days(score.near_mae if score else None),
            percent(score.coverage if score else None),
        )
        rows.append(Row(machine.equip_id, cells, machine.zone_id))
    return rows


def left_out(challenger: Challenger) -> list[Row]:
    """Hours that could not be used for training or judging, and why."""
    return [
        Row(f"{count:,}", (REASONS.get(reason, reason),)) for reason, count in challenger.labels.left_out.most_common()
    ]


def present(completeness: Completeness) -> float:
    """The share of machine hours with data, 0..1."""
    return float(completeness.hours.sum()) / max(completeness.hours.size * HOURS_PER_DAY, 1)


def moment(trained_at: str) -> str:
    """An ISO 8601 time with an offset in the factory's time zone, for people.

    >>> moment("2026-11-22T15:01:02+00:00")
    '2026-11-23 00:01 KST'
    """
    return f"{datetime.fromisoformat(trained_at).astimezone(zone()):%Y-%m-%d %H:%M %Z}"


def gaps(completeness: Completeness) -> list[str]:
    """Missing data in sentences; empty where no machine has any data."""
    if not completeness.machines:
        return []
    silent = [
        str(day)
        for day, hours in zip(completeness.days, completeness.hours.sum(axis=0).tolist(), strict=True)
        if not hours
    ]
    sentences = []
    if silent:
        sentences.append(f"No machine has data on {_some(silent)}.")
    incomplete = [
        machine.equip_id
        for machine, hours in zip(completeness.machines, completeness.missing.tolist(), strict=True)
        if hours
    ]
    sentences.append(
        f"{present(completeness):.1%} of all machine hours have data, "
        f"{len(incomplete)} of {len(completeness.machines)} have gaps."
    )
    if incomplete:
        worst = np.argsort(-completeness.missing, kind="stable")[:3]
        named = (
            f"{completeness.machines[at].equip_id} ({completeness.missing[at]:,})"
            for at in worst.tolist()
            if completeness.missing[at]
        )
        sentences.append(f"Most hours are missing of {', '.join(named)}.")
    return sentences


def _some(names: Sequence[str], count: int = 5) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more

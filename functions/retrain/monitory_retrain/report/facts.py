"""The report's tables and sentences as plain values, without drawings or markup."""

from datetime import datetime
from itertools import pairwise

import numpy as np

from monitory.alerts.rule import ENOUGH, RECENT
from monitory.clock import HOURS_PER_DAY, zone
from monitory.features.vector import sensor_of
from monitory.sensors import SensorSet
from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.labels import CENSORED, DOWN, OFF
from monitory_retrain.evaluation.announcements import FALSE_FACTOR, Announcements, announcements
from monitory_retrain.evaluation.holdout import training_mean
from monitory_retrain.evaluation.scores import NEAR_FAILURE_DAYS, Scores, intervals
from monitory_retrain.pipeline import Challenger
from monitory_retrain.report.figures import Run
from monitory_retrain.report.findings import Findings
from monitory_retrain.report.language.words import Phrase, Text, say
from monitory_retrain.report.rows import Row, days, percent, share

EDGES = (0.0, 1.0, 3.0, 5.0, 10.0, 20.0, np.inf)
"""Bins of true RUL, days."""

RUNS = 4
RUN_HOURS = 24
"""Shorter runs show nothing."""

REASONS = {
    CENSORED: say("no failure followed: they teach that the machine runs at least so long"),
    DOWN: say("the machine was down after a failure"),
    OFF: say("the machine stood still"),
}


def _brier(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def comparison(findings: Findings) -> tuple[tuple[Text, ...], list[Row]]:
    """The columns and rows of the table of scores: the model, its champion and the rules without sensors."""
    baselines = findings.challenger.baselines
    columns: list[tuple[Text, Scores]] = [(say("this model"), findings.challenger.scores)]
    if findings.champion:
        columns.append((say("champion"), findings.champion.scores))
    columns += [(say("training mean"), baselines.mean), (say("last-life baseline"), baselines.last_life)]
    scores = [score for _, score in columns]
    near = say("MAE near failure (RUL ≤ {limit} days), days", limit=f"{NEAR_FAILURE_DAYS:g}")
    rows = [
        Row(say("mean absolute error (MAE), days"), tuple(days(score.mae) for score in scores)),
        Row(near, tuple(days(score.near_mae) for score in scores)),
        Row(say("root mean square error, days"), tuple(days(score.rmse) for score in scores)),
        Row(
            say("Brier score of P(failure within N days) (0 is perfect)"),
            tuple(_brier(score.brier) for score in scores),
        ),
        Row(say("R² (1 is perfect)"), tuple(days(score.r2) for score in scores)),
        Row(say("true RUL within the interval"), tuple(percent(score.coverage) for score in scores)),
        Row(say("width of the interval, days"), tuple(days(score.width) for score in scores)),
    ]
    return tuple(label for label, _ in columns), rows


def announcement_table(findings: Findings) -> tuple[tuple[Text, ...], list[Row]]:
    """The columns and rows of the table of announcements: each limit of the model, then of the champion if any."""
    columns: list[tuple[Text, Announcements]] = [
        (limit_name(entry.limit_days), entry) for entry in findings.challenger.announcements
    ]
    if findings.champion:
        holdout, cap = findings.challenger.split.holdout, findings.card.cap_days
        columns += [
            (say("champion, {limit}", limit=limit_name(entry.limit_days)), entry)
            for entry in announcements(holdout, findings.champion.predicted, cap)
        ]
    entries = [entry for _, entry in columns]
    rows = [
        Row(say("failures announced"), tuple(share(entry.announced, entry.failures) for entry in entries)),
        Row(say("failures missed"), tuple(missed(entry) for entry in entries)),
        Row(say("median lead, days"), tuple(days(entry.median_lead_days) for entry in entries)),
        Row(say("lead that 9 of 10 failures have, days"), tuple(days(entry.low_lead_days) for entry in entries)),
        Row(say("announcements"), tuple(f"{entry.raised}" for entry in entries)),
        Row(say("… of which false"), tuple(f"{entry.false}" for entry in entries)),
        Row(say("false, a machine and month"), tuple(days(entry.false_per_machine_month) for entry in entries)),
    ]
    return tuple(label for label, _ in columns), rows


def limit_name(limit_days: float) -> str:
    """A limit of predicted RUL as people call it: `D-5`."""
    return f"D-{limit_days:g}"


def missed(entry: Announcements) -> str:
    """How many of the judged failures were not announced; a dash where none could be judged."""
    return f"{entry.failures - entry.announced}" if entry.failures else "–"


def announcement_rule() -> Phrase:
    """What counts as announced and as false, in sentences."""
    return say(
        "A machine is announced at D-5 when {enough} of its last {recent} hours were predicted 5 days or less, and "
        "until none is. An announcement is false if the machine runs on for more than {factor} times as long, or if it "
        "is withdrawn and no failure follows in that time. Failures too soon after the newest part begins to tell are "
        "not counted.",
        enough=ENOUGH,
        recent=RECENT,
        factor=f"{FALSE_FACTOR:g}",
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
    import lightgbm as lgb  # only who draws pays for it

    booster = lgb.Booster(model_str=text)
    gains: dict[str, float] = {}
    for feature, gain in zip(booster.feature_name(), booster.feature_importance("gain").tolist(), strict=True):
        owner = sensor_of(feature, sensors)
        gains[owner] = gains.get(owner, 0.0) + gain
    total = sum(gains.values())
    ranked = sorted(gains.items(), key=lambda item: (-item[1], item[0]))
    return [(sensor.replace("_", " "), gain / total) for sensor, gain in ranked if total]


def left_out(challenger: Challenger) -> list[Row]:
    """Hours that could not be used for training or judging, and why."""
    return [
        Row(f"{count:,}", (REASONS.get(reason, reason),)) for reason, count in challenger.labels.left_out.most_common()
    ]


def moment(trained_at: str) -> str:
    """An ISO 8601 time with an offset in the factory's time zone, for people.

    >>> moment("2026-11-22T15:01:02+00:00")
    '2026-11-23 00:01 KST'
    """
    return f"{datetime.fromisoformat(trained_at).astimezone(zone()):%Y-%m-%d %H:%M %Z}"

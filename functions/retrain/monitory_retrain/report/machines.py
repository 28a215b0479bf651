"""How wrong the model was about each machine of the hold-out, the worst first."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from monitory.clock import hour_start
from monitory.machine import Machine
from monitory_retrain.evaluation.holdout import MachineScore
from monitory_retrain.report.findings import Findings
from monitory_retrain.report.language.words import Phrase, Text, say
from monitory_retrain.report.rows import Row, days, percent

MOST_SHOWN = 15
"""Machines in the table; the rest is below, folded."""


class Errors(NamedTuple):
    """Errors of a machine's hours, as far as they were watched.

    Attributes:
        bias: predicted less true, mean, days.
        worst_hour: the hour of the largest error.
        worst: that one, predicted less true, days.
        lives: runs in the hold-out.
        failures: those of them that were seen to fail.
    """

    bias: float
    worst_hour: int
    worst: float
    lives: int
    failures: int


def rows(findings: Findings) -> list[Row]:
    """A row for each machine with data, by falling MAE; those without an hour in the hold-out have dashes, last."""
    scores: Mapping[str, MachineScore] = {score.machine: score for score in findings.challenger.machines}
    by_machine = errors(findings)
    ranked = sorted(
        zip(findings.completeness.machines, findings.completeness.missing.tolist(), strict=True),
        key=lambda item: -scores[str(item[0])].scores.mae if str(item[0]) in scores else 0.0,
    )
    return [
        Row(
            machine.equip_id,
            (*_wrong(by_machine.get(machine), scores.get(str(machine))), f"{missing:,}"),
            machine.zone_id,
        )
        for machine, missing in ranked
    ]


def errors(findings: Findings) -> dict[Machine, Errors]:
    """The errors of each machine with hours in the hold-out."""
    split, cap = findings.challenger.split, findings.card.cap_days
    holdout, watched = split.holdout, split.watched
    off = np.minimum(findings.challenger.predicted, watched) - np.minimum(holdout.seen, watched)
    order = np.argsort(holdout.machine, kind="stable")
    bounds = np.flatnonzero(np.diff(holdout.machine[order])) + 1
    result = {}
    for of_machine in np.split(order, bounds) if len(order) else []:
        worst = of_machine[int(np.abs(off[of_machine]).argmax())]
        failed = of_machine[holdout.rul[of_machine] < cap]
        result[holdout.machines[int(holdout.machine[worst])]] = Errors(
            bias=float(off[of_machine].mean()),
            worst_hour=int(holdout.hour[worst]),
            worst=float(off[worst]),
            lives=len(np.unique(holdout.life[of_machine])),
            failures=len(np.unique(holdout.life[failed])),
        )
    return result


def _wrong(error: Errors | None, score: MachineScore | None) -> tuple[Text, ...]:
    if error is None or score is None:
        return ("–",) * 7
    scores = score.scores
    return (
        days(scores.mae),
        lateness(error.bias),
        say("{hour}: {error}", hour=f"{hour_start(error.worst_hour):%m-%d %H:%M}", error=lateness(error.worst)),
        say("{part} of {whole}", part=error.failures, whole=error.lives),
        days(scores.near_mae),
        percent(scores.coverage),
        f"{scores.rows:,}",
    )


def lateness(error: float) -> Phrase | str:
    """An error in words: a failure told too late comes earlier than predicted.

    >>> str(lateness(1.25)), str(lateness(-0.5)), str(lateness(0.001))
    ('1.25 too late', '0.50 too early', '0.00')
    """
    size = f"{abs(error):.2f}"
    if float(size) == 0:
        return size
    return say("{days} too late", days=size) if error > 0 else say("{days} too early", days=size)

"""Machines by how wrong the model was about them."""

from dataclasses import replace

import numpy as np
import pytest

from monitory_retrain import report
from monitory_retrain.dataset.completeness import Completeness
from monitory_retrain.evaluation.holdout import MachineScore
from monitory_retrain.evaluation.scores import score
from monitory_retrain.report import Findings, machines
from tests.support import reports
from tests.support.page_reader import Reader


def test_the_machine_that_was_most_wrong_comes_first() -> None:
    found = reports.findings()
    scores = {entry.machine: entry.scores.mae for entry in found.challenger.machines}
    rows = machines.rows(found)
    assert len(rows) == 6
    assert [row.cells[0] for row in rows] == [f"{mae:.2f}" for mae in sorted(scores.values(), reverse=True)]
    assert all(f"{scores[f'{row.note}/{row.label}']:.2f}" == row.cells[0] for row in rows)


def test_bias_and_the_worst_hour_are_told_with_their_direction() -> None:
    found = reports.findings()
    holdout = found.challenger.split.holdout
    at = int(np.flatnonzero((holdout.machine == 0) & (holdout.rul > 1))[0])
    predicted = holdout.seen.copy()
    predicted[at] -= 0.75
    wrong = replace(found, challenger=replace(found.challenger, predicted=predicted))
    error = machines.errors(wrong)[holdout.machines[0]]
    assert error.worst_hour == int(holdout.hour[at])
    assert error.worst == pytest.approx(-0.75)
    assert error.bias == pytest.approx(-0.75 / (holdout.machine == 0).sum())
    assert machines.errors(wrong)[holdout.machines[1]].worst == 0


def test_failures_are_counted_among_the_runs_of_the_holdout() -> None:
    found = reports.findings()
    holdout = found.challenger.split.holdout
    errors = machines.errors(found)
    assert sum(error.lives for error in errors.values()) == len(np.unique(holdout.life))
    assert sum(error.failures for error in errors.values()) == len(np.unique(holdout.life[~np.isnan(holdout.rul)]))


def test_a_machine_without_hours_in_the_holdout_comes_last_with_dashes() -> None:
    found = reports.findings()
    first = machines.rows(found)[0].label
    scores = [entry for entry in found.challenger.machines if not entry.machine.endswith(str(first))]
    rows = machines.rows(replace(found, challenger=replace(found.challenger, machines=scores)))
    assert rows[-1].label == first
    assert rows[-1].cells[:-1] == ("–",) * 7


def test_many_machines_are_folded() -> None:
    text = Reader(report.render(_many(reports.findings(), 40))).text
    section = text[text.index("Where was it most wrong?") :]
    assert "… and 25 more" in section
    assert section.index("M-025") < section.index("… and 25 more") < section.index("M-024")


def _many(found: Findings, count: int) -> Findings:
    """Machines of which the last are the worst."""
    holdout = found.challenger.split.holdout
    owners = [holdout.machines[0]._replace(equip_id=f"M-{number:03d}") for number in range(count)]
    split = found.challenger.split._replace(
        holdout=replace(holdout, machines=owners, machine=np.arange(len(holdout)) % count)
    )
    true = np.zeros(1)
    scores = [MachineScore(str(owner), score(true, true + number)) for number, owner in enumerate(owners)]
    hours = np.full((count, len(reports.DAYS)), 24, dtype=np.int64)
    return replace(
        found,
        challenger=replace(found.challenger, split=split, machines=scores),
        completeness=Completeness(owners, reports.DAYS, hours),
    )

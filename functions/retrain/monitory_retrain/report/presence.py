"""Which hours had data, in sentences."""

from collections.abc import Sequence

import numpy as np

from monitory.clock import hours_of
from monitory_retrain.dataset.completeness import Completeness
from monitory_retrain.report.language.words import Phrase, Text, say


def present(completeness: Completeness) -> float:
    """The share of machine hours with data, 0..1."""
    expected = int(completeness.expected.sum()) * len(completeness.machines)
    return float(completeness.hours.sum()) / max(expected, 1)


def gaps(completeness: Completeness) -> list[Phrase]:
    """Missing data in sentences; empty where no machine has any data."""
    if not completeness.machines:
        return []
    by_day = zip(completeness.days, completeness.hours.sum(axis=0).tolist(), completeness.expected, strict=True)
    silent = [str(day) for day, hours, expected in by_day if not hours and expected == len(hours_of(day))]
    sentences = []
    if silent:
        sentences.append(say("No machine has data on {days}.", days=_some(silent)))
    missing = completeness.missing
    sentences.append(
        say(
            "{share} of all machine hours have data, {incomplete} of {machines} have gaps.",
            share=f"{present(completeness):.1%}",
            incomplete=int((missing > 0).sum()),
            machines=len(completeness.machines),
        )
    )
    worst = [at for at in np.argsort(-missing, kind="stable")[:3].tolist() if missing[at] > 0]
    if worst:
        names = ", ".join(f"{completeness.machines[at].equip_id} ({missing[at]:,})" for at in worst)
        sentences.append(say("Most hours are missing of {machines}.", machines=names))
    if completeness.ends is not None:
        sentences.append(say("The last day is still running: its hours to come are no gap."))
    return sentences


def _some(names: Sequence[str], count: int = 5) -> Text:
    first = ", ".join(names[:count])
    return say("{names} and {count} more", names=first, count=len(names) - count) if len(names) > count else first

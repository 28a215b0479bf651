"""Sentences of verdict, drift and realised accuracy in the languages of the page.

They are stored and answered in English, so here they are recognised by their form. One of another form, such as what an
older model left behind, stays as it is.
"""

import re
from collections.abc import Sequence
from functools import cache

from monitory_retrain.report.language.words import Phrase, Text, joined

TEXTS = (
    "the first model: Brier score {brier} beats the training mean ({mean}) and the last-life baseline ({last}), "
    "skill {skill}, MAE {mae} days",
    "the first model: MAE {mae} days beats the training mean ({mean}) and the last-life baseline ({last}), R² {r2}",
    "better than the champion by {gain}: {figures}",
    "better, but not significantly: {figures}",
    "not better by the margin of {margin}: {figures}",
    "worse than the champion: {figures}",
    "MAE {ours} against {theirs} days, difference {difference} ({confidence} CI {low} to {high}, "
    "{blocks} machine-days)",
    "worse near failure (RUL <= {limit} days): MAE {ours} against {theirs} days",
    "it has no interval, the champion's covers {share}",
    "its intervals cover {share} instead of {target}, the champion's {theirs}",
    "the hold-out has {rows} hours, fewer than {least}",
    "no failure fell into the hold-out, so nothing tells how right the model is",
    "its probabilities of failure have a skill of {skill}, a served model needs {least}",
    "Brier score {brier} does not beat the training mean with {theirs}",
    "Brier score {brier} does not beat the last-life baseline with {theirs}",
    "R² on the hold-out is {r2}, a served model needs {least}",
    "MAE {mae} days does not beat the training mean with {theirs}",
    "MAE {mae} days does not beat the last-life baseline with {theirs}",
    "the served model cannot be used ({reason})",
    "the champion has learnt from this hold-out: it begins {days} days before the champion's; "
    "choose days that end later",
    "{share} of the intervals held what happened, {target} are promised",
    "{missed} of {failures} failures were not announced at {limit}",
    "predicted RUL: median {now}, {usual} in training",
    "{sensor}: median {what} {now}, {usual} in training",
    "{sensor} is missing in {now} of the hours, in training in {usual}",
    "{days} days",
    "{hours}-hour mean",
    "{hours}-hour standard deviation",
    "{hours}-hour trend",
    "hourly mean",
    "mean over five readings",
    "scatter over five readings",
)

SENSORS = (
    "temperature",
    "humidity",
    "vibration",
    "pressure",
    "active power",
    "active_power",
    "reactive power",
    "reactive_power",
)
"""Names of sensors that have words; those of other sensor sets stay as they are."""

_FIELD = re.compile(r"\\\{(\w+)\\\}")


def told(sentence: str, forms: Sequence[str] = TEXTS) -> Text:
    """A sentence as a phrase of its form, its values phrases too where they have one; itself without a form.

    >>> told("worse than the champion: slower").values["figures"]
    'slower'
    """
    if sentence in SENSORS:
        return Phrase(sentence, {})
    for text in forms:
        if match := _form(text).fullmatch(sentence):
            return Phrase(text, {name: told(value, forms) for name, value in match.groupdict().items()})
    return sentence


def named(sensors: Sequence[str]) -> Phrase:
    """Names of sensors, one behind another."""
    return joined([told(sensor) for sensor in sensors])


@cache
def _form(text: str) -> re.Pattern[str]:
    return re.compile(_FIELD.sub(r"(?P<\1>.+?)", re.escape(text)), re.DOTALL)

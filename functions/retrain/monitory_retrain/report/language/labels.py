"""The words in drawings, in the languages of the page: beside each text stands its Korean twin, and CSS shows one."""

import re
from html import unescape

from monitory_retrain.report.language.sentences import told
from monitory_retrain.report.language.words import Phrase

LABELS = (
    "true RUL, days",
    "predicted RUL, days",
    "middle 80 %",
    "median",
    "exact",
    "{machine}: MAE {error} days",
    "{machine}: MAE {error} days (best of {runs})",
    "{machine}: MAE {error} days (worst of {runs})",
    "{machine}: MAE {error} days (number {number} of {runs})",
    "days before the failure",
    "RUL, days",
    "interval",
    "predicted",
    "true",
    "mean absolute error, days",
    "this model",
    "champion",
    "training mean",
    "within the interval (dashed: {target})",
    "all hours",
    "{width} days wide",
    "predicted RUL",
    "predicted probability",
    "share that failed",
    "within {days} days",
    "share of the model's gain",
    "limit share",
    "days to limit",
    "hours since failure",
    "difference, in multiples of a usual day's",
    "watch",
    "moved",
    "no data",
    "over {days}",
    "predicted {range}",  # last: others begin like it
)

_TEXT = re.compile(r"<text ([^>]*)>([^<]*)</text>")


def bilingual(svg: str) -> str:
    """A drawing whose words are in both languages; those of data, such as machines' names, stay single."""
    return _TEXT.sub(_twins, svg)


def _twins(match: re.Match[str]) -> str:
    attributes, content = match.groups()
    phrase = told(unescape(content), LABELS)
    if not isinstance(phrase, Phrase):
        return match.group()
    english, korean = phrase.languages()
    return f'<text lang="en" {attributes}>{english}</text><text lang="ko" {attributes}>{korean}</text>'

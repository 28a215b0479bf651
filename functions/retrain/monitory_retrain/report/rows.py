"""Rows of the report's tables, and how their figures are written."""

from typing import NamedTuple

from monitory_retrain.report.language.words import Text, say


class Row(NamedTuple):
    """A row of a table: its label, a text for each column, and a note below the label."""

    label: Text
    cells: tuple[Text, ...]
    note: str = ""


def days(value: float | None) -> str:
    """Days with two decimals; a dash without a value."""
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def percent(value: float | None) -> str:
    """A share as whole percent; a dash without a value."""
    return "–" if value is None else f"{value:.0%}"


def share(part: int, whole: int) -> Text:
    """How many of some; a dash where there are none."""
    return say("{part} of {whole}", part=part, whole=whole) if whole else "–"

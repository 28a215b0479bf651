"""The reference of drift: how features and predictions are distributed in a model's training; part of its card."""

from collections.abc import Sequence

import msgspec
import numpy as np

from monitory_retrain.array_types import Floats
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.dates import date_numbers
from monitory_retrain.evaluation.psi import MIN_ROWS, Histogram, histogram

WARM_UP_DAYS = 3
"""The range's first days are no reference: their features have hardly any history."""


class Reference(msgspec.Struct, frozen=True):
    """Histograms of the training part's running machines, labelled or not. The field names are the stored format.

    Attributes:
        rows, days: how many there are.
        features: by feature.
        predictions: of the model's predictions, days of RUL.
    """

    rows: int
    days: int
    features: dict[str, Histogram]
    predictions: Histogram


class _Card(msgspec.Struct, frozen=True):
    reference: Reference | None = None


def of_card(card: bytes) -> Reference | None:
    """The reference in a model card's JSON; None where it has none that can be decoded."""
    try:
        return msgspec.json.decode(card, type=_Card).reference
    except msgspec.MsgspecError:
        return None


def reference(rows: Dataset, features: Sequence[str], predicted: Floats) -> Reference | None:
    """The reference for a model card.

    Args:
        rows: running machines' rows of the training part.
        features: those that the model uses.
        predicted: the model's predictions for these rows, days, shape (n,).

    Returns:
        None for fewer than `MIN_ROWS` rows after the warm-up.
    """
    day = date_numbers(rows.hour)
    used = day >= (day.min() + WARM_UP_DAYS if len(day) else 0)
    if used.sum() < MIN_ROWS:
        return None
    day = day[used]
    return Reference(
        rows=int(used.sum()),
        days=len(np.unique(day)),
        features={name: histogram(rows.column(name)[used], day) for name in features},
        predictions=histogram(predicted[used], day),
    )

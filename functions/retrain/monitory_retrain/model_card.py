"""The model card: everything needed to trust, repeat and serve a version."""

from collections.abc import Sequence
from importlib import metadata
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from monitory.features.hour_row import Columns
from monitory.model.card import Card
from monitory.model.distribution import Distribution
from monitory.sensors import SensorSet
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.evaluation.drift import Reference

LIBRARIES = ("lightgbm", "numpy", "scikit-learn", "imbalanced-learn", "pyarrow", "msgspec")


JUDGED_FILE = "judged.txt"
"""Beside a version's model: the text that its scores are of."""


class Judged(msgspec.Struct, frozen=True):
    """The fit that a version's scores are of: it ended before the hold-out, the served one did not.

    Attributes:
        sha256: of its text, which is stored beside the served one.
        starts: the hour at which the hold-out begins: nothing later taught it.
        distribution: of the life left, given its answers.
    """

    sha256: str
    starts: int
    distribution: Distribution | None = None


class ModelCard(Card, frozen=True, kw_only=True):
    """What is written as card.json; serving reads the part that `Card` names.

    Attributes:
        data: first and last day, and what the range held.
        rows: rows in training and hold-out.
        labels: failures by machine, rows left out by reason, settings of the labels.
        parameters: LightGBM's, and the recipe around them.
        trees: of each averaged booster.
        libraries: versions.
        python: version.
        metrics: as in metrics.json.
        reference: distributions of features and answers in training, for drift.
        judged: the fit that the metrics are of; None in older cards, where it is the served one.
    """

    data: dict[str, Any]
    rows: dict[str, int]
    labels: dict[str, Any]
    parameters: dict[str, Any]
    trees: int
    libraries: dict[str, str]
    python: str
    metrics: dict[str, Any]
    reference: Reference | None = None
    judged: Judged | None = None


class _WithJudged(msgspec.Struct, frozen=True):
    judged: Judged | None = None


def judged_part(card: bytes) -> Judged | None:
    """What a card's JSON says of the judged fit; None in older cards, and where it cannot be read."""
    try:
        return msgspec.json.decode(card, type=_WithJudged).judged
    except msgspec.MsgspecError:
        return None


def library_versions() -> dict[str, str]:
    """Installed versions of the libraries that shape a model."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found


def training_ranges(training: Dataset, used: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of the features that a model uses; those that are always missing are left out."""
    ranges = {}
    for name in used:
        values = training.column(name)
        values = values[~np.isnan(values)]
        if len(values):
            ranges[name] = (float(values.min()), float(values.max()))
    return ranges


def hourly_mean_ranges(
    table: HourTable, running: npt.NDArray[np.bool_], sensors: SensorSet
) -> dict[str, tuple[float, float]]:
    """Smallest and largest hourly mean of each sensor in the hours of running machines; a silent sensor is left out."""
    columns = Columns(sensors).indices("mean")
    low, high = np.full(len(columns), np.inf), np.full(len(columns), -np.inf)
    for part in table.parts():
        means = table.values[part][running[part]][:, columns]
        low = np.fmin(low, np.fmin.reduce(means, axis=0, initial=np.inf))
        high = np.fmax(high, np.fmax.reduce(means, axis=0, initial=-np.inf))
    return {
        name: (smallest, largest)
        for name, smallest, largest in zip(sensors.names, low.tolist(), high.tolist(), strict=True)
        if smallest <= largest
    }


def encode(card: ModelCard) -> bytes:
    """The card as JSON for people: indented, keys in order."""
    return msgspec.json.format(msgspec.json.encode(card, order="sorted"), indent=1)

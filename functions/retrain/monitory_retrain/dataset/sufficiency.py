"""Whether there is enough data to train on, counted from the data, with every shortfall named."""

from typing import NamedTuple

import numpy as np

from monitory.clock import HOURS_PER_DAY
from monitory.machine import Machine
from monitory.settings import RetrainSettings
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.dates import date_numbers
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.labels import Labels


class Supply(NamedTuple):
    """What a range of days holds."""

    days: int
    machines: int
    readings: int
    failures: int
    maintenance: int
    labelled_rows: int


MIN_LABELLED_ROWS = 200
"""Fewer do not split into a meaningful training part, validation and hold-out."""

MIN_TRAINING_ROWS = 100
MIN_TRAINING_RUNS = 3


def split_shortfalls(training: Dataset, holdout: Dataset) -> list[str]:
    """What a time split lacks, in words; empty when both parts are large enough."""
    labelled = ~np.isnan(training.rul)
    wanted = (
        ("labelled hours before the hold-out", int(labelled.sum()), MIN_TRAINING_ROWS),
        ("runs to failure before the hold-out", len(np.unique(training.life[labelled])), MIN_TRAINING_RUNS),
        ("running hours in the hold-out", len(holdout), 1),
    )
    return [f"{have:,} {what}, {need:,} are needed" for what, have, need in wanted if have < need]


def supply(table: HourTable, labels: Labels, since: int = 0) -> Supply:
    """Count what a table holds from an hour on."""
    newer = table.hour >= since

    def ends(stops: dict[Machine, list[int]]) -> int:
        return sum(hour >= since for hours in stops.values() for hour in hours)

    return Supply(
        days=len(np.unique(date_numbers(table.hour[newer]))),
        machines=len(np.unique(table.machine[newer])),
        readings=int(table.readings[newer].sum()),
        failures=ends(labels.failures),
        maintenance=ends(labels.maintenance),
        labelled_rows=int(labels.usable[newer].sum()),
    )


def short_span(first: int, last: int, settings: RetrainSettings) -> str | None:
    """A warning that no machine was watched for as long as the cap, with the remedy; None where one may have been.

    Args:
        first, last: hours of the data, history included.
        settings: which.
    """
    days = (last + 1 - first) / HOURS_PER_DAY
    if days > settings.max_rul_days:
        return None
    return (
        f"the data spans {days:.1f} days, MAX_RUL_DAYS is {settings.max_rul_days:g}: how likely a machine is "
        "to live so long is extrapolated. Choose a larger TRAINING_DAYS or a smaller MAX_RUL_DAYS, or wait: "
        f"rows of up to {settings.history_days} days teach as they add up (HISTORY_DAYS)"
    )


def shortfalls(supply: Supply, settings: RetrainSettings) -> list[str]:
    """What is missing, in words; empty when the data suffices.

    A run may end in a failure or in maintenance: where people prevent failures there are few. One must be seen, for
    maintenance alone does not tell how long a machine lasts.
    """
    wanted = (
        ("days with data", supply.days, settings.min_days),
        ("machines", supply.machines, settings.min_machines),
        ("readings", supply.readings, settings.min_readings),
        ("labelled hours", supply.labelled_rows, MIN_LABELLED_ROWS),
    )
    missing = [f"{have:,} {what}, {need:,} are needed" for what, have, need in wanted if have < need]
    ended = supply.failures + supply.maintenance
    if ended < settings.min_failures:
        missing.append(
            f"{ended:,} runs that ended ({supply.failures:,} in a failure, {supply.maintenance:,} in maintenance), "
            f"{settings.min_failures:,} are needed"
        )
    elif not supply.failures:
        missing.append(f"no failures, only {supply.maintenance:,} runs that maintenance ended: one failure is needed")
    return missing

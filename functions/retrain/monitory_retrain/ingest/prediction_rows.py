"""Reads the prediction log beside the rows of an hour table; an hour's lines are decoded and let go at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import NamedTuple

import msgspec
import numpy as np

from monitory.errors import StorageError, StorageUnavailable
from monitory.scoring import prediction_log
from monitory.scoring.prediction_log import LogLine
from monitory.scoring.stored_answer import StoredInterval, StoredModel
from monitory.storage.port import Storage
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.logged_predictions import LoggedPredictions

THREADS = 8
"""Objects read in parallel: one after the other their round trips would add up."""

_NONE = -1


class _Line(LogLine, frozen=True):
    predictions: tuple[float]
    model: StoredModel
    interval: StoredInterval | None = None


class _Hour(NamedTuple):
    hour: int
    lines: list[_Line]
    size: int = 0
    faults: Sequence[str] = ()


def read(storage: Storage, lake: str, days: Sequence[date], table: HourTable) -> LoggedPredictions:
    """Read the log of some days; what is damaged is left out and named.

    Args:
        storage: the model bucket.
        lake: the fingerprint of the lake whose log it is.
        days: the factory's dates.
        table: the rows that lines are wanted for.

    Raises:
        StorageUnavailable: the store failed.
    """
    n = len(table)
    values = np.full((3, n), np.nan)
    version = np.full(n, _NONE, dtype=np.int64)
    numbers: dict[str | None, int] = {}
    objects = size = 0
    faults: list[str] = []
    row_of = _rows_by_hour(table)
    names = [str(machine) for machine in table.machines]
    with ThreadPoolExecutor(THREADS, thread_name_prefix="log") as pool:
        for listed in pool.map(lambda day: prediction_log.hours_of(storage, lake, day), days):
            for content in pool.map(lambda hour: _hour(storage, lake, hour), listed):
                objects, size = objects + 1, size + content.size
                faults.extend(content.faults)
                rows = {names[table.machine[row]]: row for row in row_of.get(content.hour, ())}
                for line in content.lines:
                    row = rows.get(f"{line.zone_id}/{line.equip_id}")
                    if row is not None:
                        values[:, row] = line.predictions[0], *_ends(line.interval)
                        version[row] = numbers.setdefault(line.model.version, len(numbers))
    return LoggedPredictions(values[0], values[1], values[2], version, list(numbers), objects, size, faults)


def _hour(storage: Storage, lake: str, hour: int) -> _Hour:
    try:
        lines = prediction_log.read(storage, lake, hour)
    except StorageUnavailable:
        raise
    except StorageError as exc:
        return _Hour(hour, [], faults=[str(exc)])
    decoded, damaged = [], 0
    for line in lines:
        try:
            decoded.append(msgspec.json.decode(line, type=_Line))
        except msgspec.MsgspecError:
            damaged += 1
    faults = [f"{damaged} lines of {prediction_log.key(lake, hour)} cannot be read"] if damaged else []
    return _Hour(hour, decoded, sum(map(len, lines)), faults)


def _rows_by_hour(table: HourTable) -> dict[int, list[int]]:
    order = np.argsort(table.hour, kind="stable")
    hours, firsts = np.unique(table.hour[order], return_index=True)
    parts = np.split(order, firsts[1:])
    return {hour: rows.tolist() for hour, rows in zip(hours.tolist(), parts, strict=True)} if len(order) else {}


def _ends(interval: StoredInterval | None) -> tuple[float, float]:
    if interval is None:
        return np.nan, np.nan
    return interval.low, np.inf if interval.high is None else interval.high

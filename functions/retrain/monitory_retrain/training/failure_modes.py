"""Learns to tell failure modes apart from the days before failures whose mode the log names."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from monitory.clock import HOURS_PER_DAY
from monitory.features import vector
from monitory.machine import Machine
from monitory.model.failure_modes import FailureMode, FailureModes
from monitory.sensors import SensorSet
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.dataset import Dataset

WITHIN_DAYS = 5.0
"""So long before its failure a machine shows how it is going to fail."""

BEFORE_DAYS = 15.0
"""So long before it, it usually shows nothing."""

MIN_FAILURES = 5
"""A mode with fewer failures is one of the rare ones."""

PRECISION = 0.9
"""Share of named modes that must be right, out of fold."""

_CERTAINTIES = (0.5, 0.6, 0.7, 0.8, 0.9)
_FOLDS = 5
_MAX_ITERATIONS = 500


def learn(rows: Dataset, modes: Mapping[Machine, Mapping[int, str]], sensors: SensorSet) -> FailureModes | None:
    """The modes of a factory; None where fewer than two are frequent, or they cannot be told apart.

    Hours of up to `WITHIN_DAYS` before a failure teach its mode; earlier ones, up to `BEFORE_DAYS`, teach that none can
    be named yet, as do hours before failures of rare modes.

    Args:
        rows: running hours.
        modes: the mode of each failure that has one, by machine and first hour.
        sensors: the sensor set of the rows.
    """
    from sklearn.linear_model import LogisticRegression  # only learning pays for it
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    taught = np.flatnonzero(rows.rul <= BEFORE_DAYS)
    ahead = _modes_ahead(rows, taught, modes)
    taught, ahead = taught[ahead != ""], ahead[ahead != ""]
    runs = rows.life[taught]
    failures = Counter(dict(zip(runs.tolist(), ahead.tolist(), strict=True)).values())
    frequent = [mode for mode, count in failures.items() if count >= MIN_FAILURES]
    if len(frequent) < 2:
        return None
    names = tuple(name for name in sensors.names if name not in sensors.operating)
    x = _shares(rows, taught, sensors, names)
    target = np.where(np.isin(ahead, frequent) & (rows.rul[taught] <= WITHIN_DAYS), ahead, "")
    if "" not in target:
        return None
    model = LogisticRegression(max_iter=_MAX_ITERATIONS)
    likely = cross_val_predict(model, x, target, groups=runs, cv=StratifiedGroupKFold(_FOLDS), method="predict_proba")
    named = np.unique(target)[likely.argmax(axis=1)]
    certainty = _certainty((named == ahead)[named != ""], likely.max(axis=1)[named != ""])
    if certainty is None:
        return None
    model.fit(x, target)
    learnt = zip(model.classes_.tolist(), model.intercept_.tolist(), model.coef_.tolist(), strict=True)
    return FailureModes(names, tuple(FailureMode(name, bias, tuple(row)) for name, bias, row in learnt), certainty)


def _modes_ahead(rows: Dataset, taught: Ints, modes: Mapping[Machine, Mapping[int, str]]) -> np.ndarray:
    """The mode of the failure ahead of each row, empty where the log names none."""
    failures = rows.hour[taught] + np.rint(rows.rul[taught] * HOURS_PER_DAY).astype(np.int64)
    owners = (rows.machines[index] for index in rows.machine[taught].tolist())
    named = [modes.get(owner, {}).get(hour, "") for owner, hour in zip(owners, failures.tolist(), strict=True)]
    return np.array(named, dtype=np.str_)


def _shares(rows: Dataset, taught: Ints, sensors: SensorSet, names: tuple[str, ...]) -> Floats:
    shares = np.empty((len(taught), len(names)))
    part = rows.take(taught)
    means = {f"{name}_mean_24h": part.column(f"{name}_mean_24h") for name in names}
    for at, row in enumerate(zip(*means.values(), strict=True)):
        found = vector.limit_shares(dict(zip(means, map(float, row), strict=True)), sensors)
        shares[at] = [found[name] for name in names]
    return np.nan_to_num(shares)


def _certainty(right: np.ndarray, likely: Floats) -> float | None:
    """The least certainty at which enough of the named modes are right; None where there is none."""
    for certainty in _CERTAINTIES:
        sure = likely >= certainty
        if sure.any() and right[sure].mean() >= PRECISION:
            return certainty
    return None

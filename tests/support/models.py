"""LightGBM models for tests, trained in milliseconds."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from monitory.features import vector
from monitory.model.card import Calibration, CalibrationPoint, Card
from monitory.sensors import load

SENSORS = load()
CONTRACT_FEATURES = tuple(
    [name + suffix for name in SENSORS.names for suffix in ("", "_rollmean", "_rollstd")] + ["power_factor"]
)
"""The nineteen numeric features of models by older trainers."""

Frame = pd.DataFrame


def frame(
    names: Sequence[str], rows: int = 300, seed: int = 0, machines: Sequence[str] = (), missing: float = 0.1
) -> Frame:
    """Random features, some missing; with `machines` a pandas categorical `equipment` as the second column."""
    rng = np.random.default_rng(seed)
    values = rng.normal(50, 20, size=(rows, len(names)))
    values[rng.random(values.shape) < missing] = np.nan
    made = pd.DataFrame(values, columns=list(names))
    if machines:
        chosen = pd.Categorical(rng.choice(list(machines), rows), categories=list(machines))
        made.insert(min(1, len(names)), vector.EQUIPMENT, pd.Series(chosen))
    return made


def train(data: Frame, trees: int = 10, seed: int = 0, **parameters: object) -> lgb.Booster:
    """A regressor of days within 0 and about 30, on whatever columns there are."""
    rng = np.random.default_rng(seed)
    codes = data.apply(lambda column: column.cat.codes if column.dtype == "category" else column.fillna(40.0))
    signal: npt.NDArray[np.float64] = codes.to_numpy(dtype=float) @ rng.normal(size=data.shape[1])
    spread = (signal - signal.min()) / max(float(np.ptp(signal)), 1e-9)
    settings = {"verbosity": -1, "num_threads": 1, "num_leaves": 8, "min_data_in_leaf": 5, "seed": seed, **parameters}
    return lgb.train(settings, lgb.Dataset(data, 30 * spread + rng.normal(size=len(data))), trees)


def text(booster: lgb.Booster) -> bytes:
    """The model text as an object holds it."""
    return booster.model_to_string().encode()


@lru_cache(maxsize=32)
def small_text(seed: int = 0, trees: int = 5) -> bytes:
    """A model text on a few of our features."""
    return text(train(frame(vector.names(SENSORS)[:6], seed=seed), trees=trees, seed=seed))


def card(version: str = "2026/11/20/150312", **others: object) -> Card:
    """A model card; what isn't given is plausible."""
    fields: dict[str, object] = {
        "version": version,
        "trained_at": "2026-11-20T15:03:12+00:00",
        "feature_schema": vector.SCHEMA,
        "sensors": SENSORS,
        "cap_days": 30.0,
        "features": vector.names(SENSORS)[:6],
        "calibration": Calibration(0.9, (CalibrationPoint(5.0, -2.0, 3.0), CalibrationPoint(20.0, -8.0, 6.0))),
        "machines": frozenset({"EQUIP-001"}),
        **others,
    }
    return Card(**fields)  # type: ignore[arg-type]


def with_leaves(body: bytes, changes: Mapping[int, bytes]) -> bytes:
    """A model text with some leaves, counted through all trees, replaced by words, and as long as before."""
    leaves = [
        leaf.span()
        for line in re.finditer(rb"\nleaf_value=(.*)", body)
        for leaf in re.compile(rb"[^ \n]+").finditer(body, *line.span(1))
    ]
    changed = bytearray(body)
    for number, word in changes.items():
        start, end = leaves[number]
        changed[start:end] = word.ljust(end - start)
    assert len(changed) == len(body)
    return bytes(changed)

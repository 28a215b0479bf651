"""Registries for tests, and the promises that they keep."""

import hashlib
import json
from itertools import pairwise
from typing import Any

import msgspec

from monitory.errors import NoModel
from monitory.registry.registry import CARD_FILE, METRICS_FILE, MODEL_FILE, ROLLBACK, Promotion, Registry, ServedObject
from monitory.storage.port import Storage
from tests.support.fakes import MemoryStorage

KEY = "models/latest/lgbm_regressor.json"
A, B, C, D = (f"2026/11/2{number}/150000" for number in range(4))


def files(version: str) -> dict[str, tuple[bytes, str]]:
    model = f"tree of {version}".encode()
    return {
        MODEL_FILE: (model, "text/plain"),
        CARD_FILE: (json.dumps({"sha256": hashlib.sha256(model).hexdigest()}).encode(), "application/json"),
        METRICS_FILE: (json.dumps({"of": version}).encode(), "application/json"),
    }


def a_registry(storage: Storage | None = None, versions: tuple[str, ...] = (A, B, C, D)) -> Registry:
    registry = Registry(storage or MemoryStorage(), KEY)
    for version in versions:
        registry.store(version, files(version))
    return registry


def served(registry: Registry) -> ServedObject | None:
    try:
        return registry.served()
    except NoModel:
        return None


def promote(registry: Registry, version: str, reason: str = "because", **others: Any) -> Promotion:
    return registry.promote(version, by="test", reason=reason, expected=served(registry), **others)


def roll_back(registry: Registry) -> str:
    return promote(registry, registry.rollback_target(), action=ROLLBACK).version


def put_foreign(registry: Registry, body: bytes = b"tree of a stranger") -> None:
    registry.storage.put(KEY, body, content_type="application/json")


def check_whole(registry: Registry) -> None:
    """The promises that hold whenever no run is in the middle: history without gaps, model and version agree."""
    history = registry.history()
    assert [one.number for one in history] == list(range(1, len(history) + 1))
    for before, after in pairwise(history):
        assert after.replaced is not None
        assert after.replaced == before.version or b"stranger" in registry.read(after.replaced, MODEL_FILE)
    now = served(registry)
    if now and now.promotion:
        assert now.verified
        assert registry.read(now.promotion.version, MODEL_FILE) == now.blob.body
        assert any(now.promotion == msgspec.structs.replace(one, number=now.promotion.number) for one in history)
        shown = json.loads(registry.storage.get("models/latest/metrics.json").body)
        assert now.promotion.version in shown.values()

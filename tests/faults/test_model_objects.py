"""Objects under the served key that are no usable model, and cards that are damaged or lie."""

import hashlib
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from monitory.features import vector
from monitory.registry.registry import CARD_FILE, MODEL_FILE, Registry
from monitory.scoring.model_cache import ModelCache
from tests.faults.conftest import Ledger
from tests.support import models
from tests.support.fakes import MemoryStorage
from tests.support.world import MODEL_KEY, model_text, promote, version_files, version_name

ROW = dict.fromkeys(vector.names(models.SENSORS), 50.0)
TEXT = model_text(1)


def _cache() -> tuple[MemoryStorage, ModelCache, float]:
    """A bucket whose model is in memory, and what that answers."""
    storage = MemoryStorage()
    promote(Registry(storage, MODEL_KEY), 0, seed=0)
    cache = ModelCache(Registry(storage, MODEL_KEY), models.SENSORS, 30.0)
    return storage, cache, cache.current().served.model.value(ROW, "EQUIP-001")


OBJECTS: dict[str, bytes] = {
    "empty": b"",
    "no model": b"<html>not here</html>",
    "first line only": b"tree\n",
    "zeros": bytes(10_000),
    "pickle": b"\x80\x04\x95" + b"x" * 100,
    "another feature set": TEXT.replace(b"temperature", b"speed"),
    "several outputs": TEXT.replace(b"num_class=1", b"num_class=3"),
    "65 MB": TEXT + b"\n" * (65 << 20),
    "endless feature count": TEXT.replace(b"max_feature_idx=5", b"max_feature_idx=2000000000"),
    "negative leaves": TEXT.replace(b"num_leaves=", b"num_leaves=-", 1),
    "a leaf that is no number": models.with_leaves(TEXT, {5: b"nan"}),
    "leaves that add up to no number": models.with_leaves(TEXT, {6: b"inf", 10: b"-inf"}),
    "leaves that are too large together": models.with_leaves(TEXT, {6: b"1e308", 10: b"1e308"}),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_what_is_no_model_is_refused_and_the_old_one_answers(name: str, ledger: Ledger) -> None:
    storage, cache, before = _cache()
    storage.put(MODEL_KEY, OBJECTS[name], content_type="text/plain")
    current = cache.current()
    right = current.served.model.value(ROW, "EQUIP-001") == before and bool(current.problem)
    ledger.note("predict", f"served object: {name}", "the last good model, said so", lost=not right)
    assert right, current


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.97])
def test_half_a_foreign_model_is_refused(share: float, ledger: Ledger) -> None:
    storage, cache, before = _cache()
    cut = int(TEXT.index(b"end of trees") * share)
    storage.put(MODEL_KEY, TEXT[:cut], content_type="text/plain")
    current = cache.current()
    right = current.served.model.value(ROW, "EQUIP-001") == before and bool(current.problem)
    ledger.note("predict", "foreign model cut short", "the last good model, said so", lost=not right)
    assert right, current


def test_a_damaged_model_of_ours_never_reaches_the_parser(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, cache, before = _cache()
    promote(Registry(storage, MODEL_KEY), 1, seed=1)
    good = storage.objects[MODEL_KEY]
    parsed: list[bytes] = []
    monkeypatch.setattr("monitory.model.loader.Model", lambda text, *args, **kwargs: parsed.append(text))
    chosen = random.Random(0)
    lost = 0
    for _ in range(500):
        storage.put(MODEL_KEY, _damaged(good.body, chosen), metadata=good.metadata)
        current = cache.current()
        lost += current.served.model.value(ROW, "EQUIP-001") != before or not current.problem
    ledger.note("predict", "promoted model damaged", "the last good model, said so", tries=500, lost=lost + len(parsed))
    assert (lost, parsed) == (0, [])


@pytest.mark.slow
def test_a_damaged_foreign_model_kills_nobody(ledger: Ledger) -> None:
    storage, cache, before = _cache()
    chosen = random.Random(1)
    refused = 0
    for _ in range(40):
        storage.put(MODEL_KEY, _damaged(TEXT, chosen), content_type="text/plain")
        current = cache.current()
        answer = current.served.model.value(ROW, "EQUIP-001")
        for _ in range(20):
            current.served.model.estimate({name: chosen.gauss(50, 20) for name in ROW}, "EQUIP-001")
        if current.problem:
            refused += 1
        else:  # the defect was harmless: this is the last good model now
            before = answer
        assert answer == before
    ledger.note("predict", "foreign model damaged", f"refused ({refused}) or answered by a sound one", tries=40)
    assert refused > 10


@pytest.mark.parametrize("word", [b"nan", b"inf", b"-inf", b"1e999", b"1e308", b"-1e200", b"0x1p9"])
def test_a_foreign_model_with_damaged_leaves_is_refused(word: bytes, ledger: Ledger) -> None:
    storage, cache, before = _cache()
    chosen = random.Random(2)
    lost = 0
    for _ in range(8):
        leaves = chosen.sample(range(TEXT.count(b"\nTree=") * 8), chosen.randint(1, 3))
        storage.put(MODEL_KEY, models.with_leaves(TEXT, dict.fromkeys(leaves, word)), content_type="text/plain")
        current = cache.current()
        lost += current.served.model.value(ROW, "EQUIP-001") != before or not current.problem
    ledger.note("predict", "foreign model with damaged leaves", "the last good model, said so", tries=8, lost=lost)
    assert not lost


def _damaged(text: bytes, chosen: random.Random) -> bytes:
    """A text with some defects; of those that change its length, LightGBM may notice only that."""
    if chosen.random() < 0.3:
        words = [b"nan", b"inf", b"-inf", b"1e999", b"9e99", b"-7"]
        return models.with_leaves(text, {chosen.randrange(30): chosen.choice(words)})
    body = bytearray(text)
    for _ in range(chosen.randint(1, 5)):
        at = chosen.randrange(len(body))
        kind = chosen.random()
        if kind < 0.5:
            body[at] = chosen.randrange(256)
        elif kind < 0.7:
            del body[at : at + chosen.randint(1, 200)]
        elif kind < 0.9:
            body[at:at] = chosen.choice([b"-", b"9" * 20, b" ", b"\n", b"1e999", b"nan", b"\x00"])
        else:
            body[at:at] = body[at : at + chosen.randint(1, 300)]
    return bytes(body) if bytes(body) != text else text + b"x"


def _changed(**fields: Any) -> Callable[[dict[str, Any]], bytes]:
    return lambda card: json.dumps({**card, **fields}).encode()


POINT = {"predicted": 5.0, "low": -1.0, "high": 1.0}
CARDS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "cut short": lambda card: json.dumps(card).encode()[:-30],
    "no JSON": lambda card: b"\x00\xff",
    "deeply nested": lambda card: b'{"a":' * 100_000,
    "calibration is NaN": _changed(calibration={"coverage": 0.9, "points": [{**POINT, "low": float("nan")}]}),
    "calibration is infinite": _changed(calibration={"coverage": 0.9, "points": [{**POINT, "high": float("inf")}]}),
    "calibration without points": _changed(calibration={"coverage": 0.9, "points": []}),
    "coverage of 700 %": _changed(calibration={"coverage": 7, "points": [POINT]}),
    "other features": _changed(features=["pressure"]),
    "features in another order": lambda card: _changed(features=card["features"][::-1])(card),
    "of another model": _changed(sha256=hashlib.sha256(b"another").hexdigest()),
    "of another version": _changed(version="2020/01/01/000000"),
    "of another schema": _changed(feature_schema=999),
    "no cap": _changed(cap_days=0),
    "cap of 300 years": _changed(cap_days=1e5),
    "trained at no time": _changed(trained_at="yesterday"),
    "one digit changed": lambda card: json.dumps(card).replace("-2.0", "-9.0").encode(),
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", CARDS)
def test_a_card_that_is_damaged_or_lies_is_refused(name: str, when: str, ledger: Ledger) -> None:
    storage, cache, before = _cache()
    registry = Registry(storage, MODEL_KEY)
    version = version_name(1)
    files = version_files(version, seed=1)
    wrong = CARDS[name](json.loads(files[CARD_FILE][0]))
    assert wrong != files[CARD_FILE][0]
    if when == "before" and name not in {"one digit changed"}:  # promoted with it
        files[CARD_FILE] = (wrong, "application/json")
        registry.store(version, files)
        text = files[MODEL_FILE][0]
        if name != "of another model":
            registry.promote(version, by="test", reason="", expected=registry.served())
        else:
            storage.put(MODEL_KEY, text, metadata={**storage.objects[MODEL_KEY].metadata, "version": version})
    else:
        promote(registry, 1, seed=1)
        storage.put(f"models/{version}/{CARD_FILE}", wrong)
    current = cache.current()
    right = current.served.model.value(ROW, "EQUIP-001") == before and bool(current.problem)
    ledger.note("predict", f"model card: {name}", "the last good model, said so", lost=not right)
    assert right, current


def test_a_model_whose_hash_is_not_its_card_s_is_not_promoted(ledger: Ledger) -> None:
    storage, _, _ = _cache()
    registry = Registry(storage, MODEL_KEY)
    before = storage.objects[MODEL_KEY]
    registry.store(version_name(1), {**version_files(version_name(1), seed=1), MODEL_FILE: (TEXT[:-1], "text/plain")})
    with pytest.raises(Exception, match="not what was stored"):
        registry.promote(version_name(1), by="test", reason="", expected=registry.served())
    ledger.note("registry", "half-written version", "refused, names the object")
    assert storage.objects[MODEL_KEY] is before

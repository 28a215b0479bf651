"""Served and stored models, loaded and verified."""

import msgspec
import pytest

from monitory import sensors
from monitory.errors import BrokenModel, UnknownVersion
from monitory.features import vector
from monitory.model.loader import ModelLoader
from monitory.registry.promotions import metadata
from monitory.registry.registry import CARD_FILE, METRICS_FILE, MODEL_FILE, ROLLBACK, Registry
from monitory.registry.versions import OLDER_MODEL_FILE
from monitory.sensors import Sensor, SensorSet
from tests.support.fakes import MemoryStorage
from tests.support.models import card, frame, small_text, text, train, with_leaves
from tests.support.registries import KEY, A, B, C, D, promote, put_foreign

CARDED = {
    MODEL_FILE: (small_text(), "text/plain"),
    CARD_FILE: (msgspec.json.encode(card(A)), "application/json"),
}


@pytest.fixture
def registry() -> Registry:
    return Registry(MemoryStorage(), KEY)


@pytest.fixture
def models(registry: Registry) -> ModelLoader:
    return ModelLoader(registry, sensors.load(), 30.0)


def load(models: ModelLoader) -> float:
    served = models.registry.served_or_none()
    assert served
    return models.served(served).value({}, "E")


def test_a_model_of_ours_is_loaded_with_its_card_and_not_probed(
    registry: Registry, models: ModelLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitory.model.untrusted.check", lambda body: pytest.fail("probed"))
    assert registry.served_or_none() is None
    registry.store(A, CARDED)
    promote(registry, A, sha256=models.stored(A).fingerprint)
    assert load(models) == models.trained(small_text()).value({}, "E")


def test_whatever_has_no_card_is_probed_though_metadata_call_it_a_version(
    registry: Registry, models: ModelLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed: list[bytes] = []
    monkeypatch.setattr("monitory.model.untrusted.check", probed.append)
    put_foreign(registry, small_text(1))
    load(models)
    registry.store(A, {MODEL_FILE: CARDED[MODEL_FILE]})
    models.stored(A)
    made = promote(registry, A)
    registry.storage.put(KEY, small_text(2), content_type="text/plain", metadata=metadata(made, small_text(2)))
    load(models)
    assert probed == [small_text(1), small_text(), small_text(2)]


def test_a_foreign_model_with_a_damaged_leaf_is_refused(registry: Registry, models: ModelLoader) -> None:
    put_foreign(registry, with_leaves(small_text(), {5: b"nan"}))
    with pytest.raises(BrokenModel, match="of unknown origin"):
        load(models)


def test_bytes_and_cards_that_were_not_promoted_are_refused(registry: Registry, models: ModelLoader) -> None:
    registry.store(A, CARDED)
    promote(registry, A)
    blob = registry.storage.get(KEY)
    registry.storage.put(f"models/{A}/{CARD_FILE}", msgspec.json.encode(card(A, cap_days=9)), content_type="")
    with pytest.raises(BrokenModel, match=f"the model card of {A} is not the one"):
        load(models)
    registry.storage.put(KEY, blob.body + b"\n", content_type="text/plain", metadata=blob.metadata)
    with pytest.raises(BrokenModel, match="not what was promoted"):
        load(models)


ELSEWHERE = SensorSet((Sensor("rpm", "speed", "", 0.0, 1.0),))
SPEED = vector.names(ELSEWHERE)[:3]


@pytest.mark.parametrize(
    ("others", "body", "said"),
    [
        ({"version": B}, small_text(), f"the model card of {A} is that of {B}"),
        ({"feature_schema": vector.SCHEMA + 1}, small_text(), "schema"),
        ({"sensors": ELSEWHERE, "features": SPEED}, text(train(frame(SPEED))), "do not exist here: speed"),
    ],
)
def test_a_version_that_serving_would_refuse_is_refused_before_it_is_promoted(
    registry: Registry, models: ModelLoader, others: dict[str, object], body: bytes, said: str
) -> None:
    made = msgspec.json.encode(card(**{"version": A, **others}))  # type: ignore[arg-type]
    registry.store(A, {MODEL_FILE: (body, "text/plain"), CARD_FILE: (made, "application/json")})
    with pytest.raises(BrokenModel, match=said):
        models.stored(A)
    with pytest.raises(UnknownVersion):
        models.stored(B)


def store_older(registry: Registry, version: str, body: bytes) -> None:
    """A version as older trainers left it."""
    registry.storage.put(f"models/{version}/{OLDER_MODEL_FILE}", body, content_type="application/json")


def test_a_version_of_an_older_trainer_is_listed_promoted_and_rolled_back_to(
    registry: Registry, models: ModelLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed: list[bytes] = []
    monkeypatch.setattr("monitory.model.untrusted.check", probed.append)
    storage = registry.storage
    for version, seed in ((A, 1), (B, 2)):
        store_older(registry, version, small_text(seed))
    storage.put(f"models/{B}/{METRICS_FILE}", b'{"rmse": 3.1}', content_type="application/json")
    put_foreign(registry, small_text(1))
    registry.store(C, {MODEL_FILE: CARDED[MODEL_FILE]})
    assert list(registry.versions()) == [A, B, C]
    made = promote(registry, B, sha256=models.stored(B).fingerprint)
    assert (made.version, made.replaced) == (B, A)  # what was served was that version, and needs no copy
    assert load(models) == models.trained(small_text(2)).value({}, "E")
    assert storage.get(registry.metrics_key).body == b'{"rmse": 3.1}'
    assert registry.rollback_target() == A
    promote(registry, A, action=ROLLBACK, sha256=models.stored(A).fingerprint)
    assert load(models) == models.trained(small_text(1)).value({}, "E")
    assert storage.get(registry.metrics_key).body == msgspec.json.encode({"version": A})
    assert probed == [small_text(2), small_text(2), small_text(1), small_text(1)]
    with pytest.raises(UnknownVersion, match=f"version {D} has no {MODEL_FILE}"):
        models.stored(D)


def test_a_version_with_both_files_is_ours_once(registry: Registry) -> None:
    store_older(registry, A, small_text(1))
    registry.store(A, {MODEL_FILE: CARDED[MODEL_FILE]})
    assert list(registry.versions()) == [A]
    assert registry.model(A) == small_text()
    assert list(registry.versions_of(small_text())) == [A]
    assert list(registry.versions_of(small_text(1))) == []


def test_an_older_trainer_s_version_that_is_no_model_is_refused(registry: Registry, models: ModelLoader) -> None:
    store_older(registry, A, b'{"name": "tree", "tree_info": []}')
    with pytest.raises(BrokenModel, match=r"is JSON, as dump_model\(\) writes it"):
        models.stored(A)

"""Served and stored models, loaded in retraining as serving would load them."""

import msgspec
import pytest

from monitory import sensors
from monitory.errors import BrokenModel, UnknownVersion
from monitory.features import vector
from monitory.log import logger
from monitory.registry.promotions import metadata
from monitory.registry.registry import CARD_FILE, MODEL_FILE, Registry
from monitory.sensors import Sensor, SensorSet
from monitory.settings import RetrainSettings
from monitory_retrain.evaluation.candidates import CheckedModels
from tests.support.fakes import MemoryStorage
from tests.support.models import card, frame, small_text, text, train, with_leaves
from tests.support.registries import KEY, A, B, promote, put_foreign

CARDED = {
    MODEL_FILE: (small_text(), "text/plain"),
    CARD_FILE: (msgspec.json.encode(card(A)), "application/json"),
}


@pytest.fixture
def registry() -> Registry:
    return Registry(MemoryStorage(), KEY)


@pytest.fixture
def models(registry: Registry) -> CheckedModels:
    return CheckedModels(registry, sensors.load(), 30.0, logger("tests", RetrainSettings(log_level="CRITICAL")))


def load(models: CheckedModels) -> float:
    served = models.served()
    assert served
    return models.load(served).value({}, "E")


def test_a_model_of_ours_is_loaded_with_its_card_and_not_probed(
    registry: Registry, models: CheckedModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitory.model.untrusted.check", lambda body: pytest.fail("probed"))
    assert models.served() is None
    registry.store(A, CARDED)
    promote(registry, A, sha256=models.check(A))
    assert load(models) == models.own(small_text()).value({}, "E")


def test_whatever_has_no_card_is_probed_though_metadata_call_it_a_version(
    registry: Registry, models: CheckedModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed: list[bytes] = []
    monkeypatch.setattr("monitory.model.untrusted.check", probed.append)
    put_foreign(registry, small_text(1))
    load(models)
    registry.store(A, {MODEL_FILE: CARDED[MODEL_FILE]})
    models.check(A)
    made = promote(registry, A)
    registry.storage.put(KEY, small_text(2), content_type="text/plain", metadata=metadata(made, small_text(2)))
    load(models)
    assert probed == [small_text(1), small_text(), small_text(2)]


def test_a_foreign_model_with_a_damaged_leaf_is_refused(registry: Registry, models: CheckedModels) -> None:
    put_foreign(registry, with_leaves(small_text(), {5: b"nan"}))
    with pytest.raises(BrokenModel, match="of unknown origin"):
        load(models)


def test_bytes_and_cards_that_were_not_promoted_are_refused(registry: Registry, models: CheckedModels) -> None:
    registry.store(A, CARDED)
    promote(registry, A)
    blob = registry.storage.get(KEY)
    registry.storage.put(f"models/{A}/{CARD_FILE}", msgspec.json.encode(card(A, cap_days=9)), content_type="")
    with pytest.raises(BrokenModel, match=f"the model card of {A} is not the one"):
        load(models)
    registry.storage.put(KEY, blob.body + b"\n", content_type="text/plain", metadata=blob.metadata)
    with pytest.raises(BrokenModel, match="not those that were promoted"):
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
    registry: Registry, models: CheckedModels, others: dict[str, object], body: bytes, said: str
) -> None:
    made = msgspec.json.encode(card(**{"version": A, **others}))  # type: ignore[arg-type]
    registry.store(A, {MODEL_FILE: (body, "text/plain"), CARD_FILE: (made, "application/json")})
    with pytest.raises(BrokenModel, match=said):
        models.check(A)
    with pytest.raises(UnknownVersion):
        models.check(B)

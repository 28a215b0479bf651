"""The model in memory: one conditional GET, and the last good one when the newest cannot be used."""

import gzip
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from monitory.errors import BrokenModel, ModelError, NoModel, StorageUnavailable
from monitory.features import vector
from monitory.model import untrusted
from monitory.registry.registry import CARD_FILE, MODEL_FILE, ServedObject
from monitory.scoring import model_cache as model
from monitory.scoring.model_cache import CurrentModel, ModelCache, ServedModel
from monitory.sensors import Sensor, SensorSet
from monitory.settings import PredictSettings
from monitory_predict import bootstrap
from tests.support.fakes import WatchedStorage, down
from tests.support.models import SENSORS, card, frame, small_text, text, train, with_leaves
from tests.support.predicting import V1, V2, V3, World
from tests.support.registries import KEY, promote, roll_back


@pytest.fixture
def world() -> World:
    return World()


def put_foreign(world: World, body: bytes) -> None:
    world.registry.storage.put(KEY, body, content_type="application/json")


def version(world: World) -> str | None:
    return world.models.current().served.version


def test_an_unchanged_model_costs_one_conditional_get(world: World) -> None:
    world.promote(V1)
    first = world.models.current()
    assert (first.served.version, first.problem) == (V1, None)
    world.reset_calls()
    for _ in range(3):
        assert world.models.current().served is first.served
    assert world.model_storage.calls == {"get": 3}


def test_a_promotion_and_a_rollback_are_seen_at_the_next_call(world: World) -> None:
    world.promote(V1)
    assert version(world) == V1
    world.promote(V2, seed=1)
    assert version(world) == V2
    roll_back(world.registry)
    assert version(world) == V1


def test_the_same_bytes_under_another_name_are_seen_after_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(model, "time", type("time", (), {"monotonic": staticmethod(lambda: now)}))
    world.promote(V1)
    assert version(world) == V1
    world.promote(V2, made=card(V2, cap_days=20.0))
    assert version(world) == V1  # the store says 304
    now += model.REREAD_SECONDS + 1
    current = world.models.current()
    assert (current.served.version, current.served.model.cap_days, current.problem) == (V2, 20.0, None)
    now += model.REREAD_SECONDS + 1
    assert world.models.current().served is current.served


def test_a_foreign_model_is_not_probed_again_when_it_is_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_foreign(world, small_text(3))
    good = world.models.current().served
    monkeypatch.setattr("monitory.model.untrusted.check", lambda body: pytest.fail("probed"))
    monkeypatch.setattr(model, "time", type("time", (), {"monotonic": staticmethod(lambda: 1e12)}))
    assert world.models.current().served is good


def test_what_is_said_of_a_model(world: World) -> None:
    world.promote(V1, made=card(V1, trained_at="2026-11-18T14:59:59+00:00"))
    current = world.models.current().served
    assert current.trained_at == "2026-11-18T14:59:59+00:00"
    assert current.promotion == world.registry.history()[0]
    assert current.etag == world.registry.served().blob.etag


def test_without_a_model_there_is_none(world: World) -> None:
    with pytest.raises(NoModel, match="no model has been promoted"):
        world.models.current()
    with pytest.raises(StorageUnavailable, match="too slow"):
        world.models.last_good(StorageUnavailable("too slow"))


def test_a_store_that_fails_at_the_first_call_is_said_so(world: World) -> None:
    world.promote(V1)
    world.model_storage.before = down
    with pytest.raises(StorageUnavailable):
        world.models.current()


def test_while_the_store_fails_the_last_good_model_goes_on(world: World) -> None:
    world.promote(V1)
    good = world.models.current().served
    world.model_storage.before = down
    for _ in range(2):
        current = world.models.current()
        assert current.served is good
        assert isinstance(current.problem, StorageUnavailable)
        assert "cannot get" in str(current.problem)
    world.model_storage.before = lambda verb, key: None
    assert world.models.current().problem is None


def test_a_model_that_is_gone_is_said_so_while_the_last_good_one_goes_on(world: World) -> None:
    world.promote(V1)
    world.models.current()
    del world.model_storage.objects[KEY]
    current = world.models.current()
    assert current.served.version == V1
    assert isinstance(current.problem, NoModel)
    assert "no model has been promoted" in str(current.problem)


BROKEN = {
    "gibberish": b"gibberish",
    "empty": b"",
    "broken off": small_text()[:700],
    "unknown features": text(train(frame(["speed", "torque"]))),
    "a leaf that is no number": with_leaves(small_text(trees=3), {5: b"nan"}),
    "infinite leaves": with_leaves(small_text(trees=3), {6: b"inf", 10: b"-inf"}),
    "endless": small_text().ljust(untrusted.MAX_BYTES + 1),
    "a classifier": small_text().replace(b"objective=regression", b"objective=binary sigmoid:1"),
    "a ranking": small_text().replace(b"objective=regression", b"objective=lambdarank"),
    "gzip": gzip.compress(small_text()),
    "JSON": b'{"name": "tree", "tree_info": []}',
    "CRLF": small_text().replace(b"\n", b"\r\n"),
    "linear trees": text(train(frame(vector.names(SENSORS)[:3], missing=0.0), linear_tree=True)),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_broken_object_is_refused_once_and_the_last_good_model_goes_on(world: World, body: bytes) -> None:
    world.promote(V1)
    good = world.models.current().served
    put_foreign(world, body)
    assert world.models.current().served is good
    world.reset_calls()
    current = world.models.current()
    assert current.served is good
    assert current.problem is not None
    assert world.model_storage.calls == {"get": 1}  # asked whether it changed, not probed again
    world.promote(V2, seed=1)
    assert version(world) == V2
    assert world.models.current().problem is None


def test_the_good_one_that_comes_back_is_taken_from_memory(world: World) -> None:
    world.promote(V1)
    good = world.models.current().served
    whole = world.registry.storage.get(KEY)
    put_foreign(world, b"gibberish")
    world.models.current()
    world.registry.storage.put(KEY, whole.body, content_type="text/plain", metadata=whole.metadata)
    current = world.models.current()
    assert current.served is good
    assert current.problem is None


def test_a_refused_object_is_read_again_after_a_while(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.promote(V1)
    with monkeypatch.context() as damaged_on_its_way:
        damaged_on_its_way.setattr("monitory.registry.registry.ServedObject.verified", property(lambda self: False))
        with pytest.raises(BrokenModel):
            world.models.current()
    with pytest.raises(BrokenModel, match="not what was promoted"):
        world.models.current()
    monkeypatch.setattr(model, "time", type("time", (), {"monotonic": staticmethod(lambda: 1e12)}))
    assert version(world) == V1


def test_other_bytes_under_a_promotion_s_name_are_refused_before_anything_parses_them(world: World) -> None:
    world.promote(V1)
    blob = world.registry.storage.get(KEY)
    world.registry.storage.put(KEY, blob.body[:-1], content_type="text/plain", metadata=blob.metadata)
    with pytest.raises(BrokenModel, match=f"not what was promoted as {V1}"):
        world.models.current()


def test_a_foreign_model_is_served_without_a_version(world: World) -> None:
    put_foreign(world, small_text(3))
    current = world.models.current().served
    assert (current.version, current.promotion, current.model.card) == (None, None, None)
    assert current.trained_at.startswith("2026-11-20T12:00:0")


def test_a_foreign_model_stays_probed_when_it_was_adopted_as_a_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed: list[bytes] = []
    monkeypatch.setattr("monitory.model.untrusted.check", probed.append)
    foreign = small_text(3)
    put_foreign(world, foreign)
    world.promote(V1)
    assert version(world) == V1
    assert probed == []
    adopted = roll_back(world.registry)
    assert version(world) == adopted
    assert probed == [foreign]


CARDS: list[tuple[str, object]] = [
    ("feature_schema", vector.SCHEMA + 1),
    ("version", V3),
    ("cap_days", -1),
]


@pytest.mark.parametrize(("field", "value"), CARDS)
def test_a_card_that_does_not_fit_keeps_its_model_out(world: World, field: str, value: object) -> None:
    world.promote(V1)
    world.models.current()
    world.store(V2, seed=1, made=card(V2))
    key = f"models/{V2}/{CARD_FILE}"
    broken = {**msgspec.to_builtins(card(V2)), field: value}
    world.registry.storage.put(key, msgspec.json.encode(broken), content_type="application/json")
    promote(world.registry, V2)
    current = world.models.current()
    assert current.served.version == V1
    assert current.problem is not None


def test_a_card_that_cannot_be_read_now_is_tried_again(world: World) -> None:
    world.promote(V1)

    def card_fails(verb: str, key: str) -> None:
        if key.endswith(CARD_FILE):
            down(verb, key)

    world.model_storage.before = card_fails
    with pytest.raises(StorageUnavailable):
        world.models.current()
    world.model_storage.before = lambda verb, key: None
    assert version(world) == V1


def test_a_model_for_another_factory_s_sensors_is_refused(world: World) -> None:
    elsewhere = SensorSet((Sensor("rpm", "speed", "", 0.0, 1.0),))
    names = vector.names(elsewhere)[:3]
    world.store(V1, made=card(V1, sensors=elsewhere, features=names), text=text(train(frame(names))))
    promote(world.registry, V1)
    with pytest.raises(BrokenModel, match="do not exist here: speed"):
        world.models.current()


def test_a_version_that_was_promoted_without_its_card_is_checked_like_a_stranger(world: World) -> None:
    world.registry.store(V1, {MODEL_FILE: (small_text().partition(b"end of trees")[0], "text/plain")})
    promote(world.registry, V1)
    with pytest.raises(ModelError, match="of unknown origin"):
        world.models.current()


def test_many_threads_load_a_new_model_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.promote(V1)
    world.models.current()
    world.promote(V2, seed=1)
    loads: list[ServedObject] = []
    load = world.models._load

    def noted(changed: ServedObject) -> ServedModel:
        loads.append(changed)
        return load(changed)

    monkeypatch.setattr(world.models, "_load", noted)
    with ThreadPoolExecutor(8) as executor:
        versions = list(executor.map(lambda _: version(world), range(40)))
    assert set(versions) == {V2}
    assert len(loads) == 1


def test_whatever_goes_wrong_at_the_start_the_service_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(cache: ModelCache) -> CurrentModel:
        raise ZeroDivisionError

    monkeypatch.setattr(bootstrap, "_storage", lambda bucket, settings: WatchedStorage(bucket))
    settings = PredictSettings(log_level="CRITICAL")
    with monkeypatch.context() as broken:
        broken.setattr(ModelCache, "current", fails)
        service = bootstrap.start(settings).ready()
    with pytest.raises(NoModel):
        service.models.current()

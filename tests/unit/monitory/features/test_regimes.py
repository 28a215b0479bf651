"""Hour rows in terms of the reference regime."""

from math import isnan, nan

import msgspec
import pytest

from monitory.errors import BrokenModel
from monitory.features.hour_row import PER_SENSOR, Columns, HourRow
from monitory.features.regimes import Regime, Regimes
from monitory.model.card import decode_card
from monitory.model.loader import ModelLoader
from monitory.registry.registry import CARD_FILE, MODEL_FILE, Registry
from monitory.sensors import Sensor, SensorSet
from tests.support.fakes import MemoryStorage
from tests.support.models import SENSORS, card, small_text
from tests.support.registries import KEY

FACTORY = SensorSet(
    tuple(Sensor(name, name, "", 0.0, 1e3) for name in ("load", "temperature", "vibration")), operating=("load",)
)
SLOW = Regime((10.0,), (1.0, 1.0), (0.0, 0.0), 300)
FAST = Regime((50.0,), (0.5, 2.0), (-20.0, 3.0), 100)
REGIMES = Regimes(("load",), (20.0,), 0.25, ("temperature", "vibration"), (SLOW, FAST))


def row(load: float, temperature: float = 60.0, count: float = 720.0) -> HourRow:
    """An hour whose vibration is 1.5 ± 0.2."""
    values = [load, load, 0.1, load - 1, load + 1, 0.0, count]
    values += [temperature, temperature, 4.0, temperature - 9, temperature + 9, 0.25, count]
    values += [1.5, 1.5, 0.2, 1.0, 2.0, 0.0, count]
    return HourRow(7, tuple(values))


def named(normalised: HourRow) -> dict[str, float]:
    return dict(zip(Columns(FACTORY).names, normalised.values, strict=True))


def test_an_hour_of_the_reference_regime_stays_as_it_is() -> None:
    assert REGIMES.normalised([row(12.0)], FACTORY) == [row(12.0)]


def test_an_hour_of_another_regime_is_shifted_and_stretched() -> None:
    (found,) = REGIMES.normalised([row(48.0)], FACTORY)
    assert found.hour == 7
    values = named(found)
    assert [values[f"temperature{kind}"] for kind in PER_SENSOR] == [10.0, 10.0, 2.0, 5.5, 14.5, 0.25, 720.0]
    assert [values[f"vibration{kind}"] for kind in PER_SENSOR] == [6.0, 6.0, 0.4, 5.0, 7.0, 0.0, 720.0]
    assert found.values[: len(PER_SENSOR)] == row(48.0).values[: len(PER_SENSOR)]


@pytest.mark.parametrize(
    ("load", "number"), [(5.0, 0), (15.0, 0), (15.1, None), (30.0, None), (45.0, 1), (nan, None), (1e100, None)]
)
def test_the_regime_is_the_nearest_one_within_the_radius(load: float, number: int | None) -> None:
    assert REGIMES.number(row(load), FACTORY) == number


@pytest.mark.parametrize("unknown", [row(30.0), row(nan)], ids=["between", "silent"])
def test_in_an_unknown_regime_sensors_count_as_not_heard(unknown: HourRow) -> None:
    values = named(REGIMES.normalised([unknown], FACTORY)[0])
    gone = {f"{sensor}{kind}" for sensor in ("temperature", "vibration") for kind in PER_SENSOR[:5]}
    assert {name for name, value in values.items() if isnan(value) and not name.startswith("load")} == gone
    assert values["vibration_count"] == 720.0


def test_a_distance_that_is_too_large_to_be_a_number_is_far() -> None:
    tiny = msgspec.structs.replace(REGIMES, spreads=(1e-300,))
    assert tiny.number(row(1e100), FACTORY) is None


def test_a_machine_that_stood_still_tells_nothing() -> None:
    still = HourRow(7, tuple(10.0 if at % len(PER_SENSOR) < 5 else 720.0 for at in range(3 * len(PER_SENSOR))))
    assert isnan(named(REGIMES.normalised([still], FACTORY)[0])["temperature"])


def test_regimes_keep_on_a_card() -> None:
    written = card(regimes=REGIMES, sensors=FACTORY)
    assert decode_card(msgspec.json.encode(written)) == written


@pytest.mark.parametrize(
    "damage",
    [
        {"regimes": [SLOW]},
        {"operating": [], "spreads": []},
        {"spreads": []},
        {"spreads": [0.0]},
        {"radius": -1.0},
        {"sensors": ["temperature"]},
        {"regimes": [SLOW, msgspec.structs.replace(FAST, centre=())]},
        {"regimes": [SLOW, msgspec.structs.replace(FAST, scales=(1.0, -1.0))]},
        {"regimes": [SLOW, msgspec.structs.replace(FAST, offsets=(1.0,))]},
        {"regimes": [SLOW, {**msgspec.to_builtins(FAST), "offsets": [1.0, None]}]},
    ],
    ids=lambda damage: ",".join(damage),
)
def test_damaged_regimes_are_refused_when_the_card_is_read(damage: dict[str, object]) -> None:
    body = msgspec.to_builtins(card())
    body["regimes"] = {**msgspec.to_builtins(REGIMES), **damage}
    with pytest.raises(BrokenModel, match="model card cannot be read"):
        decode_card(msgspec.json.encode(body))


def test_a_model_whose_regimes_are_of_other_sensors_is_not_served() -> None:
    made, registry = card(regimes=REGIMES), Registry(MemoryStorage(), KEY)
    json = "application/json"
    registry.store(made.version, {MODEL_FILE: (small_text(), ""), CARD_FILE: (msgspec.json.encode(made), json)})
    with pytest.raises(BrokenModel, match="sensors that are not in the sensor set"):
        ModelLoader(registry, SENSORS, 30.0).stored(made.version)

"""Sensor sets: the default one, one's own, and those that contradict themselves."""

import json
from pathlib import Path
from typing import Any

import pytest

from monitory.errors import SensorSetError
from monitory.features import hour_row, vector
from monitory.sensors import load

RPM: dict[str, Any] = {"lake_name": "rpm", "name": "speed", "unit": "1/min", "low": 0, "high": 3000}
TORQUE: dict[str, Any] = {"lake_name": "torque", "name": "torque", "unit": "Nm", "low": -5, "high": 5.5}


def written(folder: Path, content: object) -> str:
    path = folder / "sensors.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


def test_the_default_factory_is_the_contract_s() -> None:
    found = {sensor.name: (sensor.lake_name, sensor.low, sensor.high) for sensor in load().sensors}
    assert found == {
        "temperature": ("temp", 41, 101),
        "pressure": ("pressure", 4.6, 66.88),
        "vibration": ("vibration", -0.5, 3.8),
        "humidity": ("humid", 14.5, 85.54),
        "active_power": ("active_power", 0, 168026),
        "reactive_power": ("reactive_power", 0, 86759),
    }


def test_another_factory_is_a_file(tmp_path: Path) -> None:
    sensors = load(written(tmp_path, {"sensors": [RPM, TORQUE]}))
    assert sensors.names == ("speed", "torque")
    assert "speed_rollstd" in hour_row.Columns(sensors).names
    assert "torque_slope_72h" in vector.names(sensors)
    assert sensors.fingerprint() != load().fingerprint()


def test_the_fingerprint_changes_with_whatever_changes(tmp_path: Path) -> None:
    variants: list[dict[str, Any]] = [
        {"sensors": [RPM, TORQUE]},
        {"sensors": [TORQUE, RPM]},
        {"sensors": [{**RPM, "high": 3001}, TORQUE]},
        {"sensors": [{**RPM, "unit": ""}, TORQUE]},
        {"sensors": [{**RPM, "lake_name": "RPM"}, TORQUE]},
        {"sensors": [RPM, TORQUE], "power_factor": {"active": "speed", "reactive": "torque"}},
    ]
    assert len({load(written(tmp_path, variant)).fingerprint() for variant in variants}) == len(variants)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"sensors": []}, "at least one"),
        ({"sensors": [RPM, {**TORQUE, "name": "speed"}]}, "'speed' is given twice"),
        ({"sensors": [RPM, {**TORQUE, "lake_name": "rpm"}]}, "'rpm' is given twice"),
        ({"sensors": [{**RPM, "name": "1st"}]}, "a letter first"),
        ({"sensors": [{**RPM, "name": "a b"}]}, "a letter first"),
        ({"sensors": [{**RPM, "name": "x" * 49}]}, "a letter first"),
        ({"sensors": [{**RPM, "low": 3000}]}, "not below"),
        ({"sensors": [{**RPM, "low": 4000}]}, "not below"),
        ({"sensors": [RPM], "power_factor": {"active": "speed", "reactive": "watts"}}, "'watts'"),
        ({"sensors": [RPM, TORQUE], "operating": ["watts"]}, "'watts'"),
        ({"sensors": [RPM, TORQUE], "operating": ["speed", "speed"]}, "'speed' twice"),
        ({"sensors": [RPM], "operating": ["speed"]}, "none tells of wear"),
        ({"sensors": [RPM, {**TORQUE, "name": "speed_min"}]}, "speed_min"),
        ({"sensors": [RPM, {**TORQUE, "name": "speed_slope_24h"}]}, "speed_slope_24h"),
        ({"sensors": [{**RPM, "name": "power_factor"}]}, "power_factor"),
        ({"sensors": [{**RPM, "name": "equipment"}]}, "equipment"),
        ({"sensors": [{**RPM, "name": "last"}]}, "'last' is that of another column"),
        ({"sensors": [{**RPM, "colour": "red"}]}, "colour"),
        ({"sensors": [{name: value for name, value in RPM.items() if name != "low"}]}, "low"),
        ({"sensors": [{**RPM, "high": "much"}]}, "high"),
        ([RPM], "sensors.json"),
        (b"{", "sensors.json"),
        (b"", "sensors.json"),
        (b'{"sensors": [{"lake_name": "\xff", "name": "a", "unit": "", "low": 0, "high": 1}]}', "sensors.json"),
    ],
)
def test_a_set_that_cannot_be_used_is_refused_in_words(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(SensorSetError, match=said):
        load(written(tmp_path, content))


def test_what_is_an_operating_sensor_leaves_caches_of_hour_rows_alone(tmp_path: Path) -> None:
    plain, operating = ({"sensors": [RPM, TORQUE], "operating": names} for names in ([], ["speed"]))
    assert load(written(tmp_path, plain)).fingerprint() == load(written(tmp_path, operating)).fingerprint()


def test_names_that_merely_look_derived_are_fine(tmp_path: Path) -> None:
    sensors = load(written(tmp_path, {"sensors": [RPM, {**TORQUE, "name": "speed_outer"}]}))
    assert len(set(vector.names(sensors))) == len(vector.names(sensors))


@pytest.mark.parametrize("path", ["missing.json", "."])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, path: str) -> None:
    with pytest.raises(SensorSetError, match=str(tmp_path)):
        load(str(tmp_path / path))

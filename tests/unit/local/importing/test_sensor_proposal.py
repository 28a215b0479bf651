"""The proposed sensor set is one that the service can load."""

from pathlib import Path

import numpy as np

from monitory import sensors
from monitory_local.importing.sensor_proposal import ValueSample, as_json, propose, write


def sample(values: "np.typing.NDArray[np.float64]") -> ValueSample:
    result = ValueSample()
    for part in np.array_split(values, 7):
        result.add(part)
    return result


def test_a_proposal_holds_nearly_all_values_and_loads(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    values = {
        "Temp [°C]": draw.normal(70, 2, 100_000),
        "temp_max": draw.normal(80, 2, 100),
        "온도": draw.normal(1e9, 1, 1000),
        "power_factor": np.full(50, 0.0),
        "3rd": np.array([5.0]),
        "Last": draw.normal(60, 5, 1000),
        "Öldruck": draw.normal(5, 0.1, 1000),
    }
    proposal = propose({name: sample(series) for name, series in values.items()})
    (tmp_path / "sensors.json").write_text(as_json(proposal), encoding="utf-8")
    loaded = sensors.load(str(tmp_path / "sensors.json"))
    assert [sensor.lake_name for sensor in loaded.sensors] == list(values)
    names = ["temp_c", "temp_max", "sensor_3", "sensor_4", "sensor_5", "sensor_6", "oldruck"]
    assert [sensor.name for sensor in loaded.sensors] == names
    for sensor in loaded.sensors:
        inside = (values[sensor.lake_name] > sensor.low) & (values[sensor.lake_name] < sensor.high)
        assert inside.mean() > 0.98


def test_a_sample_is_uniform_and_of_bounded_size() -> None:
    low, middle, high = sample(np.arange(200_000, dtype=np.float64)).quantiles()
    assert abs(middle - 100_000) < 3_000
    assert low < 3_000
    assert high > 197_000


def test_a_proposal_replaces_no_other_one(tmp_path: Path) -> None:
    first, second = (propose({name: sample(np.arange(100.0))}) for name in ("temp", "load"))
    path = tmp_path / "new" / "sensors.proposed.json"
    assert write(first, path) == write(first, path) == path
    other = write(second, path)
    assert other == write(second, path) != path
    assert sensors.load(str(path)).names == ("temp",)
    assert sensors.load(str(other)).names == ("load",)

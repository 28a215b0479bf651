"""A sensor set proposed for what was imported: names, and limits from quantiles. Somebody has to look at it."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monitory.errors import SensorSetError
from monitory.sensors import Sensor, SensorSet

_SAMPLE = 20_000
_QUANTILES = (0.005, 0.5, 0.995)
_MARGIN = 0.1
"""How far beyond the quantiles the proposed limits lie, as a share of the span between them."""


class ValueSample:
    """A uniform sample of a sensor's values, of bounded size (reservoir sampling, Vitter 1985, algorithm R)."""

    def __init__(self, seed: int = 0) -> None:
        """An empty sample."""
        self._values: npt.NDArray[np.float64] = np.empty(_SAMPLE)
        self._random = np.random.default_rng(seed)
        self.count = 0

    def add(self, values: npt.NDArray[np.float64]) -> None:
        """Take values into account."""
        free = max(0, min(_SAMPLE - self.count, len(values)))
        self._values[self.count : self.count + free] = values[:free]
        rest = values[free:]
        places = self._random.integers(0, self.count + free + 1 + np.arange(len(rest)))
        chosen = places < _SAMPLE
        self._values[places[chosen]] = rest[chosen]
        self.count += len(values)

    def quantiles(self) -> tuple[float, float, float]:
        """Two outer quantiles and the median between them."""
        low, middle, high = np.quantile(self._values[: min(self.count, _SAMPLE)], _QUANTILES)
        return float(low), float(middle), float(high)


def propose(samples: Mapping[str, ValueSample]) -> SensorSet:
    """A sensor set for sensors by lake name: what lies beyond nearly all values is proposed as outside."""
    sensors: list[Sensor] = []
    for number, (lake_name, sample) in enumerate(samples.items(), start=1):
        low, middle, high = sample.quantiles()
        margin = _MARGIN * (high - low) or max(abs(middle) * _MARGIN, 1e-6)
        exact = (low - margin, middle, high + margin)
        low, middle, high = (_rounded(value) for value in exact)
        if not low < middle < high:
            low, middle, high = exact
        name = _feature_name(lake_name)
        sensor = Sensor(lake_name, name, "", low, high, normal=middle)
        if not _fits(sensors, sensor):
            sensor = Sensor(lake_name, f"sensor_{number}", "", low, high, normal=middle)
        sensors.append(sensor)
    return SensorSet(tuple(sensors))


def write(sensors: SensorSet, path: Path) -> Path:
    """Write a sensor set's file; where another one lies, somebody may use it, so the name gets a number. Returns it."""
    text, number, free = as_json(sensors), 1, path
    while free.exists() and free.read_text(encoding="utf-8") != text:
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    free.parent.mkdir(parents=True, exist_ok=True)
    free.write_text(text, encoding="utf-8")
    return free


def as_json(sensors: SensorSet) -> str:
    """A sensor set as its file, a sensor a line."""
    lines: list[str] = []
    for sensor in sensors.sensors:
        fields: dict[str, Any] = {
            name: getattr(sensor, name) for name in ("lake_name", "name", "unit", "low", "high", "normal")
        }
        lines.append("    " + json.dumps(fields, ensure_ascii=False))
    return '{\n  "sensors": [\n' + ",\n".join(lines) + "\n  ]\n}\n"


def _feature_name(lake_name: str) -> str:
    """A sensor's name in lower case, without accents, with an underscore for what a feature's name may not have."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", lake_name.lower()) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40]


def _fits(sensors: Sequence[Sensor], sensor: Sensor) -> bool:
    try:
        SensorSet((*sensors, sensor))
    except SensorSetError:
        return False
    return True


def _rounded(value: float) -> float:
    """Six significant digits: more would pretend to know."""
    return float(f"{value:.6g}")

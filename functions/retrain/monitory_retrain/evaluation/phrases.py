"""Features and figures in an operator's words."""

import re

from monitory.features.vector import sensor_of
from monitory.sensors import SensorSet

_WINDOWED = re.compile(r"_(mean|std|slope)_(\d+)h")
_KINDS = {"mean": "mean", "std": "standard deviation", "slope": "trend"}
_SNAPSHOTS = {
    "": "hourly mean",
    "_rollmean": "mean over five readings",
    "_rollstd": "scatter over five readings",
}


def about(feature: str, sensors: SensorSet) -> tuple[str, str]:
    """What of its sensor a feature tells, and its unit.

    >>> from monitory.sensors import load
    >>> about("vibration_slope_72h", load())[0]
    '72-hour trend'
    """
    owner = sensor_of(feature, sensors)
    unit = next((sensor.unit for sensor in sensors.sensors if sensor.name == owner), "")
    rest = feature.removeprefix(owner)
    windowed = _WINDOWED.fullmatch(rest)
    if windowed:
        kind, hours = windowed.groups()
        return f"{hours}-hour {_KINDS[kind]}", f"{unit} per hour".strip() if kind == "slope" else unit
    return _SNAPSHOTS.get(rest, feature), unit


def figure(value: float | None, unit: str = "") -> str:
    """A figure with three significant digits and its unit; `none` without a value.

    >>> figure(53237.4, "W"), figure(-0.01234), figure(None)
    ('53,200 W', '-0.0123', 'none')
    """
    if value is None:
        return "none"
    rounded = float(f"{value:.3g}")
    text = f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:.3g}"
    return f"{text} {unit}".strip()

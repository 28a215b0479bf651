"""Which sensors a factory has: data, not code.

A sensor set is a JSON file; the one in this package describes the default factory. `SENSORS_FILE` names
another one.
"""

import hashlib
import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path

import msgspec

from monitory.errors import UNDECODABLE, SensorSetError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,47}")
_DERIVED = re.compile(r"_(rollmean|rollstd|min|max|outside|count|(mean|std|slope)_\d+h)$")
SENTINELS = frozenset(
    {-999.0, -9999.0, -99999.0, -999.9, -9999.9, 9999.0, 99999.0, 32767.0, -32768.0, 65535.0, 1e20, -1e20}
)
"""Numbers that devices send for "no value"; they count as such only beyond a sensor's alert limits."""

_PLAUSIBLE_SPANS = 10
"""How far beyond its alert limits, in spans of them, a value is plausible if a sensor gives no range."""

MAX_REMEMBERED = 256
"""Names of sensors outside the set, with what they resemble."""

_COMPUTED = frozenset({"equipment", "hours_since_failure", "power_factor", "limit_share", "days_to_limit"})
_COLUMNS = frozenset({"zone_id", "equip_id", "hour", "readings", "last"})
"""Columns beside the sensors' in stored hour rows."""


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of sensor.

    Attributes:
        lake_name: its `sensorType` in the lake.
        name: its name as a feature of models.
        unit: the unit of its values, for people; may be empty.
        low: lower alert limit, in the sensor's unit. A reading below it counts as outside.
        high: upper alert limit. A reading above it counts as outside.
        plausible: the smallest and the largest possible value, wider than the alert limits. Readings beyond are
            the sensor's fault, not the machine's, and are rejected. None: ten spans of the alert limits beyond them.
        normal: what a healthy machine's sensor reads on average; None for the middle between the limits.
    """

    lake_name: str
    name: str
    unit: str
    low: float
    high: float
    plausible: tuple[float, float] | None = None

    @property
    def plausible_range(self) -> tuple[float, float]:
        """The smallest and the largest plausible value."""
        margin = _PLAUSIBLE_SPANS * (self.high - self.low)
        return self.plausible or (self.low - margin, self.high + margin)

    def is_plausible(self, value: float) -> bool:
        """Whether a value lies in the plausible range and is no sentinel beyond the alert limits."""
        if self.low <= value <= self.high:
            return True
        low, high = self.plausible_range
        return low <= value <= high and value not in SENTINELS

    normal: float | None = None

    @property
    def usual(self) -> float:
        """What a healthy machine's sensor reads: `normal`, or the middle between the limits."""
        return self.normal if self.normal is not None else (self.low + self.high) / 2


class PowerFactor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The feature names of the sensors that give active (P) and reactive (Q) power."""

    active: str
    reactive: str


class SensorSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """The sensors of a factory.

    Attributes:
        sensors: in the order in which features are listed.
        power_factor: the sensors that it is computed from, if it is a feature.
        operating: names of sensors that say at which set point a machine runs (load, speed, altitude), not how worn
            it is; see `regimes`.
    """

    sensors: tuple[Sensor, ...]
    power_factor: PowerFactor | None = None
    operating: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Validate the set.

        Raises:
            SensorSetError: no sensor, or none but operating ones; a name that is unusable, given twice, unknown, or
                that of a computed feature or another column; limits in disorder.
        """
        if not self.sensors:
            raise SensorSetError("a sensor set needs at least one sensor")
        names = [sensor.name for sensor in self.sensors]
        for what, values in (("name", names), ("lake_name", [s.lake_name for s in self.sensors])):
            for value in values:
                if values.count(value) > 1:
                    raise SensorSetError(f"{what} {value!r} is given twice")
        for sensor in self.sensors:
            if not _NAME.fullmatch(sensor.name):
                raise SensorSetError(f"name {sensor.name!r} must be letters, digits and _, a letter first")
            if sensor.name in _COLUMNS:
                raise SensorSetError(f"name {sensor.name!r} is that of another column of hour rows: choose another")
            if sensor.name in _COMPUTED or _DERIVED.sub("", sensor.name) in set(names) - {sensor.name}:
                raise SensorSetError(f"name {sensor.name!r} is that of a feature which is computed from others")
            if not sensor.low < sensor.high:
                raise SensorSetError(f"sensor {sensor.name!r}: low {sensor.low} is not below high {sensor.high}")
            low, high = sensor.plausible_range
            if not (low <= sensor.low and sensor.high <= high):
                raise SensorSetError(
                    f"sensor {sensor.name!r}: plausible [{low:g}, {high:g}] must be wider than its alert limits "
                    f"{sensor.low:g} to {sensor.high:g}"
                )
            if not sensor.low < sensor.usual < sensor.high:
                raise SensorSetError(f"sensor {sensor.name!r}: normal {sensor.normal} is not between its limits")
        if self.power_factor:
            for name in (self.power_factor.active, self.power_factor.reactive):
                if name not in names:
                    raise SensorSetError(f"power_factor names {name!r}, which is no sensor of the set")
        for name in self.operating:
            if name not in names:
                raise SensorSetError(f"operating names {name!r}, which is no sensor of the set")
            if self.operating.count(name) > 1:
                raise SensorSetError(f"operating names {name!r} twice")
        if len(self.operating) == len(names):
            raise SensorSetError("all sensors are operating ones, so none tells of wear")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The sensors' feature names, in order."""
        return tuple(sensor.name for sensor in self.sensors)

    def resembling(self, name: str) -> str | None:
        """The lake name that an unknown one may mean: it differs by case, style or a letter, or is a feature's name."""
        return self._resembling(name)

    @cached_property
    def _resembling(self) -> Callable[[str], str | None]:
        """`resembling`, remembered: most objects have the same few unknown names."""
        return lru_cache(maxsize=MAX_REMEMBERED)(self._nearest)

    def _nearest(self, name: str) -> str | None:
        if same := self._plain_names.get(_plain(name)):
            return same
        return next(iter(get_close_matches(name.lower(), self._plain_names.values(), 1, 0.8)), None)

    @cached_property
    def _plain_names(self) -> dict[str, str]:
        return {_plain(name): sensor.lake_name for sensor in self.sensors for name in (sensor.name, sensor.lake_name)}

    def fingerprint(self) -> str:
        """Eight hex digits that change whenever anything changes that hour rows depend on."""
        fields = ("lake_name", "name", "unit", "low", "high")  # what is normal is no part of hour rows
        sensors = [{field: getattr(sensor, field) for field in fields} for sensor in self.sensors]
        content = {"sensors": sensors, "power_factor": self.power_factor}
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:8]


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


class _File(SensorSet, frozen=True, forbid_unknown_fields=True, dict=True):
    """A file with a sensor set; `lake` is the shape of the lake, see `layout`."""

    lake: msgspec.Raw = msgspec.Raw()


def load(path: str | None = None) -> SensorSet:
    """The sensor set in a JSON file, or the default factory's when no path is given.

    Args:
        path: the file; a name without a folder is that of a file in this package, which every artifact carries.

    Raises:
        SensorSetError: the file cannot be read, or is no valid sensor set.
    """
    file = _read(path)
    return SensorSet(file.sensors, file.power_factor, file.operating)


def lake_section(path: str | None = None) -> bytes:
    """What a sensor set's file says of the lake's shape, in JSON; empty where it says nothing.

    Raises:
        SensorSetError: as in `load`.
    """
    return bytes(_read(path).lake)


def locate(file: str) -> Path:
    """The path of a file that a setting names: as it is where it has a slash, otherwise in this package."""
    return Path(file) if "/" in file else Path(__file__).parent / file


def _read(path: str | None) -> _File:
    try:
        file = path or "sensors.json"
        text = locate(file).read_bytes()
        return msgspec.json.decode(text, type=_File)
    except OSError as exc:
        raise SensorSetError(f"SENSORS_FILE: sensor set {path}: {exc.strerror or exc}") from exc
    except UNDECODABLE as exc:
        raise SensorSetError(f"SENSORS_FILE: sensor set {path or 'of the package'}: {exc}") from exc

"""What each sensor of the simulated factory reads: means, deviations, limits and how wear moves them."""

from dataclasses import dataclass
from functools import cache

from monitory import sensors


@dataclass(frozen=True)
class Signal:
    """One sensor kind of the factory; values in the sensor's unit.

    Attributes:
        lake_name: `sensorType` in the lake.
        name: the feature name.
        code: three letters within sensor ids.
        mean: what a healthy machine's sensor reverts to.
        deviation: standard deviation of single readings around it.
        low: lower alert limit.
        high: upper alert limit.
        floor: least value that the sensor can show.
        ceiling: greatest value that the sensor can show; spikes lie at 80 to 100 % of it.
        decimals: digits that the producer writes.
        at_rest: what it reads while the machine is off and the sensor goes on.
    """

    lake_name: str
    name: str
    code: str
    mean: float
    deviation: float
    low: float
    high: float
    floor: float
    ceiling: float
    decimals: int
    at_rest: float


@dataclass(frozen=True)
class Mode:
    """A way in which machines wear out.

    Attributes:
        name: for people.
        worn: feature name of the sensor that it drives to its limit.
        upwards: to which limit.
        also: another sensor that moves along, and by which share of the first one's drift; or none.
    """

    name: str
    worn: str
    upwards: bool = True
    also: tuple[str, float] | None = None

    def __str__(self) -> str:
        """Name and mark in words."""
        along = f", {self.also[0]} {self.also[1]:.0%} as far" if self.also else ""
        return f"{self.name}: {self.worn} {'rises' if self.upwards else 'falls'} to its limit{along}"


MODES = (
    Mode("bearing", "vibration", also=("temperature", 0.3)),
    Mode("cooling", "temperature"),
    Mode("leak", "pressure", upwards=False),
    Mode("insulation", "reactive_power", also=("active_power", 0.35)),
    Mode("overload", "active_power", also=("temperature", 0.25)),
    Mode("seal", "humidity"),
)

EXTRA_TYPES = ("current", "dust", "voc")
"""Sensor types that the producer writes and nobody asked for."""

# lake name: (code, mean, deviation, floor, ceiling, decimals, at rest). A ceiling 25 % above the alert limit puts
# every spike outside of it, but for humidity, which ends at 100 %.
_READINGS = {
    "temp": ("TEM", 71.0, 10.0, -40.0, 126.25, 2, 47.0),
    "humid": ("HUM", 50.0, 12.0, 0.0, 100.0, 2, 50.0),
    "vibration": ("VIB", 1.61, 0.73, -1.0, 4.75, 3, 0.02),
    "pressure": ("PRE", 35.74, 10.38, 0.0, 83.6, 2, 35.74),
    "active_power": ("ACP", 53237.0, 38263.0, 0.0, 210032.5, 2, 12.0),
    "reactive_power": ("REP", 29018.0, 19247.0, 0.0, 108448.75, 2, 4.0),
}


@cache
def default_signals() -> tuple[Signal, ...]:
    """The signals of the default sensor set, which says their names and alert limits."""
    signals = []
    for sensor in sensors.load().sensors:
        code, mean, deviation, floor, ceiling, decimals, at_rest = _READINGS[sensor.lake_name]
        signals.append(
            Signal(
                lake_name=sensor.lake_name,
                name=sensor.name,
                code=code,
                mean=mean,
                deviation=deviation,
                low=sensor.low,
                high=sensor.high,
                floor=floor,
                ceiling=ceiling,
                decimals=decimals,
                at_rest=at_rest,
            )
        )
    return tuple(signals)

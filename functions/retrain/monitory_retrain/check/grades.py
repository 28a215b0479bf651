"""How much each sensor can tell of its machines, from the sample."""

from collections.abc import Mapping, Sequence
from math import exp
from typing import NamedTuple

import msgspec
import numpy as np

from monitory.features.hour_row import ENOUGH_READINGS, Columns
from monitory.machine import Machine
from monitory.sensors import SENTINELS, Sensor, SensorSet
from monitory_retrain.array_types import Floats
from monitory_retrain.check.sampling import SensorSample
from monitory_retrain.dataset.hour_table import HourTable

HIGH, MEDIUM, LOW = "high", "medium", "low"

COARSE_VALUES = 10
COARSE_READINGS = 200
MIN_RUNS = 3
_HOURS_AT_AN_END = 6
_GAP_IN_DEVIATIONS = 4.0
_MONOTONE = 0.98


class SensorGrade(msgspec.Struct, frozen=True):
    """What a sensor is worth.

    Attributes:
        sensor: its name in the lake.
        grade: high, medium or low.
        reasons: why it is not high, each with what to do.
        readings_an_hour: the median of hours with any; None without.
        missing: share of hours without a reading.
        prognosability: 0..1, see `prognosability`; None with too few runs to failure.
        low, high: 1st and 99th percentile of readings.
        sentinels: readings that are sentinels, by value.
        plausible: a proposed plausible range; None where too few readings tell of it.
    """

    sensor: str
    grade: str
    reasons: list[str]
    readings_an_hour: float | None
    missing: float
    prognosability: float | None
    low: float | None
    high: float | None
    sentinels: dict[str, int]
    plausible: tuple[float, float] | None


class _Hours(NamedTuple):
    mean: Floats
    low: Floats
    high: Floats
    readings: Floats


def grade(
    table: HourTable, sensors: SensorSet, raw: Mapping[str, SensorSample], failures: Mapping[Machine, Sequence[int]]
) -> list[SensorGrade]:
    """The grades of a sensor set's sensors."""
    columns = Columns(sensors)
    grades = []
    for sensor in sensors.sensors:
        picks = [table.values[:, columns.index(sensor.name, name)] for name in ("mean", "min", "max", "count")]
        grades.append(_grade(sensor, _Hours(*picks), table, raw.get(sensor.lake_name), failures))
    return grades


def _grade(
    sensor: Sensor,
    hours: _Hours,
    table: HourTable,
    sample: SensorSample | None,
    failures: Mapping[Machine, Sequence[int]],
) -> SensorGrade:
    heard = hours.readings > 0
    missing = float(1 - heard.mean()) if len(heard) else 1.0
    values = np.array(sample.values if sample else [])
    usual = values[np.isin(values, list(SENTINELS), invert=True) | ((values >= sensor.low) & (values <= sensor.high))]
    sentinels = {
        f"{value:g}": int(count)
        for value, count in zip(*np.unique(values, return_counts=True), strict=True)
        if value in SENTINELS and not sensor.low <= value <= sensor.high
    }
    low: list[str] = []
    medium: list[str] = []
    if missing > 0.5:
        low.append(f"silent in {missing:.0%} of the hours: is it mounted everywhere, and named {sensor.lake_name!r}?")
    elif missing > 0.05:
        medium.append(f"silent in {missing:.0%} of the hours: look for lost messages")
    enough = heard & (hours.readings >= ENOUGH_READINGS)
    flat = float((hours.low[enough] == hours.high[enough]).mean()) if enough.any() else 0.0
    if flat > 0.5:
        low.append(f"flat in {flat:.0%} of the hours: is it stuck, or its value rounded away?")
    if len(usual) >= COARSE_READINGS and len(np.unique(usual)) <= COARSE_VALUES:
        medium.append(f"only {len(np.unique(usual))} different values: write it with more digits")
    if sentinels:
        medium.append(f"sends {', '.join(sentinels)} for no value: let the writer leave such readings out")
    if _has_set_points(hours.mean[heard]):
        medium.append('lies at several levels: name the sensor of the set point under "operating" in the sensor set')
    if _is_monotone(hours.mean, table):
        medium.append("only rises or only falls: a counter? send its rate instead")
    if len(usual) >= COARSE_READINGS and float(((usual < sensor.low) | (usual > sensor.high)).mean()) > 0.5:
        low.append(f"mostly beyond its alert limits {sensor.low:g} to {sensor.high:g}: check unit and limits")
    tells = prognosability(hours.mean, table, failures)
    ends = np.quantile(usual, (0.01, 0.99)).tolist() if len(usual) else (None, None)
    return SensorGrade(
        sensor.lake_name,
        LOW if low else MEDIUM if medium else HIGH,
        [*low, *medium],
        float(np.median(hours.readings[heard])) if heard.any() else None,
        missing,
        tells,
        ends[0],
        ends[1],
        sentinels,
        _plausible(sensor, usual),
    )


def prognosability(mean: Floats, table: HourTable, failures: Mapping[Machine, Sequence[int]]) -> float | None:
    """How alike a sensor's values at failures are, against how far runs take them: exp(-std(end) / mean |end - start|).

    1 says that failures come at one value, 0 that its value tells nothing. Coble and Hines, "Identifying optimal
    prognostic parameters from data: a genetic algorithms approach", PHM Society 2009.
    """
    starts: list[float] = []
    ends: list[float] = []
    for machine, rows in table.slices():
        hours, values = table.hour[rows], mean[rows]
        begin = int(hours[0])
        for failure in failures.get(machine, ()):
            run = values[(hours >= begin) & (hours < failure)]
            run = run[~np.isnan(run)]
            if len(run) >= 4 * _HOURS_AT_AN_END:
                starts.append(float(run[:_HOURS_AT_AN_END].mean()))
                ends.append(float(run[-_HOURS_AT_AN_END:].mean()))
            begin = failure + 1
    if len(ends) < MIN_RUNS:
        return None
    path = float(np.abs(np.array(ends) - np.array(starts)).mean())
    return exp(-float(np.std(ends)) / path) if path > 0 else 0.0


def _has_set_points(means: Floats) -> bool:
    """Whether hourly means lie in two groups, each a seventh of them or more, with a wide gap between."""
    ordered = np.sort(means)
    margin = len(ordered) // 7
    if margin < 10:
        return False
    steps = np.diff(ordered)[margin:-margin]
    cut = margin + int(steps.argmax()) + 1
    within = max(float(ordered[:cut].std()), float(ordered[cut:].std()))
    return float(steps.max()) > _GAP_IN_DEVIATIONS * within > 0


def _is_monotone(mean: Floats, table: HourTable) -> bool:
    shares = []
    for _, rows in table.slices():
        steps = np.diff(mean[rows][~np.isnan(mean[rows])])
        if len(steps) >= 48 and (steps != 0).any():
            shares.append(max(float((steps >= 0).mean()), float((steps <= 0).mean())))
    return bool(shares) and min(shares) >= _MONOTONE


def _plausible(sensor: Sensor, usual: Floats) -> tuple[float, float] | None:
    """The readings and their spread beyond them, no narrower than the alert limits."""
    if len(usual) < COARSE_READINGS:
        return None
    low, high = np.quantile(usual, (0.001, 0.999)).tolist()
    margin = high - low
    return float(f"{min(sensor.low, low - margin):.3g}"), float(f"{max(sensor.high, high + margin):.3g}")

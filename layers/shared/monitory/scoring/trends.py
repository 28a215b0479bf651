"""Trends: what each machine was predicted over the last month, a point every six hours.

    state/trends/<lake>.json.gz

`<lake>` is the lake's fingerprint. The prediction log has every hour, but an hour of it is one object about all
machines: a month of a machine would be 720 requests. The score function adds a point a machine when its newest hour
reaches another six hours, before it writes the fleet state: a run that dies in between is repeated from there, and adds
the same points. The fleet state has the points of the last day besides, so what one write could not add the next one
does. Trends that are gone or damaged are made again from the prediction log.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from monitory.errors import UNDECODABLE, StorageError, StorageUnavailable
from monitory.scoring import prediction_log
from monitory.scoring.prediction_log import LogLine
from monitory.scoring.stored_answer import StoredInterval, StoredShare, shortening
from monitory.storage.port import Storage
from monitory.storage.state_object import StateObject

FOLDER = "state/trends/"

SLOT_HOURS = 6
"""Hours of the factory's clock that share a point, counted from midnight."""

KEEP_HOURS = 30 * 24


class TrendPoint(msgspec.Struct, frozen=True, array_like=True):
    """What was predicted from an hour of readings. Stored as a list.

    Attributes:
        hour: see `clock`.
        days: of remaining useful life, two decimals, as the other days.
        low, high: ends of the interval; None without one, and for an end at the cap.
        driver: the sensor that takes the most days; empty without one.
        driver_days: that it adds, a negative number; 0 without one.
    """

    hour: int
    days: float
    low: float | None = None
    high: float | None = None
    driver: str = ""
    driver_days: float = 0.0

    @property
    def slot(self) -> int:
        """Which six hours it stands for."""
        return self.hour // SLOT_HOURS


class _Line(LogLine, frozen=True):
    predictions: tuple[float]
    interval: StoredInterval | None = None
    drivers: tuple[StoredShare, ...] = ()


def point(
    hour: int, days: float, ends: tuple[float, float | None] | None, drivers: Iterable[StoredShare]
) -> TrendPoint:
    """The point of an answer.

    Args:
        hour: see `clock`.
        days: predicted.
        ends: of the interval, None without one.
        drivers: the largest effect first.
    """
    low, high = ends or (None, None)
    driver = next(iter(shortening(drivers)), None)
    sensor, added = (driver.sensor, round(driver.days, 2)) if driver else ("", 0.0)
    return TrendPoint(hour, round(days, 2), low, high, sensor, added)


def read_log(storage: Storage, lake: str, hour: int) -> dict[str, TrendPoint]:
    """The points of an hour of the prediction log, by machine; none where it has no such hour, or a damaged one.

    Raises:
        StorageUnavailable: the store failed.
    """
    points = {}
    try:
        for line in prediction_log.read(storage, lake, hour):
            answer = msgspec.json.decode(line, type=_Line)
            ends = (answer.interval.low, answer.interval.high) if answer.interval else None
            points[str(answer.machine)] = point(hour, answer.predictions[0], ends, answer.drivers)
    except StorageUnavailable:
        raise
    except (StorageError, *UNDECODABLE):
        return {}
    return points


class Trends(msgspec.Struct, frozen=True):
    """The trends of all machines. The field names are the stored format.

    Attributes:
        machines: a list of `TrendPoint` each, ascending, by `<zoneId>/<equipId>`; decoded one by one, for few of them
            are asked for.
    """

    machines: dict[str, msgspec.Raw] = {}

    def points(self, name: str, since: int = 0) -> tuple[TrendPoint, ...]:
        """The points of a machine from an hour on; none where there is no such machine, or its points are damaged."""
        raw = self.machines.get(name)
        if raw is None:
            return ()
        try:
            points = _POINTS.decode(raw)
        except UNDECODABLE:
            return ()
        return tuple(point for point in points if point.hour >= since)


_POINTS = msgspec.json.Decoder(tuple[TrendPoint, ...])


def state_object(lake: str) -> StateObject[Trends]:
    """The object with the trends of a lake, given by its fingerprint."""
    return StateObject(f"{FOLDER}{lake}.json.gz", Trends)


def add(
    storage: Storage,
    lake: str,
    points: Mapping[str, Sequence[TrendPoint]],
    hour: int,
    earlier: Callable[[], Iterable[Mapping[str, TrendPoint]]] = tuple,
) -> None:
    """Add points to the trends of a lake.

    Args:
        storage: the model bucket.
        lake: the lake's fingerprint.
        points: by machine; those that are there already change nothing.
        hour: the present one, see `clock`: points older than `KEEP_HOURS` are left out.
        earlier: called where there are no usable trends: what the prediction log has of them, by hour.

    Raises:
        StorageUnavailable: the store failed, or other writers were faster every time.
    """

    def extended(stored: Trends) -> Trends:
        return merge(stored if stored.machines else _gathered(earlier(), hour), points, hour)

    state_object(lake).update(storage, extended)


def _gathered(hours: Iterable[Mapping[str, TrendPoint]], hour: int) -> Trends:
    points: defaultdict[str, list[TrendPoint]] = defaultdict(list)
    for of_hour in hours:
        for name, one in of_hour.items():
            points[name].append(one)
    return merge(Trends(), points, hour)


def merge(stored: Trends, points: Mapping[str, Sequence[TrendPoint]], hour: int) -> Trends:
    """Trends with more points; machines without a point in the last `KEEP_HOURS` are left out.

    Args:
        stored: the trends; another run may have written them since this one began.
        points: by machine.
        hour: the present one, see `clock`.
    """
    first = hour - KEEP_HOURS
    machines = {}
    for name in sorted({*stored.machines, *points}):
        series = thinned((*stored.points(name, first), *(one for one in points.get(name, ()) if one.hour >= first)))
        if series:
            machines[name] = msgspec.Raw(msgspec.json.encode(series))
    return Trends(machines)


def thinned(points: Iterable[TrendPoint]) -> tuple[TrendPoint, ...]:
    """One point for each six hours, ascending: the earliest; of two about an hour the later one in order.

    >>> [point.hour for point in thinned([TrendPoint(7, 4.0), TrendPoint(13, 3.8), TrendPoint(6, 4.1)])]
    [6, 13]
    """
    by_slot: dict[int, TrendPoint] = {}
    for point in points:
        there = by_slot.get(point.slot)
        if there is None or point.hour <= there.hour:
            by_slot[point.slot] = point
    return tuple(by_slot[slot] for slot in sorted(by_slot))

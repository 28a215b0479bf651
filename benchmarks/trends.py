"""The trends of many machines: bytes, and what it costs to add a point to each, to read them, and to show a page.

    python -m benchmarks.trends [--machines 1000]

Every machine has a month of points that wander at random, which compress worse than real ones. The score function adds
a point to each every six hours; predict reads them once after that, and afterwards asks whether they have changed. Its
memory is the largest that the process had, Python and libraries included.
"""

import argparse
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

import msgspec

from benchmarks import stage
from benchmarks.sides import Memory, Side, say
from monitory import clock, sensors
from monitory.scoring import trends
from monitory.scoring.fleet import FleetState, HourAnswer, MachineState
from monitory.scoring.trends import KEEP_HOURS, SLOT_HOURS, TrendPoint
from monitory_predict.cache.state import StateCache
from monitory_predict.views.fleet_page import FleetQuery, fleet_page

_LAKE = "1a2b3c4d"
_NEWEST = stage.START + KEEP_HOURS
_NOW = clock.hour_start(_NEWEST + 1).replace(minute=10)
_MAX_AGE = timedelta(hours=3)


class Writer:
    """The score function's part."""

    def __init__(self, bucket: str, machines: int) -> None:
        """A month of each machine is there but for the newest six hours."""
        self._storage = stage.bucket(bucket)
        first = _NEWEST - KEEP_HOURS + SLOT_HOURS
        month = {name: wander(name, range(first, _NEWEST, SLOT_HOURS)) for name in names(machines)}
        trends.add(self._storage, _LAKE, month, _NEWEST)
        # the points of a day, as the fleet state has them
        self._points = {name: (*points[-3:], wander(name, [_NEWEST])[0]) for name, points in month.items()}

    def add(self) -> int:
        """Add a point to each; returns the object's bytes."""
        trends.add(self._storage, _LAKE, self._points, _NEWEST)
        return len(self._storage.get(trends.state_object(_LAKE).key).body)


class Reader:
    """The predict function's part."""

    def __init__(self, bucket: str, machines: int) -> None:
        """A warm sandbox with the fleet state in memory."""
        self._cache = StateCache(stage.bucket(bucket), trends.state_object(_LAKE))
        states = {name: msgspec.Raw(msgspec.json.encode(state(name))) for name in names(machines)}
        self._fleet = FleetState(since=1, scored_at=_NOW, machines=states)

    def read(self) -> int:
        """Read the trends; returns for how many machines there are any."""
        return len(self._cache.current().value.machines)

    def page(self, limit: int, with_trend: bool) -> int:
        """A page of the fleet; returns the bytes of the answer."""
        query = FleetQuery(limit=limit, with_trend=with_trend)
        kept = self._cache.current().value if with_trend else None
        return len(fleet_page(self._fleet, query, _NOW, _MAX_AGE, stage.CAP_DAYS, kept).model_dump_json())


def main() -> None:
    """Measure."""
    name = "python -m benchmarks.trends"
    parser = argparse.ArgumentParser(prog=name, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, default=1000, help="of the factory (%(default)s)")
    machines: int = parser.parse_args().machines
    with stage.buckets() as (_, bucket):
        with Side(Writer, bucket, machines) as writer, Memory(writer.pid) as memory:
            added = writer.call("add")
        say("trends, a point added to each", machines=machines, mb=added.result / 1e6, cpu_s=added.cpu, **_peak(memory))
        with Side(Reader, bucket, machines) as reader, Memory(reader.pid) as memory:
            first, again = reader.call("read"), reader.call("read")
            if first.result != machines:
                raise RuntimeError(f"{first.result} machines have a trend, not {machines}")
            reader.call("page", 1, True)
            pages = {with_trend: reader.call("page", 50, with_trend) for with_trend in (False, True)}
        say("trends, read", machines=machines, cpu_s=first.cpu, unchanged_cpu_s=again.cpu, **_peak(memory))
        for with_trend, page in pages.items():
            say(
                f"a page of 50 machines {'with' if with_trend else 'without'} trends",
                machines=machines,
                kb=page.result / 1e3,
                cpu_s=page.cpu,
            )


def _peak(memory: Memory) -> dict[str, float]:
    return {"peak_mb": memory.peak / 2**20}


def names(machines: int) -> Iterator[str]:
    """Machines in zones of 50."""
    return (f"ZONE-{number // 50 + 1:03}/EQUIP-{number + 1:05}" for number in range(machines))


def wander(name: str, hours: range | list[int]) -> tuple[TrendPoint, ...]:
    """A machine's points in some hours."""
    draw, sensor_names = Random(name), sensors.load().names
    days = draw.uniform(1.0, 30.0)
    points = []
    for hour in hours:
        days = min(max(days + draw.gauss(0.0, 0.6), 0.2), 30.0)
        high = round(1.3 * days, 2) if 1.3 * days < stage.CAP_DAYS else None
        sensor, added = draw.choice(sensor_names), round(draw.uniform(-9.0, -0.1), 2)
        points.append(TrendPoint(hour, round(days, 2), round(0.7 * days, 2), high, sensor, added))
    return tuple(points)


def state(name: str, newest: int = _NEWEST) -> MachineState:
    """A machine of the fleet state, with the answers of the day up to an hour."""
    points = wander(name, list(range(newest - 24, newest + 1)))
    as_of = (clock.hour_start(newest + 1) - timedelta(seconds=5)).astimezone()
    return MachineState(
        scored_at=clock.hour_start(newest + 1).replace(minute=10),
        hour=newest,
        answer=msgspec.Raw(msgspec.json.encode(_answer(points[-1], as_of))),
        recent=tuple(HourAnswer(point.hour, point.days, "ok") for point in points),
        points=points[-4:],
    )


def _answer(point: TrendPoint, as_of: datetime) -> dict[str, object]:
    """The fields of a stored answer that the fleet shows."""
    return {
        "predictions": [point.days],
        "as_of": as_of,
        "expected_failure_at": as_of + timedelta(days=point.days),
        "interval": {"low": point.low, "high": point.high, "coverage": 0.9},
        "drivers": [{"sensor": name, "days": point.driver_days} for name in sensors.load().names],
        "state": "ok",
        "warnings": [],
        "model": {"version": "2026/11/20/150312", "trained_at": "2026-11-20T15:03:12+00:00"},
    }


if __name__ == "__main__":
    main()

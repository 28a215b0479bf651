"""An hour of scoring: seconds, memory and requests to S3, for a factory whose machines all have a new object.

    python -m benchmarks.scoring [--machines 1000] [--threads 8] [--delay-ms 0] [--trees 125]

The machines have a week of stored rows, and one new object of 0.8 MB each. The run has one core, as a function of 1,769
MB has; the S3 server has the others. Its memory is the largest that the process had, Python and libraries included.
`--delay-ms` adds that much to each read and write of the store, for the one on AWS takes longer than this one.
"""

import argparse
import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from benchmarks import stage
from benchmarks.sides import Memory, Side, say
from monitory import clock, sensors
from monitory.features import vector
from monitory.history.history_store import HistoryStore
from monitory.history.machine_history import days_in_reach, refreshed_days
from monitory.history.stored_history import CachedHistory
from monitory.lake import Lake
from monitory.log import Logger
from monitory.machine import Machine
from monitory.scoring import fleet
from monitory.scoring.fleet import FleetState
from monitory.storage.port import Blob
from monitory_score import bootstrap

_FIRST = Machine("ZONE-001", "EQUIP-001")
_MAX_AGE = timedelta(hours=3)
_SPARSE_SECONDS = 300.0
"""Between two readings of the week before: only its rows matter."""


class DelayedStorage(stage.CountedStorage):
    """A store that answers late."""

    delay_seconds = 0.0

    def get_if_changed(self, key: str, etag: str | None) -> Blob | None:
        """See Storage."""
        time.sleep(self.delay_seconds)
        return super().get_if_changed(key, etag)

    def put(self, key: str, body: bytes, *, content_type: str, **others: Any) -> str:
        """See Storage."""
        time.sleep(self.delay_seconds)
        return super().put(key, body, content_type=content_type, **others)


class OneCore:
    """The score function on one core."""

    def __init__(self, threads: int, delay_ms: float) -> None:
        """A warm sandbox."""
        from monitory.settings import ScoreSettings, from_environment

        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        DelayedStorage.delay_seconds = delay_ms / 1e3
        with patch.object(bootstrap, "S3Storage", DelayedStorage), patch.object(bootstrap, "THREADS", threads):
            self._run = bootstrap.build_run(from_environment(ScoreSettings))

    def score(self, now: datetime) -> dict[str, object]:
        """Score at a time."""
        stage.CountedStorage.requests.clear()
        return self._run.score(now, lambda: True)._asdict() | dict(stage.CountedStorage.requests)


def main() -> None:
    """Measure."""
    name = "python -m benchmarks.scoring"
    parser = argparse.ArgumentParser(prog=name, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, default=1000, help="of the factory (%(default)s)")
    parser.add_argument("--threads", type=int, default=bootstrap.THREADS, help="machines in parallel (%(default)s)")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="of each request to the store (%(default)s)")
    parser.add_argument("--trees", type=int, default=stage.TREES, help="of each booster of the model (%(default)s)")
    arguments = parser.parse_args()
    machines: int = arguments.machines
    with stage.buckets() as (lake, models):
        stage.promote_model(models, trees=arguments.trees)
        hour = stage.START + vector.HISTORY_HOURS
        now = clock.hour_start(hour + 1).replace(minute=10)
        size = prepare(lake, models, machines, hour, now)
        with Side(OneCore, arguments.threads, arguments.delay_ms) as side, Memory(side.pid) as memory:
            first = side.call("score", now)
            again = side.call("score", now + timedelta(minutes=1))
        for what, measured in (("every machine has a new object", first), ("nothing is new", again)):
            summary = measured.result
            if summary["failed"] or summary["left"]:
                raise RuntimeError(f"not all machines were scored: {summary}")
            say(
                f"scoring, {what}",
                machines=machines,
                threads=arguments.threads,
                scored=summary["scored"],
                logged=summary["logged"],
                seconds=measured.wall,
                cpu_s=measured.cpu,
                cpu_ms_a_machine=measured.cpu * 1e3 / machines,
                peak_mb=memory.peak / 2**20,
                raw_mb=size / 1e6 if summary["read"] else 0.0,
                get=summary.get("GET", 0),
                list=summary.get("LIST", 0),
                put=summary.get("PUT", 0),
            )


def prepare(lake: str, models: str, count: int, hour: int, now: datetime) -> int:
    """Store a week of rows of each machine, and write an object of each for an hour; returns the objects' bytes."""
    readings, sensor_set = stage.bucket(lake), sensors.load()
    stage.write_days(lake, 1, vector.HISTORY_HOURS // 24, _SPARSE_SECONDS)
    of_readings = Lake(readings, "EQUIPMENT/", sensor_set)
    store = HistoryStore(stage.bucket(models), of_readings, Logger(service="benchmark"))
    days = [day for day in days_in_reach(now, _MAX_AGE) if day < now.date()]
    listed = {day: of_readings.machine_day(_FIRST, day) for day in days}
    week = CachedHistory(tuple(refreshed_days(of_readings, {}, listed, now).values()))
    body = b"".join(file.body for file in stage.factory(1).files(0, hour))
    for machine in _machines(count):
        store.write(machine, None, week)
        folder = f"EQUIPMENT/date={clock.date_of_hour(hour)}/zone_id={machine.zone_id}/equip_id={machine.equip_id}"
        own = body.replace(_FIRST.zone_id.encode(), machine.zone_id.encode())
        own = own.replace(_FIRST.equip_id.encode(), machine.equip_id.encode())
        readings.put(f"{folder}/equip-1-0.json", own, content_type="application/x-ndjson")
    state = FleetState(hour, now, dict.fromkeys(days, now))
    fleet.state_object(of_readings.fingerprint()).write(stage.bucket(models), state, None)
    return len(body) * count


def _machines(count: int) -> Iterator[Machine]:
    """Machines in zones of 50."""
    for number in range(count):
        yield Machine(f"ZONE-{number // 50 + 1:03}", f"EQUIP-{number + 1:03}")


if __name__ == "__main__":
    main()

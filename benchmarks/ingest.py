"""Lake -> hour rows: CPU per GB of raw NDJSON beside reference and expert, and wall time on one core and on all.

    python -m benchmarks.ingest [--machines 12] [--days 1]

Nothing is cached: every object is read and decoded. CPU includes starting the worker processes. All sides run equally
often, in turns, and do the same work each time; so each side's figure is its smallest one: what else goes on on a
machine only ever adds to it. The S3 server's CPU doesn't count, but on a machine with few cores it slows down
whoever shares a core with it; so a machine's day is turned into rows from memory, too.
"""

import argparse
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from benchmarks.sides import Measured, Side, beside, say
from monitory import clock, sensors
from monitory.features.hour_row import Columns
from monitory.lake import Lake, MachineDay
from monitory.lake_listing import LakeObject
from monitory.machine import Machine
from monitory.storage.port import Blob, Storage

REPEATS = 5
_FIGURES = {1: "ingest-one-process", 2: "ingest-two-processes"}
MEMORY_REPEATS = 7


class Product:
    """The product's ingest. Its worker processes import this module again, so it imports what is heavy late."""

    def __init__(self, lake: str, models: str) -> None:
        """The ingest of a lake with its cache."""
        from benchmarks import stage
        from monitory import log
        from monitory.settings import RetrainSettings, from_environment
        from monitory_retrain.ingest import ingest, lake_config

        self._ingest = ingest.Ingest
        self._source = lake_config.LakeConfig(lake, "ap-northeast-2", "EQUIPMENT/", sensors.load())
        self._models = stage.bucket(models)
        self._log = log.logger("benchmark", from_environment(RetrainSettings))

    def ingest(self, days: list[date], processes: int, refresh: bool) -> dict[str, Any]:
        """The hour rows of days, and what was read for them."""
        ingest = self._ingest(self._source, self._models, self._log, processes)
        anew = datetime.now(UTC) + timedelta(seconds=1)  # what was kept within this second is old, too
        found = ingest.days(days, refresh=anew if refresh else None, in_time=lambda: True)
        return {
            "bytes": found.counts.raw_bytes,
            "objects": found.counts.read,
            "rows": [found.table.machines[at].equip_id for at in found.table.machine.tolist()],
            "hours": found.table.hour,
            "values": found.table.values,
        }

    def hold(self, objects: list[tuple[LakeObject, bytes]]) -> None:
        """Keep objects of one machine's day in memory."""
        from monitory_retrain.ingest.kernels import VECTORISED

        self._listed = [item for item, _ in objects]
        bodies = {item.key: Blob(body, item.etag, {}, datetime.now(UTC)) for item, body in objects}
        storage = cast(Storage, SimpleNamespace(name="memory", get=bodies.__getitem__))
        self._memory = Lake(storage, "EQUIPMENT/", self._source.sensors, VECTORISED)

    def held(self) -> int:
        """The rows of what is held; how many."""
        return len(self._memory.refresh(MachineDay(), self._listed).hours)

    def cores(self) -> int:
        """As many as the product would use."""
        from monitory_retrain.runtime import processes

        return processes.cores()


class Reference:
    """The reference's ingest."""

    def __init__(self, lake: str) -> None:
        """The ingest of a lake."""
        from collections import Counter

        from benchmarks import reference

        self._lake = lake
        self._client = reference.client(Counter())

    def hold(self, objects: list[tuple[LakeObject, bytes]]) -> None:
        """Keep objects of one machine's day in memory."""
        self._held = [body for _, body in objects]

    def held(self) -> int:
        """The rows of what is held; how many."""
        from benchmarks import reference

        return sum(len(reference.hour_row(body)) for body in self._held)

    def ingest(self, days: list[date]) -> dict[tuple[str, int], list[float]]:
        """Each sensor's hourly mean and rolling deviation, by equipId and hour; without hours of several objects."""
        from benchmarks import reference

        rows = reference.ingest(self._client, self._lake, days)
        rows = rows[~rows.index.duplicated(keep=False)]
        names = [name + kind for name in reference.SENSORS.values() for kind in ("", "_rollstd")]
        keys = [(equip_id, clock.hour_of(hour)) for equip_id, hour in rows.index]
        return dict(zip(keys, rows[names].to_numpy().tolist(), strict=True))


class Expert:
    """The expert's ingest."""

    def __init__(self, lake: str) -> None:
        """The ingest of a lake."""
        from benchmarks import expert

        self._expert, self._lake = expert, lake

    def hold(self, objects: list[tuple[LakeObject, bytes]]) -> None:
        """Keep objects of one machine's day in memory."""
        self._held = [body for _, body in objects]

    def held(self) -> int:
        """The rows of what is held; how many."""
        return sum(len(self._expert.hour_rows(body)) for body in self._held)

    def ingest(self, days: list[date], processes: int) -> dict[tuple[str, int], list[float]]:
        """Each sensor's hourly mean and rolling deviation, by equipId and hour."""
        rows = self._expert.ingest(self._lake, days, processes)
        kinds = [self._expert.MEAN, self._expert.ROLLSTD]
        return {key: row[:, kinds].ravel().tolist() for key, row in rows.items()}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, default=12, help="(%(default)s)")
    parser.add_argument("--days", type=int, default=1, help="(%(default)s)")
    arguments = parser.parse_args()
    from benchmarks import stage

    with stage.buckets() as (lake, models):
        size = stage.write_days(lake, arguments.machines, arguments.days)
        first = clock.date_of_hour(stage.START)
        days = clock.days_between(first, clock.date_of_hour(stage.START + 24 * arguments.days - 1))
        with Side(Product, lake, models) as ours, Side(Reference, lake) as theirs, Side(Expert, lake) as expert:
            measure(ours, theirs, expert, days, size)
            from_memory(ours, theirs, expert)


def measure(ours: Side, theirs: Side, expert: Side, days: list[date], size: int) -> None:
    """Let all sides read the same days."""
    cores: int = ours.call("cores").result
    alone: list[Measured] = []
    shared: list[Measured] = []
    other: list[Measured] = []
    best: dict[int, list[Measured]] = {1: [], cores: []}
    for _ in range(REPEATS):
        alone.append(ours.call("ingest", days, 1, True))
        shared.append(ours.call("ingest", days, cores, True))
        other.append(theirs.call("ingest", days))
        for processes, calls in best.items():
            calls.append(expert.call("ingest", days, processes))
    assert {call.result["bytes"] for call in alone + shared} == {size}
    _same(alone[0].result, other[0].result)
    _same(shared[0].result, other[0].result)
    for calls in best.values():
        _same(alone[0].result, {key: calls[0].result[key] for key in other[0].result})
    gigabytes = size / 1e9
    objects = alone[0].result["objects"]
    reference = min([call.cpu for call in other])
    for what, calls, processes in (("one process", alone, 1), ("all cores", shared, cores)):
        cpu = min([call.cpu for call in calls])
        say(
            f"ingest, {what}",
            processes=processes,
            objects=objects,
            raw_mb=size / 1e6,
            cpu_s_per_gb=cpu / gigabytes,
            reference_cpu_s_per_gb=reference / gigabytes,
            cpu_ratio=reference / cpu,
            cpu_ms_per_object=cpu / objects * 1e3,
            wall_s=min([call.wall for call in calls]),
            reference_wall_s=min([call.wall for call in other]),
            expert_cpu_s_per_gb=min([call.cpu for call in best[processes]]) / gigabytes,
            expert_wall_s=min([call.wall for call in best[processes]]),
        )
        least = [min([call.cpu for call in side]) / gigabytes for side in (calls, other, best[processes])]
        beside(_FIGURES.get(processes, f"ingest-{processes}-processes"), "s of CPU a GB", *([x] for x in least))
    wall, wall_shared = (min([call.wall for call in calls]) for calls in (alone, shared))
    say("ingest, wall time of one core by that of all", cores=cores, ratio=wall / wall_shared)


def from_memory(ours: Side, theirs: Side, expert: Side) -> None:
    """Let all sides turn the same objects into rows without reading them from anywhere."""
    from benchmarks import stage

    first = clock.date_of_hour(stage.START)
    producer = stage.factory(1)
    machine = Machine(producer.machines[0].lives.zone_id, producer.machines[0].lives.equip_id)
    found = [producer.files(0, stage.START + hour) for hour in range(24)]
    whole = [
        files[0] for files in map(list, found) if len(files) == 1
    ]  # the reference doesn't put split hours together
    objects = [(LakeObject(file.key, file.key, len(file.body), machine, first), file.body) for file in whole]
    size = sum(len(body) for _, body in objects)
    calls = []
    sides = ours, theirs, expert
    for side in sides:
        side.call("hold", objects)
    for _ in range(MEMORY_REPEATS):
        calls.append([side.call("held") for side in sides])
        assert {call.result for call in calls[-1]} == {len(objects)}
    cpu, reference, best = (min([call[side].cpu for call in calls]) for side in range(3))
    say(
        "ingest, from memory",
        objects=len(objects),
        raw_mb=size / 1e6,
        cpu_s_per_gb=cpu / size * 1e9,
        reference_cpu_s_per_gb=reference / size * 1e9,
        cpu_ratio=reference / cpu,
        cpu_ms_per_object=cpu / len(objects) * 1e3,
    )
    least = ([side / size * 1e9] for side in (cpu, reference, best))
    beside("ingest-from-memory", "s of CPU a GB", *least)


def _same(mine: dict[str, Any], expected: dict[tuple[str, int], list[float]]) -> None:
    """The means and rolling deviations that both sides computed agree."""
    sensor_set = sensors.load()
    columns = Columns(sensor_set)
    pairs = [columns.index(name, statistic) for name in sensor_set.names for statistic in ("mean", "rollstd")]
    keys = zip(mine["rows"], mine["hours"].tolist(), strict=True)
    values = dict(zip(keys, mine["values"][:, pairs], strict=True))
    assert expected.keys() <= values.keys()
    np.testing.assert_allclose([values[key] for key in expected], list(expected.values()), rtol=1e-6)


if __name__ == "__main__":
    main()

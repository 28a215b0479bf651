"""A backfill in batches beside one process: CPU, time by readers, memory of each, requests; the same bytes.

    python -m benchmarks.backfill [--machines 100] [--days 30] [--readers 1 2 4]

The lake is virtual (virtual.py): full hours of 0.8 MB. A reader is a process that reads a batch at a time, as an
invocation of the read function does; this machine's cores bound how many are of use, as Lambda's do not.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from itertools import repeat
from queue import Empty, Queue
from typing import Any

from benchmarks.ingest import Product
from benchmarks.sides import Memory, Side, say


class Reader(Product):
    """The planner and the reader of batches."""

    def plan(self, days: list[date]) -> list[Any]:
        """The batches of days."""
        from monitory_retrain.ingest.backfill.planner import Planner

        planner = Planner(self._source, self._models, self._log)
        return planner.plan(days, date.max, refresh=None, in_time=lambda: True).batches

    def read(self, batch: Any) -> int:
        """Read a batch; how many objects."""
        from monitory_retrain.ingest.backfill.reader import BatchReader

        reader = BatchReader(self._source, self._models, self._log)
        return reader.read(batch, lambda: True).counts.read


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backfill", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, default=100, help="(%(default)s)")
    parser.add_argument("--days", type=int, default=30, help="(%(default)s)")
    parser.add_argument("--readers", type=int, nargs="+", default=[1, 2, 4], help="(%(default)s)")
    arguments = parser.parse_args()
    from benchmarks.virtual import VirtualLake, days, use  # the readers import this module, and need none of it

    wanted = days(arguments.days)
    with Side(VirtualLake, 1) as server:
        use(server.call("endpoint").result)
        server.call("resize", arguments.machines)
        with Side(Product, "lake", "models") as ours, Memory(ours.pid) as memory:
            alone = ours.call("ingest", wanted, 1, False)
        stored = server.call("stored", "cache/hour-rows/").result
        objects = alone.result["objects"]
        say(
            "backfill, one process",
            machines=arguments.machines,
            days=arguments.days,
            objects=objects,
            wall_s=alone.wall,
            cpu_s=alone.cpu,
            peak_mb=memory.peak / 1e6,
            requests=server.call("sent").result,
        )
        for readers in arguments.readers:
            _batches(server, wanted, readers, arguments.machines, stored, alone.cpu)


def _batches(
    server: Side, wanted: list[date], readers: int, machines: int, stored: dict[str, bytes], alone: float
) -> None:
    server.call("resize", machines)
    with ExitStack() as stack:
        sides = [stack.enter_context(Side(Reader, "lake", "models")) for _ in range(readers)]
        planned = sides[0].call("plan", wanted)
        memories = [stack.enter_context(Memory(side.pid)) for side in sides]
        queue: Queue[Any] = Queue()
        for batch in planned.result:
            queue.put(batch)
        with ThreadPoolExecutor(readers) as pool:
            shares = list(pool.map(_drain, sides, repeat(queue)))
        wall = max(share[1] for share in shares)
        joined = sides[0].call("ingest", wanted, 1, False)
    assert joined.result["objects"] == 0, "the night after it reads nothing raw"
    assert server.call("stored", "cache/hour-rows/").result == stored, "the same bytes"
    say(
        "backfill, batches",
        readers=readers,
        batches=len(planned.result),
        plan_s=planned.wall,
        wall_s=wall,
        cpu_s=sum(share[0] for share in shares),
        cpu_ratio=sum(share[0] for share in shares) / alone,
        join_cpu_s=joined.cpu,
        peak_mb=max(memory.peak for memory in memories) / 1e6,
        requests=server.call("sent").result,
    )


def _drain(side: Side, queue: "Queue[Any]") -> tuple[float, float]:
    """Let a reader read batches until there are none; its CPU and wall-clock seconds."""
    cpu = wall = 0.0
    while True:
        try:
            batch = queue.get_nowait()
        except Empty:
            return cpu, wall
        done = side.call("read", batch)
        cpu, wall = cpu + done.cpu, wall + done.wall


if __name__ == "__main__":
    main()

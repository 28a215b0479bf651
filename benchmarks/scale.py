"""How ingest grows: machines 1 -> 10 -> 100 over 30 days, days 1 -> 30 of 10 machines; time, CPU, memory, requests.

    python -m benchmarks.scale [--machines 1 10 100] [--days 30] [--plot FILE.svg]

The lake is virtual (virtual.py): full hours of 0.8 MB, 58 GB for 100 machine-months, made by a server of its own
while they are read. Memory is the largest sum over all processes. After each first night, a second one.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

from benchmarks.ingest import Product
from benchmarks.sides import Memory, Side, say


class Point(NamedTuple):
    """What a size took."""

    machines: int
    days: int
    objects: int
    wall: float
    cpu: float
    peak: int
    requests: dict[str, int]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, nargs="+", default=[1, 10, 100], help="(%(default)s)")
    parser.add_argument("--days", type=int, default=30, help="(%(default)s)")
    parser.add_argument("--plot", type=Path, help="where to draw the growth (SVG)")
    arguments = parser.parse_args()
    from benchmarks.virtual import VirtualLake, use  # the worker processes import this module, and need none of it

    with Side(VirtualLake, 1) as server:
        use(server.call("endpoint").result)
        shorter = [days for days in (1, 3, 10) if days < arguments.days]
        by_days = [_point(server, 10, days) for days in shorter]
        by_machines = [_point(server, machines, arguments.days) for machines in arguments.machines]
    if arguments.plot:
        _draw(by_machines, by_days, arguments.plot)


def _point(server: Side, machines: int, count: int) -> Point:
    from benchmarks.virtual import days

    server.call("resize", machines)
    with Side(Product, "lake", "models") as ours:
        cores: int = ours.call("cores").result
        with Memory(ours.pid) as memory:
            first = ours.call("ingest", days(count), cores, False)
        sent = server.call("sent").result
        second = ours.call("ingest", days(count + 1)[1:], cores, False)
        again = server.call("sent").result
    objects = first.result["objects"]
    assert objects == machines * count * 24 == len(first.result["hours"])
    assert second.result["objects"] == machines * 24
    size = server.call("object_bytes").result * objects
    say(
        "scale, first night",
        machines=machines,
        days=count,
        objects=objects,
        raw_gb=size / 1e9,
        wall_s=first.wall,
        cpu_s=first.cpu,
        cpu_s_per_gb=first.cpu / size * 1e9,
        peak_mb=memory.peak / 1e6,
        requests=sent,
    )
    say("scale, second night", machines=machines, days=count, wall_s=second.wall, cpu_s=second.cpu, requests=again)
    return Point(machines, count, objects, first.wall, first.cpu, memory.peak, sent)


def _draw(by_machines: list[Point], by_days: list[Point], path: Path) -> None:
    """Time, CPU and memory over the number of objects, on logarithmic axes where they grow with it."""
    from matplotlib.figure import Figure

    points = sorted(by_days + by_machines, key=lambda point: point.objects)
    objects = [point.objects for point in points]
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    time, memory = figure.subplots(1, 2)
    time.loglog(objects, [point.wall for point in points], "o-", label="wall time, s")
    time.loglog(objects, [point.cpu for point in points], "s--", label="CPU, s")
    time.set(xlabel="hour objects of 0.8 MB", title="first night")
    time.legend()
    memory.semilogx(objects, [point.peak / 1e6 for point in points], "o-")
    memory.set(xlabel="hour objects of 0.8 MB", ylabel="MB", title="peak memory, all processes", ylim=(0, None))
    for axes in (time, memory):
        axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


if __name__ == "__main__":
    main()

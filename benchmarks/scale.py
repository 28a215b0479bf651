"""How ingest and predict grow: time, CPU, memory, requests.

    python -m benchmarks.scale [--machines 1 10 100] [--days 30] [--trees 125] [--plot FILE.svg]

Ingest: machines 1 -> 10 -> 100 over 30 days, days 1 -> 30 of 10 machines. The lake is virtual (virtual.py): full hours
of 0.8 MB, 58 GB for 100 machine-months, made by a server of its own while they are read. Memory is the largest sum
over all processes. After each first night, a second one.

Predict: answers for new hours of one machine, of whose readings there are 1 -> 30 days by then.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

from benchmarks.ingest import Product
from benchmarks.sides import Memory, Side, median, say
from monitory import clock
from monitory.clock import HOURS_PER_DAY
from monitory.machine import Machine

BY_DAYS_MACHINES = 10
NEW_HOURS = 12
_MACHINE = Machine("ZONE-001", "EQUIP-001")
_MINUTES_LATE = 5


class Point(NamedTuple):
    """What the first night and the second one of a size took."""

    machines: int
    days: int
    objects: int
    wall: float
    cpu: float
    second_cpu: float
    peak: int


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, nargs="+", default=[1, 10, 100], help="(%(default)s)")
    parser.add_argument("--days", type=int, default=30, help="(%(default)s)")
    parser.add_argument("--trees", type=int, help="of each booster of the model that predicts (the product's)")
    parser.add_argument("--plot", type=Path, help="where to draw the growth (SVG)")
    arguments = parser.parse_args()
    from benchmarks.virtual import VirtualLake, use  # the worker processes import this module, and need none of it

    with Side(VirtualLake, 1) as server:
        use(server.call("endpoint").result)
        shorter = [days for days in (1, 3, 10) if days < arguments.days]
        by_days = [_point(server, BY_DAYS_MACHINES, days) for days in shorter]
        by_machines = [_point(server, machines, arguments.days) for machines in arguments.machines]
    predicted = _predict_by_days([*shorter, arguments.days], arguments.trees)
    if arguments.plot:
        _draw(by_machines, by_days, predicted, arguments.plot)


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
    return Point(machines, count, objects, first.wall, first.cpu, second.cpu, memory.peak)


def _predict_by_days(wanted: list[int], trees: int | None) -> dict[int, float]:
    """The CPU of an answer for a new hour, seconds, by days of readings before it."""
    from benchmarks import stage
    from benchmarks.predict import Product as Predict
    from monitory_local.simulator.lake import write_hours

    found, written = {}, stage.START
    producer, event = stage.factory(1), stage.rest_event(_MACHINE)
    with stage.buckets() as (lake, models):
        stage.promote_model(models, trees=trees or stage.TREES)
        storage = stage.bucket(lake)
        with Side(Predict) as ours:
            for count in wanted:
                answers = []
                until = stage.START + count * HOURS_PER_DAY
                write_hours(storage, producer, range(written, until))
                for written in range(until, until + NEW_HOURS + 1):  # the first answer reads what was written before
                    write_hours(storage, producer, range(written, written + 1))
                    now = clock.hour_start(written + 1).replace(minute=_MINUTES_LATE)
                    answers.append(ours.call("request", event, now))
                written += 1
                assert {answer.result[0] for answer in answers} == {200}
                found[count] = median([answer.cpu for answer in answers[1:]])
                say("scale, predict, new hour", days=count, cpu_ms=found[count] * 1e3)
    return found


def _draw(by_machines: list[Point], by_days: list[Point], predicted: dict[int, float], path: Path) -> None:
    """The first night over its objects, and what should not grow over the days of history; logarithmic axes."""
    from matplotlib.figure import Figure

    points = sorted(by_days + by_machines, key=lambda point: point.objects)
    objects = [point.objects for point in points]
    second = [*by_days, *(point for point in by_machines if point.machines == BY_DAYS_MACHINES)]
    figure = Figure(figsize=(12, 3.2), layout="constrained")
    night, memory, history = figure.subplots(1, 3)
    night.loglog(objects, [point.wall for point in points], "o-", label="wall time, s")
    night.loglog(objects, [point.cpu for point in points], "s--", label="CPU, s")
    night.set(xlabel="hour objects of 0.8 MB", title="first night")
    memory.semilogx(objects, [point.peak / 1e6 for point in points], "o-")
    memory.set(xlabel="hour objects of 0.8 MB", ylabel="MB", title="peak memory, all processes", ylim=(0, None))
    days = [point.days for point in second]
    history.loglog(days, [point.second_cpu for point in second], "o-", label=f"night, {BY_DAYS_MACHINES} machines")
    history.loglog(list(predicted), list(predicted.values()), "s--", label="predict, a new hour")
    history.set(xlabel="days of history", title="CPU of what is new, s", ylim=(1e-3, 1e2))
    for axes in (night, memory, history):
        axes.grid(alpha=0.3)
    for axes in (night, history):
        axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


if __name__ == "__main__":
    main()

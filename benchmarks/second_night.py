"""The second night: what is read, and what it costs, beside the first one and beside a rebuild of everything.

    python -m benchmarks.second_night [--machines 4] [--days 21]

The days are read the first night; the second one's window begins and ends a day later. Its hour rows must be those of
a full rebuild, bit for bit.
"""

import argparse

from benchmarks.ingest import Product
from benchmarks.sides import Side, say
from monitory import clock

RATE_SECONDS = 60.0


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.second_night", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--machines", type=int, default=4, help="(%(default)s)")
    parser.add_argument("--days", type=int, default=21, help="of a night's window (%(default)s)")
    arguments = parser.parse_args()
    machines: int = arguments.machines
    window: int = arguments.days
    from benchmarks import stage  # the worker processes import this module, and need none of it

    with stage.buckets() as (lake, models):
        stage.write_days(lake, machines, window + 1, RATE_SECONDS)
        start = clock.date_of_hour(stage.START)
        days = clock.days_between(start, clock.date_of_hour(stage.START + 24 * window))
        with Side(Product, lake, models) as ours:
            cores: int = ours.call("cores").result
            first = ours.call("ingest", days[:-1], cores, False)
            second = ours.call("ingest", days[1:], cores, False)
            rebuilt = ours.call("ingest", days[1:], cores, True)
    assert second.result["values"].tobytes() == rebuilt.result["values"].tobytes()
    assert second.result["hours"].tobytes() == rebuilt.result["hours"].tobytes()
    say(
        "second night",
        machines=machines,
        days=window,
        raw_mb=second.result["bytes"] / 1e6,
        first_raw_mb=first.result["bytes"] / 1e6,
        raw_ratio=first.result["bytes"] / second.result["bytes"],
        objects=second.result["objects"],
        first_objects=first.result["objects"],
        cpu_s=second.cpu,
        first_cpu_s=first.cpu,
        cpu_ratio=first.cpu / second.cpu,
        same_bits_as_rebuild=True,
    )


if __name__ == "__main__":
    main()

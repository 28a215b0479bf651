"""What a night costs at 10 to 10,000 machines: arithmetic on measured figures, as a Markdown table.

    python -m benchmarks.costs --object-ms 7.6 --row-ms 0.36

`--object-ms` is the CPU of one raw object (benchmarks.scale: cpu_s / objects), `--row-ms` that of one hour row from
features to verdict (benchmarks.training: cpu_s / rows). Assumed: list prices of ap-northeast-2 (GET $0.00035, PUT and
LIST $0.0045 per 1,000; Lambda x86 $0.0000166667 per GB-second), 24 objects of 0.825 MB a machine and day, a window
of 21 days, 1,769 MB a core, 75 MB/s between S3 and one function. Storage is left out.
"""

import argparse
from math import ceil

OBJECTS_A_DAY, OBJECT_MB, DAYS = 24, 0.825, 21
GET_PRICE, PUT_LIST_PRICE, GB_SECOND_PRICE = 0.35e-6, 4.5e-6, 16.6667e-6
CORE_MB, NETWORK_MB_S = 1769, 75
START_SECONDS, TRAINING_SECONDS = 5.0, 10.0
"""Start of the image, and what training costs however few rows there are (CPU)."""

VERSION_PUTS = 10
"""A version's files, promotion, state, one day's rows."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.costs", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--object-ms", type=float, required=True, help="CPU of an object")
    parser.add_argument("--row-ms", type=float, required=True, help="CPU of an hour row in training")
    parser.add_argument("--memory-mb", type=int, default=3008, help="of the function (%(default)s)")
    arguments = parser.parse_args()
    print(
        "| machines | raw a night | GET | LIST | PUT | reading, s | learning, s | GB-s | $ a night | first night, s |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for machines in (10, 100, 1_000, 10_000):
        print(_line(machines, arguments.object_ms / 1e3, arguments.row_ms / 1e3, arguments.memory_mb))


def _line(machines: int, object_seconds: float, row_seconds: float, memory_mb: int) -> str:
    objects = OBJECTS_A_DAY * machines
    megabytes = objects * OBJECT_MB
    gets, lists, puts = objects + DAYS, DAYS * ceil(objects / 1000), VERSION_PUTS
    cores = memory_mb / CORE_MB
    reading = max(objects * object_seconds / cores, megabytes / NETWORK_MB_S)
    learning = START_SECONDS + (TRAINING_SECONDS + objects * DAYS * row_seconds) / cores
    gb_seconds = (reading + learning) * memory_mb / 1024
    dollars = gb_seconds * GB_SECOND_PRICE + gets * GET_PRICE + (lists + puts) * PUT_LIST_PRICE
    return (
        f"| {machines:,} | {megabytes / 1e3:.3g} GB | {gets:,} | {lists:,} | {puts} | {reading:.0f} | {learning:.0f} "
        f"| {gb_seconds:,.0f} | {dollars:.4f} | {reading * DAYS + learning:,.0f} |"
    )


if __name__ == "__main__":
    main()

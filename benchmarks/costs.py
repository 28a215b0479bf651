"""What a night costs at 10 to 10,000 machines: arithmetic on measured figures, as a Markdown table.

    python -m benchmarks.costs --object-ms 7.6 --row-ms 0.36 --row-bytes 4000

`--object-ms` is the CPU of one raw object (benchmarks.scale: cpu_s / objects), `--row-ms` that of one hour row from
features to verdict and `--row-bytes` the memory that it takes there (benchmarks.training: cpu_s / rows and
peak_mb / rows, of many machines, lest what the libraries take count for rows). Assumed: list prices of ap-northeast-2
(GET $0.00035, PUT and LIST $0.0045 per 1,000; Lambda x86 $0.0000166667 per GB-second), 24 objects of 0.825 MB a
machine and day, a window of 21 days, 1,769 MB a core, 75 MB/s between S3 and one function. Storage is left out.

An invocation takes 900 s and the function's memory at most. Reading can be spread over invocations, whole days each;
reading one day and learning can't, and what exceeds the limits there is marked. Costs of what doesn't fit aren't given.

Predictions aren't in the table. One of a new hour sends 3 GETs, 1 PUT and on average 2.17 LISTs (benchmarks.predict:
days that are over are listed again every 6 hours, after midnight two folders are looked at): $0.0153 per 1,000.
"""

import argparse
from dataclasses import dataclass
from math import ceil

OBJECTS_A_DAY, OBJECT_MB, DAYS = 24, 0.825, 21
GET_PRICE, PUT_LIST_PRICE, GB_SECOND_PRICE = 0.35e-6, 4.5e-6, 16.6667e-6
CORE_MB, NETWORK_MB_S = 1769, 75
MAX_SECONDS = 900
START_SECONDS, TRAINING_SECONDS = 5.0, 10.0
"""Start of the image, and what training costs however few rows there are (CPU)."""

VERSION_PUTS = 10
"""A version's files, promotion, state, one day's rows."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.costs", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--object-ms", type=float, required=True, help="CPU of an object")
    parser.add_argument("--row-ms", type=float, required=True, help="CPU of an hour row in training")
    parser.add_argument("--row-bytes", type=float, required=True, help="memory of an hour row in training")
    parser.add_argument("--memory-mb", type=int, default=3008, help="of the function (%(default)s)")
    arguments = parser.parse_args()
    night = Night(arguments.object_ms / 1e3, arguments.row_ms / 1e3, arguments.row_bytes, arguments.memory_mb)
    print(
        "| machines | raw a night | GET | LIST | PUT | reading, s | learning, s | learning, MB "
        "| GB-s | $ a night | first night, s |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for machines in (10, 100, 1_000, 10_000):
        print(night.line(machines))


@dataclass(frozen=True)
class Night:
    """What was measured, and the function's memory."""

    object_seconds: float
    row_seconds: float
    row_bytes: float
    memory_mb: int

    def line(self, machines: int) -> str:
        """The table's line for so many machines."""
        objects = OBJECTS_A_DAY * machines
        megabytes = objects * OBJECT_MB
        gets, lists, puts = objects + DAYS, DAYS * ceil(objects / 1000), VERSION_PUTS
        cores = self.memory_mb / CORE_MB
        reading = max(objects * self.object_seconds / cores, megabytes / NETWORK_MB_S)
        learning = START_SECONDS + (TRAINING_SECONDS + objects * DAYS * self.row_seconds) / cores
        memory = objects * DAYS * self.row_bytes / 2**20
        gb_seconds = (reading + learning) * self.memory_mb / 1024
        dollars = gb_seconds * GB_SECOND_PRICE + gets * GET_PRICE + (lists + puts) * PUT_LIST_PRICE
        fits = max(reading, learning) <= MAX_SECONDS and memory <= self.memory_mb
        cells = (
            f"{machines:,}",
            f"{megabytes / 1e3:.3g} GB",
            f"{gets:,}",
            f"{lists:,}",
            str(puts),
            _limited(reading, MAX_SECONDS, "s"),
            _limited(learning, MAX_SECONDS, "s"),
            _limited(memory, self.memory_mb, "MB"),
            _whole(gb_seconds, reading + learning) if fits else "–",
            f"{dollars:.4f}" if fits else "–",
            _whole(reading * DAYS + learning, reading * DAYS + learning) if fits else "does not fit",
        )
        return f"| {' | '.join(cells)} |"


def _limited(value: float, most: float, unit: str) -> str:
    """A figure of what can't be divided."""
    return f"{value:,.0f}" if value <= most else f"{value:,.0f} (> {most:,} {unit}: does not fit)"


def _whole(value: float, seconds: float) -> str:
    """A figure of a run of so many seconds that can be divided by days."""
    return f"{value:,.0f}" + (f" (> {MAX_SECONDS} s: by day, in several invocations)" if seconds > MAX_SECONDS else "")


if __name__ == "__main__":
    main()

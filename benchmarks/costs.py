"""What a night costs at 10 to 10,000 machines: arithmetic on measured figures, as a Markdown table.

    python -m benchmarks.costs --object-ms 7.6 --row-ms 0.36 --row-bytes 4000

`--object-ms` is the CPU of one raw object (benchmarks.scale: cpu_s / objects), `--row-ms` that of one hour row from
features to verdict and `--row-bytes` the memory that it takes there (benchmarks.training: cpu_s / rows and
peak_mb / rows, of many machines, lest what the libraries take count for rows). Assumed: list prices of ap-northeast-2
(GET $0.00035, PUT and LIST $0.0045 per 1,000; Lambda x86 $0.0000166667 per GB-second), 24 objects of 0.825 MB a
machine and day, a window of 21 days, 1,769 MB a core, 75 MB/s between S3 and one function. Storage is left out.

An invocation takes 900 s, of which 240 are kept for learning. Reading goes on in the next one where the last stopped.
Learning can't be divided: it must fit into one invocation and its memory. The smallest of the memory sizes in which it
does is taken; costs of what doesn't fit aren't given.

Predictions aren't in the table. One of a new hour sends 3 GETs, 1 PUT and on average 2.1 LISTs (benchmarks.predict:
days that are over are listed again every 6 hours, after midnight two folders are looked at): $0.0150 per 1,000.
"""

import argparse
from dataclasses import dataclass
from math import ceil

OBJECTS_A_DAY, OBJECT_MB, DAYS = 24, 0.825, 21
GET_PRICE, PUT_LIST_PRICE, GB_SECOND_PRICE = 0.35e-6, 4.5e-6, 16.6667e-6
CORE_MB, NETWORK_MB_S = 1769, 75
MEMORY_MB = (3008, 10240)
"""What new accounts may use at most, and what Lambda has at most."""

MAX_SECONDS, READING_SECONDS = 900, 660
"""Of an invocation, and what of it is for reading."""

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
    arguments = parser.parse_args()
    night = Night(arguments.object_ms / 1e3, arguments.row_ms / 1e3, arguments.row_bytes)
    print(
        "| machines | raw a night | GET | LIST | PUT | function, MB | reading, s | learning, s | learning, MB "
        "| GB-s | $ a night | first night, s |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for machines in (10, 100, 1_000, 10_000):
        print(night.line(machines))


@dataclass(frozen=True, slots=True)
class Night:
    """What was measured."""

    object_seconds: float
    row_seconds: float
    row_bytes: float

    def line(self, machines: int) -> str:
        """The table's line for so many machines."""
        objects = OBJECTS_A_DAY * machines
        megabytes = objects * OBJECT_MB
        gets, lists, puts = objects + DAYS + 1, DAYS * ceil(objects / 1000), VERSION_PUTS
        needed = objects * DAYS * self.row_bytes / 2**20
        memory = next((size for size in MEMORY_MB if self._learning(objects, size) and needed <= size), MEMORY_MB[-1])
        reading = max(objects * self.object_seconds * CORE_MB / memory, megabytes / NETWORK_MB_S)
        learning = self._learning(objects, memory)
        cells = [f"{machines:,}", f"{megabytes / 1e3:.3g} GB", f"{gets:,}", f"{lists:,}", str(puts), f"{memory:,}"]
        if learning is None or needed > memory:
            return f"| {' | '.join(cells)} | {_rounds(reading)} | does not fit | {needed:,.0f} | – | – | – |"
        gb_seconds = (reading + learning) * memory / 1024
        dollars = gb_seconds * GB_SECOND_PRICE + gets * GET_PRICE + (lists + puts) * PUT_LIST_PRICE
        cells += [_rounds(reading), f"{learning:,.0f}", f"{needed:,.0f}", f"{gb_seconds:,.0f}", f"{dollars:.4f}"]
        return f"| {' | '.join(cells)} | {_rounds(reading * DAYS)} |"

    def _learning(self, objects: int, memory: int) -> float | None:
        """Seconds from hour rows to a verdict; None where an invocation is too short for it."""
        seconds = START_SECONDS + (TRAINING_SECONDS + objects * DAYS * self.row_seconds) * CORE_MB / memory
        return seconds if seconds <= MAX_SECONDS else None


def _rounds(reading: float) -> str:
    """Seconds of reading, and in how many invocations, if in several."""
    rounds = ceil(reading / READING_SECONDS)
    return f"{reading:,.0f}" + (f" in {rounds} invocations" if rounds > 1 else "")


if __name__ == "__main__":
    main()

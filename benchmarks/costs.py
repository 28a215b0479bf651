"""What a night and a backfill cost at 10 to 10,000 machines: arithmetic on measured figures, as Markdown tables.

    python -m benchmarks.costs --object-ms 7.6 --row-ms 0.36 --row-bytes 4000 --instance-hour 0.23

`--object-ms` is the CPU of one raw object (benchmarks.scale: cpu_s / objects), `--row-ms` that of one hour row from
features to verdict and `--row-bytes` the memory that it takes there (benchmarks.training: cpu_s / rows and
peak_mb / rows, of many machines, lest what the libraries take count for rows). Assumed: list prices of ap-northeast-2
(GET $0.00035, PUT and LIST $0.0045 per 1,000; Lambda x86 $0.0000166667 per GB-second), 24 objects of 0.825 MB a
machine and day, a window of 21 days, 1,769 MB a core, 75 MB/s between S3 and one function. Storage is left out.

An invocation takes 900 s, of which 240 are kept for learning. Reading goes on in the next one where the last stopped.
Learning can't be divided: it must fit into one invocation and its memory. The smallest of the memory sizes in which it
does is taken; costs of what doesn't fit aren't given.

The second table is a backfill in batches (`BackfillStateMachine`): up to 100 machine-days each, read by a function of
1,769 MB, so many at once; a LIST a machine-day, a PUT and a GET a batch, and four state transitions a batch at $0.025
per 1,000. The retrain that joins the pieces is in the first table.

The third table, with `--instance-hour` alone, is learning in a training job (`RetrainInstanceType`): as if one core
worked, and with three minutes to start, paid for as well. Memory has to fit into the instance, temporary files into its
30 GB; that volume, reading and requests are left out.

Predictions aren't in the tables. One of a new hour sends 3 GETs, 1 PUT and on average 2.1 LISTs (benchmarks.predict:
days that are over are listed again every 6 hours, after midnight two folders are looked at): $0.0150 per 1,000.
"""

import argparse
from math import ceil

from monitory_retrain.check import prices
from monitory_retrain.check.prices import Measured

OBJECTS_A_DAY, OBJECT_MB, DAYS = 24, 0.825, 21
READING_SECONDS = 660
"""Of an invocation, for reading."""

CONCURRENCIES = (1, 5, 50)
"""Batches at once; 5 is what the template has."""

JOB_START_SECONDS = 180.0
"""Assumed: an instance starts and pulls the image."""

ROW_DISK_BYTES = 344
"""Of an hour row with the default sensors, while a model learns."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.costs", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--object-ms", type=float, required=True, help="CPU of an object")
    parser.add_argument("--row-ms", type=float, required=True, help="CPU of an hour row in training")
    parser.add_argument("--row-bytes", type=float, required=True, help="memory of an hour row in training")
    parser.add_argument("--instance-hour", type=float, help="price of an hour of a SageMaker instance, dollars")
    arguments = parser.parse_args()
    measured = Measured(arguments.object_ms / 1e3, arguments.row_ms / 1e3, arguments.row_bytes)
    print(
        "| machines | raw a night | GET | LIST | PUT | function, MB | reading, s | learning, s | learning, MB "
        "| GB-s | $ a night | first night, s |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for machines in (10, 100, 1_000, 10_000):
        print(line(machines, measured))
    ways = " | ".join(f"s, {concurrency} at once" for concurrency in CONCURRENCIES)
    print(f"\n| machines | days | machine-days | raw | batches | a batch, s | {ways} | GB-s | $ |")
    print(f"|---:|---:|---:|---:|---:|---:|{'---:|' * len(CONCURRENCIES)}---:|---:|")
    for machines, days in ((100, 365), (1_000, DAYS), (1_000, 365), (10_000, DAYS)):
        print(backfill_line(machines, days, measured))
    if arguments.instance_hour:
        print("\n| machines | days | hour rows | a job, s | memory, MB | temporary files, MB | $ a night |")
        print("|---:|---:|---:|---:|---:|---:|---:|")
        for machines in (10_000, 50_000):
            print(job_line(machines, measured, arguments.instance_hour))


def line(machines: int, measured: Measured) -> str:
    """The table's line for so many machines."""
    objects = OBJECTS_A_DAY * machines
    megabytes = objects * OBJECT_MB
    night = prices.night(objects, megabytes, DAYS, measured)
    cells = [f"{machines:,}", f"{megabytes / 1e3:.3g} GB", f"{night.gets:,}", f"{night.lists:,}", str(night.puts)]
    cells += [f"{night.memory_mb:,}", _rounds(night.reading)]
    if night.learning is None:
        return f"| {' | '.join(cells)} | does not fit | {night.needed_mb:,.0f} | – | – | – |"
    cells += [f"{night.learning:,.0f}", f"{night.needed_mb:,.0f}", f"{night.gb_seconds:,.0f}", f"{night.dollars:.4f}"]
    return f"| {' | '.join(cells)} | {_rounds(night.reading * DAYS)} |"


def backfill_line(machines: int, days: int, measured: Measured) -> str:
    """The second table's line for so many machines and days."""
    megabytes = OBJECTS_A_DAY * OBJECT_MB
    read = prices.backfill(machines, days, OBJECTS_A_DAY, megabytes, measured)
    cells = [f"{machines:,}", str(days), f"{machines * days:,}", f"{machines * days * megabytes / 1e6:.3g} TB"]
    cells += [f"{read.batches:,}", f"{read.batch_seconds:.0f}"]
    cells += [f"{read.seconds(concurrency):,.0f}" for concurrency in CONCURRENCIES]
    return f"| {' | '.join(cells)} | {read.gb_seconds:,.0f} | {read.dollars:.2f} |"


def job_line(machines: int, measured: Measured, instance_hour: float) -> str:
    """The third table's line for so many machines."""
    rows = machines * OBJECTS_A_DAY * DAYS
    seconds = JOB_START_SECONDS + prices.TRAINING_SECONDS + rows * measured.row_seconds
    cells = [f"{machines:,}", str(DAYS), f"{rows:,}", f"{seconds:,.0f}", f"{rows * measured.row_bytes / 2**20:,.0f}"]
    return f"| {' | '.join(cells)} | {rows * ROW_DISK_BYTES / 2**20:,.0f} | {seconds / 3600 * instance_hour:.2f} |"


def _rounds(reading: float) -> str:
    """Seconds of reading, and in how many invocations, if in several."""
    rounds = ceil(reading / READING_SECONDS)
    return f"{reading:,.0f}" + (f" in {rounds} invocations" if rounds > 1 else "")


if __name__ == "__main__":
    main()

"""What scoring costs a month at 10 to 10,000 machines: arithmetic on measured figures, as a Markdown table.

    python -m benchmarks.score_costs --machine-ms 17

`--machine-ms` is the CPU of one machine and hour (benchmarks.scoring: cpu_ms_a_machine). Assumed: list prices of
ap-northeast-2 as in benchmarks.costs, 730 hours of one run each, a day's folder of 24 objects a machine, no storage.

The last two columns are the other form that was weighed: rows in one object a zone of 50 machines. It saves PUTs, but
every prediction of a newer object reads the zone's rows instead of the machine's, and writers of one zone meet.
"""

import argparse
from math import ceil

from monitory_retrain.check.prices import CORE_MB, GB_SECOND_PRICE, GET_PRICE, PUT_LIST_PRICE

HOURS = 730
FOLDERS = 2.2
"""Listed a run, on average: the day's, the day's before for four hours of a day, an older one every other run or so."""

FIXED_REQUESTS = 8
"""State, model, card, failures and log, read; log and state, written."""

ZONE, HISTORY_KB = 50, 60


def main() -> None:
    """Print the table."""
    name = "python -m benchmarks.score_costs"
    parser = argparse.ArgumentParser(prog=name, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machine-ms", type=float, required=True, help="CPU of a machine and hour")
    seconds = parser.parse_args().machine_ms / 1e3
    print("| machines | GET a month | LIST | PUT | GB-s | $ a month | $ with an object a zone | … MB a prediction |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for machines in (10, 100, 1_000, 10_000):
        print(line(machines, seconds))


def line(machines: int, machine_seconds: float) -> str:
    """The table's line for so many machines."""
    lists = HOURS * ceil(FOLDERS * ceil(24 * machines / 1000))
    gb_seconds = HOURS * (machines * machine_seconds + 1) * CORE_MB / 1024
    objects = HOURS * machines
    gets, puts = 2 * objects + HOURS * FIXED_REQUESTS, objects + 2 * HOURS
    zones = HOURS * ceil(machines / ZONE)
    zone_gets, zone_puts = objects + zones + HOURS * FIXED_REQUESTS, zones + 2 * HOURS
    dollars, zone_dollars = (
        gb_seconds * GB_SECOND_PRICE + of_gets * GET_PRICE + (lists + of_puts) * PUT_LIST_PRICE
        for of_gets, of_puts in ((gets, puts), (zone_gets, zone_puts))
    )
    cells = (f"{machines:,}", f"{gets:,}", f"{lists:,}", f"{puts:,}", f"{gb_seconds:,.0f}", f"{dollars:.2f}")
    zone_mb = min(machines, ZONE) * HISTORY_KB / 1024
    return f"| {' | '.join(cells)} | {zone_dollars:.2f} | {zone_mb:.1f} instead of {HISTORY_KB / 1024:.2f} |"


if __name__ == "__main__":
    main()

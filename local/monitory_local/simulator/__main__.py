"""`python -m monitory_local.simulator`: write a simulated factory's lake."""

import argparse
import calendar
from datetime import date, timedelta
from pathlib import Path

from monitory.clock import HOURS_PER_DAY, first_hour, hour_of, hour_start, now
from monitory.settings import Settings, from_environment
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import DEFAULT_FOLDER, running_s3
from monitory_local.s3.buckets import prepare_lake
from monitory_local.simulator.classes import CLASSES
from monitory_local.simulator.lake import truths, write_hours, write_truth
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.readings import SECONDS_PER_HOUR
from monitory_local.simulator.records import failure_log
from monitory_local.simulator.signals import MODES
from monitory_local.simulator.wear import Plan
from monitory_local.terminal import progress_bar, run

DEFAULT_DAYS = 30

_DESCRIPTION = f"""\
Write a simulated factory's sensor lake: machines that wear out, fail or are maintained, and go on.

Machines fail in {len(MODES)} modes, each with its own mark on the sensors:
{chr(10).join(f"  {mode}" for mode in MODES)}
Classes of machines (--classes) live for other times and run at other set points: {", ".join(c.name for c in CLASSES)}.
Sensors that lie (--faults) report a sentinel (-999 or 65535), the same value for hours, coarse steps, or 1e20.
The log (--failure-log-key) is NDJSON of zoneId, equipId, kind (failure, maintenance, inspection, false_alarm), start,
end, failureMode and note; failures repeat their start as time. What is really true, the remaining life of every hour
among it, goes into a local file (--truth), never into the lake."""


def main(argv: list[str] | None = None) -> None:
    """Write the lake that the arguments describe."""
    arguments = _parser().parse_args(argv)
    hours = _hours(arguments)
    plan = Plan(
        start_hour=hours.start,
        machines=arguments.machines,
        seed=arguments.seed,
        life_days=arguments.life_days,
        rate_seconds=arguments.rate,
        spike_share=arguments.spikes,
        life_spread=arguments.life_spread,
        maintained_share=arguments.maintained,
        abrupt_share=arguments.abrupt,
        classes=arguments.classes,
        fault_share=arguments.faults,
        triage_hour=hours.stop if arguments.triage else None,
    )
    settings = from_environment(Settings)
    bucket = arguments.bucket or settings.s3_input_data_bucket_name
    producer = Producer(plan, settings.s3_input_data_key)
    with running_s3(arguments.folder) as s3, s3.active():
        prepare_lake(s3, settings, bucket)
        storage = S3Storage(bucket, region=settings.aws_region)
        with progress_bar("writing the lake", plan.machines * len(hours)) as step:
            written = write_hours(storage, producer, hours, step)
        if arguments.failure_log_key:
            log = failure_log(producer, hours)
            storage.put(arguments.failure_log_key, log, content_type="application/x-ndjson")
    write_truth(arguments.truth, truths(producer, hours))
    print(
        f"{written.objects} objects, {written.size / 1e6:.1f} MB in s3://{bucket}/{settings.s3_input_data_key} "
        f"from {hour_start(hours.start):%Y-%m-%d %H:%M} to {hour_start(hours.stop):%Y-%m-%d %H:%M} KST; "
        f"the truth is in {arguments.truth}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m monitory_local.simulator",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=_DESCRIPTION,
        epilog="At the default rate an hour of a machine is 0.8 MB and a month of 20 machines 12 GB;\n"
        "one reading a minute (--rate 60) makes it 1 GB, one an hour (--rate 3600) 20 MB.",
    )
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--month", type=_month, metavar="YYYY-MM", help="this month (KST)")
    when.add_argument("--start", type=date.fromisoformat, metavar="YYYY-MM-DD", help="from this date (KST), for --days")
    when.add_argument("--live", action="store_true", help="the last --days, up to the last full hour (default)")
    parser.add_argument("--days", type=_positive_int, default=DEFAULT_DAYS, help="how many (%(default)s)")
    parser.add_argument("--machines", type=_positive_int, default=20, help="how many (%(default)s)")
    parser.add_argument("--rate", type=_rate, default=5.0, help="seconds between two readings (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all randomness (%(default)s)")
    parser.add_argument("--spikes", type=_share, default=0.02, help="share of readings that are spikes (%(default)s)")
    parser.add_argument("--life-days", type=_positive, default=6.0, help="mean life of a machine (%(default)s)")
    parser.add_argument("--life-spread", type=_life_spread, default=0.3, help="sigma of lognormal lives (%(default)s)")
    parser.add_argument("--maintained", type=_part, default=0.0, help="share of failures prevented (%(default)s)")
    parser.add_argument("--abrupt", type=_part, default=0.0, help="share of lives that wear in hours (%(default)s)")
    parser.add_argument(
        "--classes", type=int, choices=range(1, len(CLASSES) + 1), default=1, help="kinds of machines (%(default)s)"
    )
    parser.add_argument("--faults", type=_part, default=0.0, help="share of days when a sensor lies (%(default)s)")
    parser.add_argument("--triage", action="store_true", help="end with a few machines in need, most of them healthy")
    parser.add_argument("--bucket", help="the lake's bucket (S3_INPUT_DATA_BUCKET_NAME, else monitory-bucket)")
    parser.add_argument("--failure-log-key", metavar="KEY", help="write the log there, too")
    parser.add_argument("--truth", type=Path, default=Path(".local/truth.ndjson"), help="local file (%(default)s)")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="the embedded S3's (%(default)s)")
    return parser


def _hours(arguments: argparse.Namespace) -> range:
    if arguments.month:
        days = calendar.monthrange(arguments.month.year, arguments.month.month)[1]
        return _range(arguments.month, days)
    if arguments.start:
        return _range(arguments.start, arguments.days)
    return last_hours(arguments.days)


def _range(first: date, days: int) -> range:
    return range(first_hour(first), first_hour(first + timedelta(days=days)))


def last_hours(days: int) -> range:
    """The hours of so many days that ended last, in KST."""
    present = hour_of(now())
    return range(present - days * HOURS_PER_DAY, present)


def _month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


def _positive(text: str) -> float:
    if not 0 < (number := float(text)) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not greater than 0")
    return number


def _positive_int(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _rate(text: str) -> float:
    if not 0.01 <= (number := float(text)) <= SECONDS_PER_HOUR:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.01 and {SECONDS_PER_HOUR} seconds")
    return number


def _part(text: str) -> float:
    if not 0 <= (number := float(text)) <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number


def _life_spread(text: str) -> float:
    if not 0 <= (number := float(text)) <= 2:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 2")
    return number


def _share(text: str) -> float:
    if not 0 <= (number := float(text)) <= 0.2:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 0.2")
    return number


if __name__ == "__main__":
    run(main)

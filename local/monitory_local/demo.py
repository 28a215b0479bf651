"""The whole product in one go: five simulated weeks, retrained and predicted by the real handlers.

    python -m monitory_local.demo

They end now, for predictions want recent data. Machines live twenty days in the mean: long enough that most of them are
healthy, short enough that there are failures to learn from; the days before the newest week, which is scored as it goes
on, are as many as a prediction may tell (`MAX_RUL_DAYS`). Now one is failing, one stands still, one was
maintained a week ago and a few are in need, whatever the seed. True lives are known because the simulator knows the
future; nothing of it is in the lake. The last line printed is one JSON object.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import fmean

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from monitory.clock import HOURS_PER_DAY, first_hour, hour_of, hour_start, now
from monitory.errors import UnknownVersion
from monitory.registry.registry import Registry
from monitory.settings import Settings, from_environment
from monitory.storage.s3 import S3Storage
from monitory_local import demo_cases, lambdas
from monitory_local.feed import FEED_FILE, Feed, use_log
from monitory_local.s3 import S3, running_s3
from monitory_local.simulator.lake import truths, write_truth
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.wear import Plan, Truth
from monitory_local.terminal import no_progress, progress_bar, run

FOLDER = Path(".local/demo")
SOON_DAYS = 7


@dataclass(frozen=True)
class Line:
    """A machine in the demo's table; `answer` is None where it was refused, for the reason in `detail`."""

    equip_id: str
    answer: lambdas.Event | None
    detail: str
    truth: Truth | None

    @property
    def days(self) -> float | None:
        """Predicted; None without an answer."""
        return None if self.answer is None else float(self.answer["predictions"][0])

    @property
    def urgency(self) -> tuple[bool, float]:
        """Sorts the table: what needs people first on top, what stands still or has no answer at its end."""
        running = self.answer is not None and self.answer["state"] != "off"
        return (not running, self.days or 0.0)

    def true_days(self, cap: float) -> float | None:
        """True remaining life up to the cap; None where the machine does not run or was refused."""
        if self.answer is None or self.truth is None or self.truth.rul_days is None:
            return None
        return min(self.truth.rul_days, cap)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the demo."""
    started = time.monotonic()
    parser = argparse.ArgumentParser(prog="python -m monitory_local.demo", description=__doc__)
    parser.add_argument("--machines", type=int, default=20, help="of the factory (%(default)s)")
    parser.add_argument("--days", type=int, default=38, help="up to today, as far as it has gone (%(default)s)")
    parser.add_argument("--life-days", type=float, default=20.0, help="mean life of a machine (%(default)s)")
    parser.add_argument("--rate", type=float, default=120.0, help="seconds between two readings (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the simulation (%(default)s)")
    parser.add_argument(
        "--triage",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="one machine failing, one off, one maintained a week ago, a few in need; else all by chance (%(default)s)",
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="emptied, then kept (%(default)s)")
    arguments = parser.parse_args(argv)
    console = Console(stderr=True, highlight=False)
    with _store(arguments.folder) as s3, s3.active():
        lambdas.set_defaults()
        settings = _own_buckets(s3)
        first_day = now().date() - timedelta(days=arguments.days - 1)
        present = hour_of(now())
        plan = Plan(
            first_hour(first_day),
            machines=arguments.machines,
            seed=arguments.seed,
            life_days=arguments.life_days,
            rate_seconds=arguments.rate,
            triage_hour=present if arguments.triage else None,
        )
        console.rule(f"1. {plan.machines} machines for {arguments.days} days, a reading every {plan.rate_seconds:g} s")
        feed = Feed(arguments.folder / FEED_FILE, plan, plan.start_hour)
        lake = S3Storage(settings.s3_input_data_bucket_name, region=settings.aws_region)
        watched = demo_cases.watched_hours(plan.start_hour, present)
        written = feed.catch_up(lake, settings.s3_input_data_key, progress_bar, watched[0])
        use_log(arguments.folder)
        console.print(f"{written.objects} objects, {written.size / 1e6:.0f} MB")

        console.rule("2. retrain, through the function's handler")
        event = {"start": str(first_day), "end": str(hour_start(watched[0]).date())}
        console.print(f"event {json.dumps(event)}")
        trained = lambdas.retrain(event)
        if not trained.get("promoted"):
            sys.exit(f"error: no model was promoted, try more --days or --machines: {json.dumps(trained)}")
        console.print(f"version {trained['version']}: {'; '.join(trained['reasons'])}")

        console.rule(f"3. {len(watched)} runs of scoring in the newest week, then predictions, through the handlers")
        os.environ["SCORING"] = "true"  # predict answers from what is scored
        quiet = partial(feed.catch_up, lake, settings.s3_input_data_key, no_progress)
        inbox = demo_cases.score_hours(quiet, watched[:-1])
        quiet()
        summary = lambdas.score()
        hours = range(plan.start_hour, feed.until)
        producer = Producer(plan)
        truth_file = arguments.folder / "truth.ndjson"
        write_truth(truth_file, truths(producer, hours))
        console.print(f"the truth is in {truth_file}")
        cases = demo_cases.open_cases()
        lines = [_line(producer, number) for number in range(plan.machines)]
        report = _report(settings, trained["version"], arguments.folder)
    lines.sort(key=lambda line: line.urgency)
    cap = settings.max_rul_days
    width = None if sys.stdout.isatty() else 100
    output = Console(highlight=False, width=width)
    output.print(_table(lines, cap))
    output.print(_summary(lines))
    output.print(maintained(producer, feed.until))
    output.print(demo_cases.table(cases))
    if alert := inbox.alert:
        output.print(f"An alert, as it is mailed:\n\n{alert.subject}\n\n{alert.body}")
    for line in lines:
        if line.answer is None:
            console.print(f"{line.equip_id}: {line.detail}")
    console.print(f"`make serve FOLDER={arguments.folder}` answers for these machines{report}")
    scored = [
        (line.days, true) for line in lines if line.days is not None and (true := line.true_days(cap)) is not None
    ]
    if not scored:
        sys.exit("error: no machine got a prediction, try more --days")
    mean = fmean(min(truth.rul_days, cap) for truth in truths(producer, hours) if truth.rul_days is not None)
    announced = next(iter(trained["metrics"]["announcements"]))
    result = {
        "version": trained["version"],
        "promoted": trained["promoted"],
        "machines": len(scored),
        "mae_days": round(fmean(abs(days - true) for days, true in scored), 3),
        "mean_mae_days": round(fmean(abs(mean - true) for _, true in scored), 3),
        "seconds": round(time.monotonic() - started, 1),
        "holdout_failures": announced["failures"],
        "announced_d5": announced["announced"],
        "scored": summary["machines"],
        "open_cases": summary["open_cases"],
    }
    print(json.dumps(result))


@contextmanager
def _store(folder: Path) -> Iterator[S3]:
    """An S3 store with nothing of an earlier demo in the way."""
    with running_s3(folder, empty=True) as s3:
        if not s3.embedded:
            sys.exit("error: the demo fills an S3 of its own: unset AWS_ENDPOINT_URL")
        if not s3.is_own:
            sys.exit(f"error: {folder} is in use, perhaps by `make serve`: stop it, or choose another --folder")
        yield s3


def _own_buckets(s3: S3) -> Settings:
    """Settings with empty buckets."""
    settings = from_environment(Settings)
    s3.ensure_buckets(settings.s3_input_data_bucket_name, settings.s3_model_bucket_name)
    return settings


def _line(producer: Producer, number: int) -> Line:
    """Ask for a machine, and look up what is true of it in the hour that the answer rests on."""
    lives = producer.machines[number].lives
    response = lambdas.predict(lambdas.predict_event(lives.zone_id, lives.equip_id))
    body = json.loads(response["body"])
    if response["statusCode"] != 200:
        return Line(lives.equip_id, None, f"{response['statusCode']}: {body['detail']}", None)
    start = datetime.fromisoformat(body["window"]["start"])
    return Line(lives.equip_id, body, "", lives.truth(hour_of(start)))


def _report(settings: Settings, version: str, folder: Path) -> str:
    """Copy the version's report, where it has one, beside the demo's data and say where it lies."""
    storage = S3Storage(settings.s3_model_bucket_name, region=settings.aws_region)
    try:
        page = Registry(storage, settings.s3_model_key).read(version, "report.html")
    except UnknownVersion:
        return ""
    file = folder / "report.html"
    file.write_bytes(page)
    return f"; the version's report is {file}"


def _table(lines: Sequence[Line], cap: float) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("machine", "state", "days", "interval", f"P(≤ {SOON_DAYS} days)", "first driver", "truth"):
        table.add_column(name, no_wrap=True)
    for line in lines:
        if line.answer is None:
            table.add_row(line.equip_id, line.detail.partition(":")[0], "", "", "", "", _truth(line.truth, cap))
            continue
        interval = line.answer["interval"]
        between = f"{interval['low']:.1f}–{_end(interval['high'])}" if interval else "–"
        chance = _soon(line)
        driver = line.answer["drivers"][0] if line.answer["drivers"] else None
        table.add_row(
            line.equip_id,
            line.answer["state"],
            f"{line.days:.1f}",
            between,
            "–" if chance is None else f"{chance:.0%}",
            f"{driver['sensor']} {driver['days']:+.1f}" if driver else "–",
            _truth(line.truth, cap),
        )
    return table


def _summary(lines: Sequence[Line]) -> str:
    """The table in a sentence: which machines need people within the week."""
    urgent = [
        line.equip_id for line in lines if line.days is not None and not line.urgency[0] and line.days <= SOON_DAYS
    ]
    if not urgent:
        return f"No machine needs work within {SOON_DAYS} days."
    return f"{len(urgent)} of {len(lines)} machines need work within {SOON_DAYS} days: {', '.join(urgent)}."


def maintained(producer: Producer, until: int) -> str:
    """The machines that the factory's people worked on in the week before an hour, and since when, in a sentence."""
    works = sorted(
        (hour, machine.lives.equip_id)
        for machine in producer.machines
        for hour, _ in machine.lives.maintenances(until - (SOON_DAYS + 1) * HOURS_PER_DAY, until - 1)
    )
    if not works:
        return "No machine was maintained in the last week."
    return f"Maintained: {', '.join(f'{name} from {hour_start(hour):%Y-%m-%d %H:%M}' for hour, name in works)}."


def _soon(line: Line) -> float | None:
    """P(failure within `SOON_DAYS`); None where the model does not tell it."""
    chances = line.answer["failure_probability"] if line.answer else []
    return next((float(entry["p"]) for entry in chances if entry["days"] == SOON_DAYS), None)


def _truth(truth: Truth | None, cap: float) -> str:
    """What the simulator knows: days left and the sensor that wears, or why there are none."""
    if truth is None:
        return "–"
    if truth.rul_days is None:
        return str(truth.state)
    worn = f", {truth.worn_sensor}" if truth.worn_sensor else ""
    return f"{truth.rul_days:.1f}{worn}" if truth.rul_days < cap else f"≥ {cap:g}{worn}"


def _end(high: float | None) -> str:
    return "" if high is None else f"{high:.1f}"


if __name__ == "__main__":
    run(main)

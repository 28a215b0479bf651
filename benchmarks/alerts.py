"""What people are told in a week: cases of a simulated factory, hour by hour, beside the truth.

    python -m benchmarks.alerts [--machines 200] [--history 21] [--days 7] [--life-days 20] [--rate 300]

The retrain handler learns from the history. Then each hour's objects are written, with the log of failures and
maintenance as it stands, and the score function runs ten minutes after the hour. Of the lives 30 % end in maintenance,
10 % wear abruptly.

- `run`: every object is read once, and every machine-hour with objects has one line in the log.
- `failures`: `caught` where a case of at least the level stood before the failure, else `missed`. The hours of
  forewarning count from the run that told of it, for failures at least the level's days after the first hour.
- `raised`: cases that reached the level before a failure; `false` where the machine had more than twice the level's
  days left, to the failure or to the one that maintenance prevented.
- `crossings`: how often a machine's logged prediction went from above the level's days to at or below them from one
  hour to the next: what would be sent without persistence and hysteresis, beside `raised`.
- `closed`: cases of wear by outcome; beside them failures after which a machine has run for the hours that the rule
  looks back, and maintenance that began while a case stood.

The first hours, as many as the rule looks back, are scored but not judged: no case can be opened in them.
"""

import argparse
import os
from datetime import timedelta
from typing import NamedTuple

from tqdm import tqdm

from benchmarks import alert_figures as figures
from benchmarks import stage
from benchmarks.alert_figures import Message
from benchmarks.sides import say
from monitory import clock, sensors
from monitory.alerts.rule import LIMITS_DAYS
from monitory.clock import HOURS_PER_DAY
from monitory.lake import Lake
from monitory.settings import ScoreSettings, from_environment
from monitory_local import lambdas
from monitory_local.demo_cases import Inbox
from monitory_local.feed import LOG_KEY
from monitory_local.scoring import MINUTE
from monitory_local.simulator.lake import write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.records import failure_log
from monitory_local.simulator.wear import Plan
from monitory_score.bootstrap import build_run
from monitory_score.run import Run, Summary


class Week(NamedTuple):
    """What happened in the scored hours: objects written and read, transitions sent, cases open at the end."""

    hours: range
    written: int
    read: int
    messages: list[Message]
    open_cases: int


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alerts", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, default=200, help="of the factory (%(default)s)")
    parser.add_argument("--history", type=int, default=21, help="days that are learnt from (%(default)s)")
    parser.add_argument("--days", type=int, default=7, help="scored days after them (%(default)s)")
    parser.add_argument("--life-days", type=float, default=20.0, help="mean life of a machine (%(default)s)")
    parser.add_argument("--rate", type=float, default=300.0, help="seconds between two readings (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the simulation (%(default)s)")
    arguments = parser.parse_args()
    plan = Plan(
        stage.START,
        machines=arguments.machines,
        seed=arguments.seed,
        life_days=arguments.life_days,
        rate_seconds=arguments.rate,
        maintained_share=0.3,
        abrupt_share=0.1,
    )
    first = stage.START + arguments.history * HOURS_PER_DAY
    with stage.buckets() as (lake, models):
        lambdas.set_defaults()
        os.environ["FAILURE_LOG_KEY"] = LOG_KEY
        producer = Producer(plan)
        _write(lake, producer, range(stage.START, first))
        _learn(range(stage.START, first))
        week = watch(lake, producer, range(first, first + arguments.days * HOURS_PER_DAY))
        of_readings = Lake(stage.bucket(lake), "EQUIPMENT/", sensors.load())
        report(models, of_readings.fingerprint(), producer, week)


def _write(lake: str, producer: Producer, hours: range) -> int:
    """Write the objects of some hours, and the log as it stands after them; returns the number of objects."""
    storage = stage.bucket(lake)
    written = write_hours(storage, producer, hours)
    log = failure_log(producer, range(producer.plan.start_hour, hours.stop))
    storage.put(LOG_KEY, log, content_type="application/x-ndjson")
    return written.objects


def _learn(hours: range) -> None:
    event: lambdas.Event = {"start": str(clock.date_of_hour(hours.start)), "end": str(clock.date_of_hour(hours[-1]))}
    while (answer := lambdas.retrain(event))["status"] == "continue":
        continue
    if not answer.get("promoted"):
        raise SystemExit(f"no model was promoted, try more --machines or --history: {answer}")


def watch(lake: str, producer: Producer, hours: range) -> Week:
    """Score hour by hour; a first run before them reads the history."""
    inbox = Inbox()
    messages: list[Message] = []
    written = read = open_cases = 0
    run = build_run(from_environment(ScoreSettings), [inbox])
    _score(run, hours.start)
    for hour in tqdm(hours, desc="hours scored"):
        written += _write(lake, producer, range(hour, hour + 1))
        summary = _score(run, hour + 1)
        read, open_cases = read + summary.read, summary.open_cases
        messages += [Message(hour, transition) for transition in inbox.received[len(messages) :]]
    return Week(hours, written, read, messages, open_cases)


def _score(run: Run, hour: int) -> Summary:
    """Score shortly after an hour has begun.

    Raises:
        RuntimeError: not all was scored.
    """
    summary = run.score(clock.hour_start(hour) + timedelta(minutes=MINUTE), lambda: True)
    if summary.failed or summary.left:
        raise RuntimeError(f"not all machines were scored: {summary}")
    return summary


def report(models: str, lake: str, producer: Producer, week: Week) -> None:
    """Print the figures of the week; `lake` is the lake's fingerprint."""
    lives = [machine.lives for machine in producer.machines]
    by_name = {figures.machine_of(one): one for one in lives}
    predicted = figures.logged(stage.bucket(models), lake, week.hours)
    say(
        "run",
        machines=len(lives),
        hours=len(week.hours),
        objects=week.written,
        objects_read=week.read,
        machine_hours=sum(figures.writes(one, hour) for one in lives for hour in week.hours),
        lines=sum(len(of_machine) for of_machine in predicted.values()),
        transitions=len(week.messages),
        sent_twice=len(week.messages) - len({message.transition.id for message in week.messages}),
        open_cases=week.open_cases,
    )
    steps, judged = figures.levels(week.messages), week.hours[figures.RULE.recent :]
    for level, limit in enumerate(LIMITS_DAYS, start=1):
        raised = list(figures.rises(steps, judged, level))
        left = [by_name[machine].truth(hour).rul_days for machine, hour in raised]
        say(
            f"level {level}",
            days=limit,
            **figures.forewarning(lives, steps, judged, level),
            raised=len(raised),
            false=sum(days is not None and days > figures.FALSE_FACTOR * limit for days in left),
            crossings=figures.crossings(predicted, judged, limit),
        )
    say("closed", **figures.closed(lives, week.messages, judged))


if __name__ == "__main__":
    main()

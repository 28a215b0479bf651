"""Predictions beside the score function: CPU, time and requests to S3, beside those without it and the reference.

    python -m benchmarks.predict_stored [--hours 40]

Each round a new 0.8 MB object of one machine appears. *newer object* is the request before it is scored, in every other
round with `key=`; *covered* is the one after it, without and with `key=`. With `SCORING` off the product computes and
keeps rows itself, and answers the same requests, as do the pandas reference and the expert's code; all must answer the
same RUL. Rounds are a second apart, and code that was not run for a second is slow. Callers that ask for a factory's
machines ask without such pauses: *in a row* is the mean of `IN_A_ROW` covered requests, one after the other.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from benchmarks import stage
from benchmarks.predict import MACHINE, Expert, Product, Reference, same
from benchmarks.sides import Measured, Side, beside, median, percentile, say
from monitory import clock
from monitory.features import vector

_MINUTES_LATE, _SCORE_MINUTE = 5, 10
_WARM_UP = 4
IN_A_ROW = 20


class StoredProduct(Product):
    """The product's Lambda beside the score function."""

    def __init__(self, models: str) -> None:
        """A warm sandbox."""
        os.environ |= {"SCORING": "true", "S3_MODEL_BUCKET_NAME": models}
        super().__init__()


class Scorer:
    """The score function."""

    def __init__(self, models: str) -> None:
        """A warm sandbox."""
        from monitory.settings import ScoreSettings, from_environment
        from monitory_score.bootstrap import build_run

        os.environ["S3_MODEL_BUCKET_NAME"] = models
        self._run = build_run(from_environment(ScoreSettings))

    def score(self, now: datetime) -> int:
        """Score at a time; returns the number of machines."""
        return self._run.score(now, lambda: True).scored


def main() -> None:
    """Measure."""
    name = "python -m benchmarks.predict_stored"
    parser = argparse.ArgumentParser(prog=name, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=int, default=40, help="rounds (%(default)s)")
    rounds: int = parser.parse_args().hours
    if rounds <= 2 * _WARM_UP:
        parser.error(f"--hours: {rounds} are too few, the first {_WARM_UP} warm up and some have no single object")
    with stage.buckets() as (lake, models):
        beside = stage.new_bucket()
        first = stage.START + vector.HISTORY_HOURS
        stage.write_days(lake, 1, vector.HISTORY_HOURS // 24)
        stage.promote_model(models)
        stage.promote_model(beside)
        history = range(stage.START, first)
        with (
            Side(StoredProduct, beside) as stored,
            Side(Scorer, beside) as scorer,
            Side(Product) as alone,
            Side(Reference, lake, models, history) as reference,
            Side(Expert, lake, models, history) as expert,
        ):
            measure(lake, (stored, scorer, alone, reference, expert), range(first, first + rounds))


def measure(lake: str, sides: tuple[Side, Side, Side, Side, Side], hours: range) -> None:
    """Write hour after hour, ask, score, and ask again."""
    stored, scorer, alone, reference, expert = sides
    plain = stage.rest_event(MACHINE)
    producer = stage.factory(1)
    storage = stage.bucket(lake)
    calls: dict[str, list[Measured]] = {}
    sent: dict[str, Counter[str]] = {}
    scorer.call("score", clock.hour_start(hours.start).replace(minute=_SCORE_MINUTE))
    for number, hour in enumerate(hours):
        files = list(producer.files(0, hour))
        if len(files) != 1:
            continue  # off, or split in two: the reference reads one object only
        time.sleep(1 - time.time() % 1)  # S3's times are whole seconds
        storage.put(files[0].key, files[0].body, content_type="application/x-ndjson")
        now = clock.hour_start(hour + 1).replace(minute=_MINUTES_LATE)
        later = now.replace(minute=_SCORE_MINUTE + 1)
        with_key = _event_with_key(plain, files[0].key)
        by_key = number % 2 == 1
        newer = "newer object, key=" if by_key else "newer object"
        answers = {
            newer: _ask(stored, with_key if by_key else plain, now),
            "newer object, scoring off": _ask(alone, plain, now),
            "newer object, reference": _ask(reference, plain, now),
            "newer object, expert": _ask(expert, plain, now),
        }
        scorer.call("score", now.replace(minute=_SCORE_MINUTE))
        answers |= {
            "covered": _ask(stored, plain, later),
            "covered, key=": _ask(stored, with_key, later),
            "covered, scoring off": _ask(alone, plain, later),
            "covered, reference": _ask(reference, plain, later),
            "covered in a row": _ask_in_a_row(stored, plain, later),
            "covered in a row, key=": _ask_in_a_row(stored, with_key, later),
            "covered in a row, reference": _ask_in_a_row(reference, plain, later),
            "covered, expert": _ask(expert, plain, later),
            "covered in a row, expert": _ask_in_a_row(expert, plain, later),
        }
        for what in (newer, "newer object, scoring off", "covered", "covered, key=", "covered, scoring off"):
            same([answers[one][0] for one in (what, "covered, reference", "newer object, expert", "covered, expert")])
        if number < _WARM_UP:
            continue
        for what, (call, requests) in answers.items():
            calls.setdefault(what, []).append(call)
            sent.setdefault(what, Counter()).update(requests)
    for what, measured in calls.items():
        _say(what, measured, calls, sent[what])
    for figure, what in (("predict-stored", "covered"), ("predict-stored-in-a-row", "covered in a row")):
        sides_of = (what, f"{what}, reference", f"{what}, expert")
        beside(figure, "ms of CPU", *([call.cpu * 1e3 for call in calls[side]] for side in sides_of))
    reread = reference.call("reread", clock.hour_start(hours.stop).replace(minute=_MINUTES_LATE))
    for what in ("covered", "covered, key="):
        cpu = median([call.cpu for call in calls[what]])
        say(
            f"predict beside scoring, {what}, reference reads its history anew",
            cpu_ms=cpu * 1e3,
            reference_cpu_ms=reread.cpu * 1e3,
            reference_cpu_ratio=reread.cpu / cpu,
        )


def _ask(side: Side, event: Mapping[str, object], at: datetime) -> tuple[Measured, Counter[str]]:
    """An answer, and the requests to S3 that it took."""
    return side.call("request", event, at), side.call("sent").result


def _ask_in_a_row(side: Side, event: Mapping[str, object], at: datetime) -> tuple[Measured, Counter[str]]:
    """Mean CPU and time of requests without a pause, the last answer, and the requests to S3 that each took."""
    asked = [side.call("request", event, at) for _ in range(IN_A_ROW)]
    cpu, wall = (sum(getattr(one, of) for one in asked) / IN_A_ROW for of in ("cpu", "wall"))
    requests = Counter({verb: count / IN_A_ROW for verb, count in side.call("sent").result.items()})
    return asked[-1]._replace(cpu=cpu, wall=wall), requests


def _event_with_key(event: Mapping[str, Any], key: str) -> dict[str, object]:
    query = {**event["queryStringParameters"], "key": key}
    return {
        **event,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
    }


def _say(what: str, measured: list[Measured], calls: dict[str, list[Measured]], sent: Counter[str]) -> None:
    cpu = median([call.cpu for call in measured])
    reference = calls[f"{what.split(',')[0]}, reference"]
    say(
        f"predict beside scoring, {what}",
        cpu_ms=cpu * 1e3,
        reference_cpu_ratio=median([call.cpu for call in reference]) / cpu,
        p50_ms=median([call.wall for call in measured]) * 1e3,
        p99_ms=percentile([call.wall for call in measured], 0.99) * 1e3,
        requests=len(measured),
        **{verb.lower(): count / len(measured) for verb, count in sorted(sent.items())},
    )


if __name__ == "__main__":
    main()

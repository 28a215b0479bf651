"""Warm predictions: CPU and time per request, and requests to S3, beside the reference and the expert.

    python -m benchmarks.predict [--hours 40]

All sides answer the same API Gateway events through FastAPI and Mangum. Each round a new 0.8 MB object of one machine
appears; `new hour` is the first request for it, `repeat` the next one, which finds nothing new. The reference comes in
two variants: its history in a Parquet frame in the model bucket, and all hours of it read anew. Beside them stands what
an expert would write (`benchmarks.expert`). All must answer the same RUL. Requests to S3 are means over all rounds:
after midnight two folders are listed, and days that are over again every six hours. Rounds are a second apart, for S3's
times, by which reference and expert find the newest object, are whole seconds.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mangum import Mangum

from benchmarks import stage
from benchmarks.sides import Measured, Side, beside, median, percentile, say
from monitory import clock
from monitory.features import vector
from monitory.machine import machine

MACHINE = machine("ZONE-001", "EQUIP-001")
_MINUTES_LATE = 5
_WARM_UP = 3
_SIDES = ("", "reference, ", "expert, ")
_SENT = [side + what for what in ("new hour", "repeat") for side in _SIDES]
_FIGURES = {"new hour": "predict-new-hour", "repeat": "predict-nothing-new"}
_ROUNDING = 5e-5
"""What the product's answer may lack of the model's, days: it has four decimals."""


class Product:
    """The product's Lambda."""

    def __init__(self) -> None:
        """A warm sandbox."""
        from monitory_predict import bootstrap

        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 -- for good: metrics go there
        with patch.object(bootstrap, "S3Storage", stage.CountedStorage):
            from monitory_predict.handler import lambda_handler
        self._handler: Any = lambda_handler
        self.requests = stage.CountedStorage.requests

    def request(self, event: Mapping[str, object], now: datetime) -> tuple[int, str]:
        """Answer an event at a time."""
        with patch.object(clock, "now", lambda: now):
            answer = self._handler(dict(event), None)
        return answer["statusCode"], answer["body"]

    def sent(self) -> Counter[str]:
        """The requests since the last call."""
        found = Counter(self.requests)
        self.requests.clear()
        return found


class Reference(Product):
    """The reference as a Lambda."""

    def __init__(self, lake: str, models: str, history_hours: range) -> None:
        """A warm sandbox, and a history frame of some hours."""
        import pandas as pd

        from benchmarks import reference

        self._predictor = reference.Predictor(lake, models, stage.MODEL_KEY)
        self._handler = Mangum(reference.create_app(self._predictor), lifespan="off")
        self.requests = self._predictor.requests
        bodies = [b"".join(f.body for f in stage.factory(1).files(0, hour)) for hour in history_hours]
        frame = pd.concat([reference.hour_row(body) for body in bodies if body])
        self._predictor.remember(MACHINE.equip_id, frame)

    def reread(self, now: datetime) -> float:
        """A prediction that reads all hours of the history."""
        with patch.object(clock, "now", lambda: now):
            return self._predictor.predict(MACHINE.zone_id, MACHINE.equip_id, reread=True)


class Expert(Product):
    """What an expert would write, as a Lambda."""

    def __init__(self, lake: str, models: str, history_hours: range) -> None:
        """A warm sandbox, and a history of some hours in the bucket."""
        from benchmarks import expert

        predictor = expert.Predictor(lake, models, stage.MODEL_KEY)
        self._handler = Mangum(expert.create_app(predictor), lifespan="off")
        self.requests = predictor.requests
        bodies = [b"".join(f.body for f in stage.factory(1).files(0, hour)) for hour in history_hours]
        rows = {hour: row for body in bodies if body for hour, row in expert.hour_rows(body).items()}
        predictor.remember(str(MACHINE), expert.NO_HISTORY.extended(rows))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.predict", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=int, default=40, help="rounds (%(default)s)")
    rounds: int = parser.parse_args().hours
    if rounds <= 2 * _WARM_UP:
        parser.error(f"--hours: {rounds} are too few, the first {_WARM_UP} warm up and some have no single object")
    with stage.buckets() as (lake, models):
        first = stage.START + vector.HISTORY_HOURS
        stage.write_days(lake, 1, vector.HISTORY_HOURS // 24)
        stage.promote_model(models)
        history = range(stage.START, first)
        with (
            Side(Product) as ours,
            Side(Reference, lake, models, history) as theirs,
            Side(Expert, lake, models, history) as expert,
        ):
            measure(lake, (ours, theirs, expert), range(first, first + rounds))


def measure(lake: str, sides: tuple[Side, Side, Side], hours: range) -> None:
    """Write hour after hour and ask all sides."""
    _, theirs, _ = sides
    event = stage.rest_event(MACHINE)
    producer = stage.factory(1)
    storage = stage.bucket(lake)
    sizes: list[int] = []
    new: list[tuple[Measured, ...]] = []
    repeats: list[tuple[Measured, ...]] = []
    sent: dict[str, Counter[str]] = {what: Counter() for what in _SENT}
    for number, hour in enumerate(hours):
        files = list(producer.files(0, hour))
        if len(files) != 1:
            continue  # off, or split in two: the reference reads one object only
        time.sleep(1 - time.time() % 1)
        storage.put(files[0].key, files[0].body, content_type="application/x-ndjson")
        now = clock.hour_start(hour + 1).replace(minute=_MINUTES_LATE)
        answers = tuple(side.call("request", event, now) for side in sides)
        same(answers)
        counts = [side.call("sent").result for side in sides]
        again = tuple(side.call("request", event, now) for side in sides)
        same(again)
        counts += [side.call("sent").result for side in sides]
        if number < _WARM_UP:
            continue
        for what, requests in zip(_SENT, counts, strict=True):
            sent[what] += requests
        sizes.append(len(files[0].body))
        new.append(answers)
        repeats.append(again)
    now = clock.hour_start(hours.stop).replace(minute=_MINUTES_LATE)
    reread = theirs.call("reread", now)
    _say("new hour", new, object_bytes=int(median(sizes)))
    cpu = median([mine.cpu for mine, *_ in new])
    say(
        "predict, new hour, reference reads its history anew",
        cpu_ms=cpu * 1e3,
        reference_cpu_ms=reread.cpu * 1e3,
        cpu_ratio=reread.cpu / cpu,
        reference_seconds=reread.wall,
    )
    _say("repeat", repeats)
    for what, requests in sent.items():
        means = {verb: count / len(new) for verb, count in sorted(requests.items())}
        say(f"predict, S3 requests, {what}", **means, total=requests.total() / len(new))


def same(answers: Sequence[Measured]) -> None:
    """All sides must have answered the same as the first one, the product.

    Raises:
        RuntimeError: they have not.
    """
    if any(answer.result[0] != 200 for answer in answers):
        raise RuntimeError(f"no answers: {[answer.result for answer in answers]}")
    days, *others = (json.loads(answer.result[1])["predictions"][0] for answer in answers)
    for expected in others:
        if abs(days - min(max(expected, 0.0), stage.CAP_DAYS)) > _ROUNDING + 1e-9:
            raise RuntimeError(f"answers differ: {days} and {others}")


def _say(what: str, answers: list[tuple[Measured, ...]], **others: object) -> None:
    mine, other, best = ([calls[side] for calls in answers] for side in range(3))
    cpu, reference_cpu = (median([call.cpu for call in calls]) for calls in (mine, other))
    say(
        f"predict, {what}",
        cpu_ms=cpu * 1e3,
        reference_cpu_ms=reference_cpu * 1e3,
        cpu_ratio=reference_cpu / cpu,
        p50_ms=median([call.wall for call in mine]) * 1e3,
        p99_ms=percentile([call.wall for call in mine], 0.99) * 1e3,
        reference_p50_ms=median([call.wall for call in other]) * 1e3,
        reference_p99_ms=percentile([call.wall for call in other], 0.99) * 1e3,
        expert_cpu_ms=median([call.cpu for call in best]) * 1e3,
        expert_p50_ms=median([call.wall for call in best]) * 1e3,
        expert_p99_ms=percentile([call.wall for call in best], 0.99) * 1e3,
        requests=len(answers),
        **others,
    )
    beside(_FIGURES[what], "ms of CPU", *([call.cpu * 1e3 for call in calls] for calls in (mine, other, best)))


if __name__ == "__main__":
    main()

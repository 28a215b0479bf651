"""Warm predictions: CPU and time per request, and requests to S3, beside the reference.

    python -m benchmarks.predict [--hours 40]

Both sides answer the same API Gateway events through FastAPI and Mangum. Each round a new 0.8 MB object of one
machine appears; `new hour` is the first request for it, `repeat` the next one, which finds nothing new. The reference
comes in two variants: its history in a Parquet frame in the model bucket, and all hours of it read anew. Both must
answer the same RUL. Requests to S3 are means over all rounds: after midnight two folders are listed, and days that are
over again every six hours. Rounds are a second apart, for S3's times, by which the reference finds the newest object,
are whole seconds.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mangum import Mangum

from benchmarks import stage
from benchmarks.sides import Measured, Side, median, percentile, say
from monitory import clock
from monitory.features import vector
from monitory.machine import machine

MACHINE = machine("ZONE-001", "EQUIP-001")
_MINUTES_LATE = 5
_WARM_UP = 3
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
        with Side(Product) as ours, Side(Reference, lake, models, history) as theirs:
            measure(lake, ours, theirs, range(first, first + rounds))


def measure(lake: str, ours: Side, theirs: Side, hours: range) -> None:
    """Write hour after hour and ask both sides."""
    event = stage.rest_event(MACHINE)
    producer = stage.factory(1)
    storage = stage.bucket(lake)
    sizes: list[int] = []
    new: list[tuple[Measured, Measured]] = []
    repeats: list[tuple[Measured, Measured]] = []
    sent: dict[str, Counter[str]] = {what: Counter() for what in ("new hour", "reference, new hour", "repeat")}
    for number, hour in enumerate(hours):
        files = list(producer.files(0, hour))
        if len(files) != 1:
            continue  # off, or split in two: the reference reads one object only
        time.sleep(1 - time.time() % 1)
        storage.put(files[0].key, files[0].body, content_type="application/x-ndjson")
        now = clock.hour_start(hour + 1).replace(minute=_MINUTES_LATE)
        pair = ours.call("request", event, now), theirs.call("request", event, now)
        same(pair)
        first_sent = ours.call("sent").result, theirs.call("sent").result
        again = ours.call("request", event, now), theirs.call("request", event, now)
        same(again)
        repeat_sent, _ = ours.call("sent").result, theirs.call("sent")
        if number < _WARM_UP:
            continue
        for what, counts in zip(sent, (*first_sent, repeat_sent), strict=True):
            sent[what] += counts
        sizes.append(len(files[0].body))
        new.append(pair)
        repeats.append(again)
    now = clock.hour_start(hours.stop).replace(minute=_MINUTES_LATE)
    reread = theirs.call("reread", now)
    _say("new hour", new, object_bytes=int(median(sizes)))
    cpu = median([mine.cpu for mine, _ in new])
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


def same(pair: tuple[Measured, Measured]) -> None:
    """Both sides must have answered the same.

    Raises:
        RuntimeError: they have not.
    """
    (status, mine), (reference_status, other) = (side.result for side in pair)
    if (status, reference_status) != (200, 200):
        raise RuntimeError(f"no answers: {mine}, {other}")
    days, expected = json.loads(mine)["predictions"][0], json.loads(other)["predictions"][0]
    if abs(days - min(max(expected, 0.0), stage.CAP_DAYS)) > _ROUNDING + 1e-9:
        raise RuntimeError(f"answers differ: {days} and {expected}")


def _say(what: str, pairs: list[tuple[Measured, Measured]], **others: object) -> None:
    mine, other = ([pair[side] for pair in pairs] for side in (0, 1))
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
        requests=len(pairs),
        **others,
    )


if __name__ == "__main__":
    main()

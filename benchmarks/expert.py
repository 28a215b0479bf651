"""What an expert would write: the second thing that our figures are compared with, beside the reference in pandas.

Lines decoded by msgspec and all that follows by numpy (polars takes more CPU for these small objects), requests by a
boto3 client whose connections several threads share, the same web framework. History and answer are kept in the
process, and the history in the model bucket for other ones. Like the reference it does less than the product: no
rejects, no interval, no drivers, no late data.
"""

import io
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from multiprocessing import get_context
from operator import lt
from typing import Any, NamedTuple

import boto3
import lightgbm as lgb
import msgspec
import numpy as np
import numpy.typing as npt
from botocore.config import Config
from fastapi import FastAPI, HTTPException, Response

from benchmarks.reference import HISTORY_HOURS, IDLE_WATTS, LIMITS, PREFIX, SENSORS, WINDOWS, folder
from monitory import clock

Floats = npt.NDArray[np.float64]

THREADS = 8
NAMES = list(SENSORS.values())
PLACES = {sensor_type: place for place, sensor_type in enumerate(SENSORS)}
LOW, HIGH = (LIMITS[end].reindex(list(SENSORS)).to_numpy(dtype=float)[:, None] for end in ("low", "high"))
MEAN, ROLLMEAN, ROLLSTD, MIN, MAX, COUNT, OUTSIDE = range(7)
ACTIVE = NAMES.index("active_power")
_WINDOW = 5
_AHEAD = 32  # objects


class Reading(msgspec.Struct, gc=False):
    """The fields of a line that are used."""

    sensorId: str  # noqa: N815 -- the contract's names
    sensorType: str  # noqa: N815
    val: float
    time: str


_decoder = msgspec.json.Decoder(Reading)


def client(requests: Counter[str]) -> Any:
    """A boto3 client for many threads, which checks no parameters and counts what it sends."""
    config = Config(max_pool_connections=THREADS, parameter_validation=False, tcp_keepalive=True)
    made = boto3.client("s3", config=config)
    made.meta.events.register(
        "before-send.s3",
        lambda request, event_name, **_: requests.update(["LIST" if ".List" in event_name else request.method]),
    )
    return made


# -- an object


def hour_rows(body: bytes) -> dict[int, Floats]:
    """An object's hour rows, shape (sensors, statistics) each, by hour."""
    times: list[list[str]] = [[] for _ in NAMES]
    values: list[list[float]] = [[] for _ in NAMES]
    for reading in (lines := _decoder.decode_lines(body)):
        place = PLACES.get(reading.sensorType)
        if place is not None:
            times[place].append(reading.time)
            values[place].append(reading.val)
    heard = [of_sensor for of_sensor in times if of_sensor]
    hours = {time[:13] for of_sensor in heard for time in (of_sensor[0], of_sensor[-1])}
    if len(hours) == 1 and all(_ascend(of_sensor) for of_sensor in heard):  # nearly always
        return {_number(hours.pop()): _statistics(values)}
    return _untidy(lines)


def _ascend(times: list[str]) -> bool:
    """Whether times are in order, without repeats."""
    return all(map(lt, times, islice(times, 1, None)))


def _untidy(lines: list[Reading]) -> dict[int, Floats]:
    hours: dict[str, list[list[float]]] = {}
    for time, _, sensor_type, value in sorted({(r.time, r.sensorId, r.sensorType, r.val) for r in lines}):
        if sensor_type in PLACES:
            hours.setdefault(time[:13], [[] for _ in NAMES])[PLACES[sensor_type]].append(value)
    return {_number(hour): _statistics(values) for hour, values in hours.items()}


def _number(hour: str) -> int:
    return int(datetime.fromisoformat(f"{hour}:00:00").replace(tzinfo=UTC).timestamp()) // 3600


def _statistics(values: list[list[float]]) -> Floats:
    row = np.full((len(NAMES), 7), np.nan)
    row[:, COUNT] = [len(of_sensor) for of_sensor in values]
    for count in {*row[:, COUNT].astype(int).tolist()} - {0}:  # usually one for all sensors
        places = np.flatnonzero(row[:, COUNT] == count)
        v = np.array([values[place] for place in places])
        row[places, MEAN], row[places, MIN], row[places, MAX] = v.mean(axis=1), v.min(axis=1), v.max(axis=1)
        row[places, OUTSIDE] = ((v < LOW[places]) | (v > HIGH[places])).mean(axis=1)
        if count >= _WINDOW:
            windows = [v[:, at : count - _WINDOW + 1 + at] for at in range(_WINDOW)]
            mean = sum(windows[1:], windows[0]) / _WINDOW
            squares = sum((part - mean) ** 2 for part in windows)
            row[places, ROLLMEAN] = mean.mean(axis=1)
            row[places, ROLLSTD] = np.sqrt(squares / (_WINDOW - 1)).mean(axis=1)
    return row


# -- a prediction


class History(NamedTuple):
    """A machine's hours, ascending, shape (n,), and their rows, shape (n, sensors, statistics)."""

    hour: npt.NDArray[np.int64]
    rows: Floats

    def extended(self, rows: dict[int, Floats]) -> "History":
        """With more rows; what is there already gives way."""
        merged = dict(zip(self.hour.tolist(), self.rows, strict=True)) | rows
        hours = sorted(merged)[-HISTORY_HOURS:]
        return History(np.array(hours), np.array([merged[hour] for hour in hours]))


NO_HISTORY = History(np.empty(0, dtype=np.int64), np.empty((0, len(NAMES), 7)))


def features(history: History) -> dict[str, float]:
    """The features at the newest hour by name."""
    heard = history.rows[:, :, COUNT] > 1
    stuck = heard.any(axis=1) & ((history.rows[:, :, MIN] == history.rows[:, :, MAX]) | ~heard).all(axis=1)
    told = ~((history.rows[:, ACTIVE, MEAN] <= IDLE_WATTS) | stuck)
    told[-1] = True
    t, means = (history.hour[told] - history.hour[-1]).astype(float), history.rows[told, :, MEAN]
    found = {}
    for window in WINDOWS:
        begin = int(np.searchsorted(t, -window, side="right"))
        part, at = means[begin:], t[begin:]
        if not (present := ~np.isnan(part)).all():
            columns = [_trend(part[there, at_sensor], at[there]) for at_sensor, there in enumerate(present.T)]
            mean, slope = np.array(columns).T
        else:
            mean, slope = _trend(part, at)
        found.update({f"{name}_mean_{window}h": x for name, x in zip(NAMES, mean.tolist(), strict=True)})
        found.update({f"{name}_slope_{window}h": x for name, x in zip(NAMES, slope.tolist(), strict=True)})
    return found


def _trend(values: Floats, t: Floats) -> tuple[Any, Any]:
    """Mean and slope of values over time, along the first axis."""
    if len(t) < 2:
        nothing = np.full(values.shape[1:], np.nan)
        return (values.mean(axis=0) if len(t) else nothing), nothing
    centred = t - t.mean()
    return values.mean(axis=0), centred @ (values - values[0]) / (centred @ centred)


class Answer(NamedTuple):
    """What was answered about a machine, days, and the object and the model that it rests on."""

    days: float
    object_etag: str
    model_etag: str


class Predictor:
    """Predicts from a machine's newest hour and its history."""

    def __init__(self, lake: str, models: str, model_key: str) -> None:
        """Load the model; each prediction looks whether there is another one."""
        self.requests: Counter[str] = Counter()
        self._s3 = client(self.requests)
        self._lake, self._models, self._model_key = lake, models, model_key
        self._pool = ThreadPoolExecutor(THREADS)
        self._histories: dict[str, History] = {}
        self._answers: dict[str, Answer] = {}
        self._etag = ""
        self._refresh_model()

    def predict(self, zone_id: str, equip_id: str) -> float:
        """The RUL in days."""
        machine = f"{zone_id}/{equip_id}"
        model = self._pool.submit(self._refresh_model)
        newest = self._newest(zone_id, equip_id)
        model.result()
        known = self._answers.get(machine)
        if known and (known.object_etag, known.model_etag) == (newest["ETag"], self._etag):
            return known.days
        rows = hour_rows(read(self._s3, self._lake, newest["Key"]))
        history = self._histories.get(machine, NO_HISTORY)
        if not len(history.hour) or min(rows) > history.hour[-1] + 1:  # another process may know what is between
            history = self._stored(machine)
        history = history.extended(rows)
        stored = self._pool.submit(self.remember, machine, history)
        found = features(history)
        x = np.array([[found.get(name, np.nan) for name in self._names]])
        days = float(self._booster.predict(x, num_threads=1)[0])
        stored.result()
        self._histories[machine] = history
        self._answers[machine] = Answer(days, newest["ETag"], self._etag)
        return days

    def remember(self, machine: str, history: History) -> None:
        """Keep a machine's history where any process finds it."""
        body = io.BytesIO()
        np.savez(body, hour=history.hour, rows=history.rows)
        self._s3.put_object(Bucket=self._models, Key=f"cache/expert/{machine}.npz", Body=body.getvalue())

    def _stored(self, machine: str) -> History:
        try:
            body = read(self._s3, self._models, f"cache/expert/{machine}.npz")
        except self._s3.exceptions.NoSuchKey:
            return NO_HISTORY
        with np.load(io.BytesIO(body)) as arrays:
            return History(arrays["hour"], arrays["rows"])

    def _newest(self, zone_id: str, equip_id: str) -> dict[str, Any]:
        today = clock.now().date()
        for day in (today, today - timedelta(days=1)):  # a machine has a few dozen objects a day: one page
            listed = self._s3.list_objects_v2(Bucket=self._lake, Prefix=folder(day, zone_id, equip_id))
            if objects := listed.get("Contents"):
                newest: dict[str, Any] = max(objects, key=lambda item: item["LastModified"])
                return newest
        raise HTTPException(404, "no data")

    def _refresh_model(self) -> None:
        if self._s3.head_object(Bucket=self._models, Key=self._model_key)["ETag"] == self._etag:
            return
        response = self._s3.get_object(Bucket=self._models, Key=self._model_key)
        self._booster = lgb.Booster(model_str=response["Body"].read().decode())
        self._names, self._etag = self._booster.feature_name(), response["ETag"]


def read(s3: Any, bucket: str, key: str) -> bytes:
    """An object's bytes."""
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def create_app(predictor: Predictor) -> FastAPI:
    """The expert's predictor behind HTTP; a process has one request at a time, so it needs no thread for it."""
    app = FastAPI()

    @app.get("/api/v1/predict")
    async def predict(zoneId: str, equipId: str) -> Response:  # noqa: N803 -- the contract's names
        answer = {"status": "ok", "predictions": [predictor.predict(zoneId, equipId)]}
        return Response(msgspec.json.encode(answer), media_type="application/json")

    return app


# -- a night

Rows = dict[tuple[str, int], Floats]
"""Hour rows by equipId and hour."""


def ingest(bucket: str, days: list[date], processes: int) -> Rows:
    """All hour rows of days of the lake, shape (sensors, statistics) each; of split hours those of one object."""
    pages = client(Counter()).get_paginator("list_objects_v2")
    keys = [
        item["Key"]
        for day in days
        for page in pages.paginate(Bucket=bucket, Prefix=f"{PREFIX}/date={day}/")
        for item in page.get("Contents", [])
    ]
    if processes == 1:
        return _rows(bucket, keys)
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:  # nothing of this process has threads yet
        parts = pool.map(_rows, [bucket] * processes, [keys[number::processes] for number in range(processes)])
        return {key: row for part in parts for key, row in part.items()}


def _rows(bucket: str, keys: list[str]) -> Rows:
    s3 = client(Counter())
    rows: Rows = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for begin in range(0, len(keys), _AHEAD):
            part = keys[begin : begin + _AHEAD]
            for key, body in zip(part, pool.map(lambda key: read(s3, bucket, key), part), strict=True):
                equip_id = key.split("/")[3].removeprefix("equip_id=")
                rows.update({(equip_id, hour): row for hour, row in hour_rows(body).items()})
    return rows

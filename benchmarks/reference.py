"""The pipeline that a competent user of pandas would write: what our figures are compared with.

It does less than the product: no rejects, no interval, no drivers, no late data. What it computes is the same, and
`benchmarks.predict` and `benchmarks.ingest` check that. boto3 is used one object after the other, LightGBM with one
thread.
"""

import io
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import boto3
import lightgbm as lgb
import numpy as np
import pandas as pd
from fastapi import FastAPI, HTTPException

from monitory import clock

SENSORS = {
    "temp": "temperature",
    "pressure": "pressure",
    "vibration": "vibration",
    "humid": "humidity",
    "active_power": "active_power",
    "reactive_power": "reactive_power",
}
LIMITS = pd.DataFrame(
    {
        "low": {"temp": 41, "pressure": 4.6, "vibration": -0.5, "humid": 14.5, "active_power": 0, "reactive_power": 0},
        "high": {
            "temp": 101,
            "pressure": 66.88,
            "vibration": 3.8,
            "humid": 85.54,
            "active_power": 168026,
            "reactive_power": 86759,
        },
    }
)
WINDOWS = (5, 24, 72, 168)
HISTORY_HOURS = 168
IDLE_WATTS = 0.02 * 168026
PREFIX = "EQUIPMENT"

Client = Any


def client(requests: Counter[str]) -> Client:
    """A boto3 client that counts what it sends."""
    made = boto3.client("s3")
    made.meta.events.register(
        "before-send.s3",
        lambda request, event_name, **_: requests.update(["LIST" if ".List" in event_name else request.method]),
    )
    return made


def hour_row(body: bytes) -> pd.DataFrame:
    """An object of the lake as one row per hour: mean, rollmean, rollstd, min, max, count, outside of each sensor."""
    frame = pd.read_json(io.BytesIO(body), lines=True)
    frame["time"] = pd.to_datetime(frame["time"], format="ISO8601")
    frame = frame[frame["sensorType"].isin(SENSORS)]
    frame = frame.drop_duplicates(["sensorId", "time", "val"]).sort_values("time", kind="stable")
    frame["hour"] = frame["time"].dt.floor("h")
    inside = frame["val"].between(frame["sensorType"].map(LIMITS["low"]), frame["sensorType"].map(LIMITS["high"]))
    frame["outside"] = ~inside
    keys = ["hour", "sensorType"]
    values = frame.groupby(keys)["val"]
    rolling = values.rolling(5)
    table = values.agg(["mean", "min", "max", "count"])
    table["rollmean"] = rolling.mean().groupby(level=keys).mean()
    table["rollstd"] = rolling.std().groupby(level=keys).mean()
    table["outside"] = frame.groupby(keys)["outside"].mean()
    wide = table.reset_index().pivot(index="hour", columns="sensorType")
    columns = [(str(column[0]), SENSORS[str(column[1])]) for column in wide.columns.to_list()]
    wide.columns = pd.Index([name if kind == "mean" else f"{name}_{kind}" for kind, name in columns])
    if {"active_power", "reactive_power"} <= set(wide.columns):
        active, reactive = wide["active_power"], wide["reactive_power"]
        wide["power_factor"] = active / np.hypot(active, reactive)
    return wide


def features(history: pd.DataFrame) -> dict[str, float]:
    """The features at the newest of a machine's hour rows: its values, and trends of each sensor's hourly means."""
    history = history.sort_index()
    newest = history.iloc[-1]
    history = history[~_off(history) | (history.index == history.index[-1])]
    found = {str(name): float(value) for name, value in newest.items()}
    hours = (history.index - history.index[-1]) / pd.Timedelta(hours=1)
    for window in WINDOWS:
        part = history[hours > -window]
        t = hours[hours > -window].to_numpy()
        for name in SENSORS.values():
            x = part[name].to_numpy()
            heard = ~np.isnan(x)
            x, at = x[heard], t[heard]
            found[f"{name}_mean_{window}h"] = x.mean() if len(x) else np.nan
            found[f"{name}_std_{window}h"] = x.std(ddof=1) if len(x) > 1 else np.nan
            found[f"{name}_slope_{window}h"] = np.polyfit(at, x, 1)[0] if len(x) > 1 else np.nan
    return found


def _off(history: pd.DataFrame) -> "pd.Series[bool]":
    """Hours in which a machine drew next to no power, or in which no sensor that was heard more than once changed."""
    counts, low, high = (
        history[[name + kind for name in SENSORS.values()]].to_numpy() for kind in ("_count", "_min", "_max")
    )
    heard = counts > 1
    unmoved = heard.any(axis=1) & ((low == high) | ~heard).all(axis=1)
    return (history["active_power"] <= IDLE_WATTS) | pd.Series(unmoved, history.index)


def folder(day: date, zone_id: str, equip_id: str) -> str:
    """Where a machine's objects of a date lie."""
    return f"{PREFIX}/date={day}/zone_id={zone_id}/equip_id={equip_id}/"


def list_objects(s3: Client, bucket: str, prefix: str) -> list[dict[str, Any]]:
    """All objects under a prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item for page in pages for item in page.get("Contents", [])]


def read(s3: Client, bucket: str, key: str) -> bytes:
    """An object's bytes."""
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def ingest(s3: Client, bucket: str, days: list[date]) -> pd.DataFrame:
    """All hour rows of days of the lake, indexed by machine and hour; one object after the other."""
    rows = []
    for day in days:
        for item in list_objects(s3, bucket, f"{PREFIX}/date={day}/"):
            row = hour_row(read(s3, bucket, item["Key"]))
            row["equip_id"] = item["Key"].split("/")[3].removeprefix("equip_id=")
            rows.append(row)
    return pd.concat(rows).set_index("equip_id", append=True).swaplevel().sort_index()


class Predictor:
    """Predicts from a machine's newest hour and its history, which is kept in a Parquet frame or read anew."""

    def __init__(self, lake: str, models: str, model_key: str) -> None:
        """Load the model; it is looked at again (HEAD) at each prediction."""
        self.requests: Counter[str] = Counter()
        self._s3 = client(self.requests)
        self._lake, self._models, self._model_key = lake, models, model_key
        self._load()

    def predict(self, zone_id: str, equip_id: str, *, reread: bool = False) -> float:
        """The RUL in days; `reread` reads the objects of all hours of the history instead of the newest one's."""
        now = clock.now().replace(tzinfo=None)
        if self._s3.head_object(Bucket=self._models, Key=self._model_key)["ETag"] != self._etag:
            self._load()
        history = (self._reread if reread else self._extended)(zone_id, equip_id, now)
        row = features(history)
        x = np.array([[row.get(name, np.nan) for name in self._booster.feature_name()]])
        return float(self._booster.predict(x, num_threads=1)[0])

    def remember(self, equip_id: str, history: pd.DataFrame) -> None:
        """Keep a machine's history where the next request finds it, whichever sandbox answers that."""
        self._s3.put_object(Bucket=self._models, Key=_frame_key(equip_id), Body=history.to_parquet())

    def _extended(self, zone_id: str, equip_id: str, now: datetime) -> pd.DataFrame:
        listed = list_objects(self._s3, self._lake, folder(now.date(), zone_id, equip_id))
        if not listed:
            listed = list_objects(self._s3, self._lake, folder(now.date() - timedelta(days=1), zone_id, equip_id))
        if not listed:
            raise HTTPException(404, "no data")
        newest = max(listed, key=lambda item: item["LastModified"])
        row = hour_row(read(self._s3, self._lake, newest["Key"]))
        frame = pd.read_parquet(io.BytesIO(read(self._s3, self._models, _frame_key(equip_id))))
        if row.index[-1] not in frame.index:
            frame = pd.concat([frame, row]).iloc[-HISTORY_HOURS:]
            self.remember(equip_id, frame)
        return frame

    def _reread(self, zone_id: str, equip_id: str, now: datetime) -> pd.DataFrame:
        days = clock.days_between((now - timedelta(hours=HISTORY_HOURS + 2)).date(), now.date())
        prefixes = [folder(day, zone_id, equip_id) for day in days]
        keys = [item["Key"] for prefix in prefixes for item in list_objects(self._s3, self._lake, prefix)]
        frame = pd.concat([hour_row(read(self._s3, self._lake, key)) for key in keys])
        return frame[~frame.index.duplicated(keep="last")].sort_index().iloc[-HISTORY_HOURS:]

    def _load(self) -> None:
        response = self._s3.get_object(Bucket=self._models, Key=self._model_key)
        self._etag = response["ETag"]
        self._booster = lgb.Booster(model_str=response["Body"].read().decode())


def _frame_key(equip_id: str) -> str:
    return f"cache/reference/{equip_id}.parquet"


def create_app(predictor: Predictor) -> FastAPI:
    """The reference behind HTTP."""
    app = FastAPI()

    @app.get("/api/v1/predict")
    def predict(zoneId: str, equipId: str) -> dict[str, object]:  # noqa: N803 -- the contract's names
        return {"status": "ok", "predictions": [predictor.predict(zoneId, equipId)]}

    return app

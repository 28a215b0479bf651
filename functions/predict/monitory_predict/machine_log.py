"""What a machine was predicted, hour by hour, out of the prediction log."""

from collections.abc import Iterator
from concurrent.futures import Executor
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from monitory import clock
from monitory.errors import UNDECODABLE, NoData, StorageError, StorageUnavailable
from monitory.machine import Machine
from monitory.scoring import prediction_log
from monitory.scoring.answer import Interval
from monitory.scoring.prediction_log import LogLine
from monitory.scoring.stored_answer import StoredInterval, StoredModel
from monitory.storage.port import Storage

MOST_DAYS = 14
"""An hour of the log is one object about all machines: a day costs 24 requests."""

_EXAMPLE: JsonDict = {
    "status": "ok",
    "zoneId": "ZONE-001",
    "equipId": "EQUIP-001",
    "days": 7,
    "predictions": [
        {
            "hour": "2026-11-20T20:00:00+09:00",
            "as_of": "2026-11-20T11:59:57.613655Z",
            "rul_days": 4.31,
            "interval": {"low": 2.9, "high": 6.0, "coverage": 0.9},
            "state": "ok",
            "version": "2026/11/20/150312",
        }
    ],
    "unreadable_hours": 0,
}


class LoggedPrediction(BaseModel):
    """What a machine was predicted from an hour of readings, at that time."""

    hour: Annotated[datetime, Field(description="start of the hour of readings, in the factory's time")]
    as_of: Annotated[datetime, Field(description="time of its newest reading, UTC")]
    rul_days: float
    interval: Interval | None
    state: str
    version: Annotated[str | None, Field(description="the model's")]


class HistoryResponse(BaseModel):
    """A machine's logged predictions, the oldest first; hours that were not scored are left out."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [_EXAMPLE]}, serialize_by_alias=True, validate_by_name=True
    )

    status: Literal["ok"] = "ok"
    zone_id: Annotated[str, Field(alias="zoneId")]
    equip_id: Annotated[str, Field(alias="equipId")]
    days: Annotated[int, Field(description="how many were looked at, up to now")]
    predictions: list[LoggedPrediction]
    unreadable_hours: Annotated[int, Field(description="hours of the log that are damaged")]


class _Line(LogLine, frozen=True):
    predictions: tuple[float]
    as_of: datetime
    state: str
    model: StoredModel
    interval: StoredInterval | None = None


class _Hour(NamedTuple):
    hour: int
    line: _Line | None
    is_readable: bool = True


def machine_log(
    storage: Storage, lake: str, executor: Executor, machine: Machine, days: int, now: datetime
) -> HistoryResponse:
    """A machine's lines of the last days, by one request an hour.

    Args:
        storage: the model bucket.
        lake: the fingerprint of the lake whose machine it is.
        executor: reads in parallel.
        machine: which.
        days: 1 to `MOST_DAYS`.
        now: the present, aware.

    Raises:
        NoData: there are none.
        StorageUnavailable: the store failed.
    """
    newest = clock.hour_of(clock.naive(now))
    numbers = range(newest - days * clock.HOURS_PER_DAY + 1, newest + 1)
    hours = list(executor.map(lambda hour: _hour(storage, lake, hour, machine), numbers))
    predictions = list(_predictions(hours))
    unreadable = sum(not hour.is_readable for hour in hours)
    if not predictions and not unreadable:
        raise NoData(f"the prediction log has nothing about {machine} in the last {days} days")
    return HistoryResponse(
        zone_id=machine.zone_id,
        equip_id=machine.equip_id,
        days=days,
        predictions=predictions,
        unreadable_hours=unreadable,
    )


def _hour(storage: Storage, lake: str, hour: int, machine: Machine) -> _Hour:
    try:
        # decoding the lines of all machines would take far longer than looking for a name
        name = f'"{machine.equip_id}"'.encode()
        lines = [line for line in prediction_log.read(storage, lake, hour) if name in line]
        for line in lines:
            decoded = msgspec.json.decode(line, type=_Line)
            if decoded.machine == machine:
                return _Hour(hour, decoded)
    except StorageUnavailable:
        raise
    except (StorageError, *UNDECODABLE):
        return _Hour(hour, None, is_readable=False)
    return _Hour(hour, None)


def _predictions(hours: list[_Hour]) -> Iterator[LoggedPrediction]:
    for hour, line, _ in hours:
        if line:
            yield LoggedPrediction(
                hour=clock.hour_start(hour),
                as_of=line.as_of,
                rul_days=line.predictions[0],
                interval=Interval.model_validate(line.interval, from_attributes=True) if line.interval else None,
                state=line.state,
                version=line.model.version,
            )

"""Simulated hours -> objects in S3, many at a time, and the truth -> a local file."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from monitory.clock import hour_start
from monitory.storage.port import Storage
from monitory_local.simulator.producer import LakeFile, Producer
from monitory_local.simulator.wear import Truth

_UPLOADS = 8
_WAITING = 64  # objects held in memory at most


@dataclass(frozen=True)
class Written:
    """What was written: objects, and the bytes in them."""

    objects: int
    size: int


def write_hours(
    storage: Storage, producer: Producer, hours: range, progress: Callable[[], object] | None = None
) -> Written:
    """Write every machine's objects of the hours; `progress` is called once per machine and hour.

    Raises:
        StorageUnavailable: the store failed.
    """
    objects = size = 0
    waiting: deque[Future[str]] = deque()
    with ThreadPoolExecutor(_UPLOADS) as uploads:
        for files in _files(producer, hours):
            for file in files:
                waiting.append(uploads.submit(_put, storage, file))
                objects += 1
                size += len(file.body)
            while len(waiting) > _WAITING:
                waiting.popleft().result()
            if progress:
                progress()
        while waiting:
            waiting.popleft().result()
    return Written(objects, size)


def truths(producer: Producer, hours: range) -> Iterator[Truth]:
    """What is true of every machine in the hours, machine by machine."""
    for machine in producer.machines:
        for hour in hours:
            yield machine.lives.truth(hour)


def write_truth(path: Path, known: Iterable[Truth]) -> None:
    """Write truths as NDJSON: zoneId, equipId, hour (KST), state, rulDays, wear, wornSensor."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for truth in known:
            line = {
                "zoneId": truth.zone_id,
                "equipId": truth.equip_id,
                "hour": _wall_clock(truth.hour),
                "state": truth.state,
                "rulDays": None if truth.rul_days is None else round(truth.rul_days, 4),
                "wear": round(truth.wear, 4),
                "wornSensor": truth.worn_sensor,
            }
            file.write(json.dumps(line) + "\n")


def _files(producer: Producer, hours: range) -> Iterator[Iterator[LakeFile]]:
    for hour in hours:
        for number in range(producer.plan.machines):
            yield producer.files(number, hour)


def _put(storage: Storage, file: LakeFile) -> str:
    return storage.put(file.key, file.body, content_type="application/x-ndjson")


def _wall_clock(hour: int) -> str:
    return hour_start(hour).replace(tzinfo=None).isoformat()

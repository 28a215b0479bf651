"""The failure log: NDJSON of `equipId` and `time` in the lake's bucket, when there is one."""

from typing import NamedTuple

import msgspec

from monitory.clock import hour_of
from monitory.decoding.reading import WallClock
from monitory.errors import UNDECODABLE
from monitory.storage.port import Storage


class _Failure(msgspec.Struct, rename="camel"):
    equip_id: str
    time: WallClock


class FailureLog(NamedTuple):
    """Failure hours by equipId, and how many lines couldn't be read."""

    hours: dict[str, list[int]]
    rejected: int


def read(storage: Storage, key: str) -> FailureLog:
    """The failure log under a key; `time` is KST without an offset.

    Raises:
        ObjectNotFound: there's none: a configured log that is missing must not pass for a factory without failures.
        StorageUnavailable: the store failed.
    """
    hours: dict[str, list[int]] = {}
    rejected = 0
    decoder = msgspec.json.Decoder(_Failure)
    for line in storage.get(key).body.splitlines():
        if not line.strip():
            continue
        try:
            failure = decoder.decode(line)
        except UNDECODABLE:
            rejected += 1
            continue
        hours.setdefault(failure.equip_id, []).append(hour_of(failure.time))
    return FailureLog(hours, rejected)

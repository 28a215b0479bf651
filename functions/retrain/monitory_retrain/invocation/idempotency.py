"""Results by event id: services deliver an event at least once, and each delivery gets the first one's result."""

from typing import Any

import msgspec

from monitory.errors import UNDECODABLE, ObjectNotFound
from monitory.storage.port import Storage
from monitory_retrain.invocation.events import JobResult

FOLDER = "runs"


def read(storage: Storage, event_id: str | None) -> JobResult | None:
    """The stored result of an event; None without an id, or where there is none or it is damaged.

    Raises:
        StorageUnavailable: the store failed.
    """
    if event_id is None:
        return None
    try:
        result: JobResult = msgspec.json.decode(storage.get(_key(event_id)).body, type=dict[str, Any])
    except (ObjectNotFound, *UNDECODABLE):
        return None
    return result


def write(storage: Storage, event_id: str | None, result: JobResult) -> None:
    """Store the result of an event; nothing without an id.

    Raises:
        StorageUnavailable: the store failed.
    """
    if event_id is not None:
        body = msgspec.json.format(msgspec.json.encode(result), indent=1)
        storage.put(_key(event_id), body, content_type="application/json")


def _key(event_id: str) -> str:
    return f"{FOLDER}/{''.join(c if c.isalnum() or c == '-' else '_' for c in event_id)[:100]}.json"

"""Each machine's last failure, as training and serving know it.

Retraining detects failures and stores each machine's last one in the model bucket, `state/failures.json`. Serving
adds those in the recent hour rows, so the running time of a machine that was repaired this morning restarts this
morning.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from monitory.errors import UNDECODABLE, ObjectNotFound, PreconditionFailed, StorageError, StorageUnavailable
from monitory.features.hour_row import Columns, HourRow
from monitory.machine import Machine
from monitory.sensors import SensorSet
from monitory.storage.port import Storage

KEY = "state/failures.json"
_TRIES = 5
_SHA256 = "sha256"
"""The metadata key of the body's hash; older objects lack it."""


class Excursion(msgspec.Struct, frozen=True):
    """The failure rule: at least `share` of the readings of at least `sensors` sensors beyond their alert limits."""

    share: float
    sensors: int

    def holds(self, row: HourRow, sensors: SensorSet) -> bool:
        """Whether the machine failed in an hour."""
        shares = (row.values[column] for column in Columns(sensors).indices("outside"))
        return sum(share >= self.share for share in shares) >= self.sensors


class FailureState(msgspec.Struct, frozen=True):
    """Machines' last hours of failure.

    Attributes:
        excursion: the failure rule; None where a failure log lists the failures.
        last: hour (see `clock`) by `<zoneId>/<equipId>`.
    """

    excursion: Excursion | None = None
    last: dict[str, int] = {}

    def last_failure(self, machine: Machine, rows: Sequence[HourRow], sensors: SensorSet) -> int | None:
        """A machine's last hour of failure before the newest of its recent rows (oldest first), None if unknown."""
        newest = rows[-1].hour
        if self.excursion:
            for row in reversed(rows[:-1]):
                if self.excursion.holds(row, sensors):
                    return row.hour
        stored = self.last.get(str(machine))
        return stored if stored is not None and stored < newest else None


class StoredState(NamedTuple):
    """The stored state and its object's ETag; None where there is no object."""

    state: FailureState
    etag: str | None


def read(storage: Storage) -> StoredState:
    """The state in the model bucket; an empty one where there's none.

    Raises:
        StorageUnavailable: the store failed.
        StorageError: the object is damaged; an empty state in its place would lose failures.
    """
    try:
        blob = storage.get(KEY)
    except ObjectNotFound:
        return StoredState(FailureState(), None)
    try:
        if blob.metadata.get(_SHA256) not in (None, _hash(blob.body)):
            raise ValueError("its SHA-256 differs")
        return StoredState(msgspec.json.decode(blob.body, type=FailureState), blob.etag)
    except (*UNDECODABLE, ValueError) as exc:
        raise StorageError(
            f"s3://{storage.name}/{KEY} is damaged ({exc}): bring back an earlier version of it, or delete it"
        ) from exc


def write(storage: Storage, state: FailureState, replaces: str | None = None) -> None:
    """Replace the state, on condition that its object still has the ETag, or does not exist yet.

    Raises:
        PreconditionFailed: the condition does not hold.
        StorageUnavailable: the store failed.
    """
    body = msgspec.json.encode(state)
    storage.put(
        KEY,
        body,
        content_type="application/json",
        metadata={_SHA256: _hash(body)},
        replaces=replaces,
        create=replaces is None,
    )


def merge(storage: Storage, detected: FailureState) -> None:
    """Bring the stored state up to date: the rule of the newest training, and each machine's later failure.

    Raises:
        StorageUnavailable: the store failed, or its reads and conditional writes keep contradicting each other.
        StorageError: as `read`.
    """
    for _ in range(_TRIES):
        stored = read(storage)
        last = dict(stored.state.last)
        for machine, hour in detected.last.items():
            last[machine] = max(hour, last.get(machine, hour))
        with suppress(PreconditionFailed):  # another run was first, or the read was stale
            write(storage, FailureState(detected.excursion, last), stored.etag)
            return
    raise StorageUnavailable(f"s3://{storage.name}/{KEY} changes whenever it is about to be written")


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()

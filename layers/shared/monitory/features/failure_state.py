"""What is known of machines' failures when a prediction is made.

Retraining finds all failures and leaves each machine's last one in the model bucket, `state/failures.json`. Serving
adds what the recent hour rows show, so that the clock of a machine that was repaired this morning starts anew this
morning.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from monitory.errors import UNDECODABLE, ObjectNotFound, PreconditionFailed, StorageError, StorageUnavailable
from monitory.features.hour_row import OUTSIDE, PER_SENSOR, Row
from monitory.machine import Machine
from monitory.sensors import SensorSet
from monitory.storage.port import Storage

KEY = "state/failures.json"
_TRIES = 5
_SHA256 = "sha256"
"""In the object's metadata, of its body; older ones lack it."""


class Excursion(msgspec.Struct, frozen=True):
    """When an hour counts as one of failure: `share` of the readings of `sensors` sensors beyond their limits."""

    share: float
    sensors: int

    def holds(self, row: Row, sensors: SensorSet) -> bool:
        """Whether a row is an hour of failure."""
        outside = row.values[OUTSIDE : len(PER_SENSOR) * len(sensors.sensors) : len(PER_SENSOR)]
        return sum(share >= self.share for share in outside) >= self.sensors


class FailureState(msgspec.Struct, frozen=True):
    """Machines' last hours of failure.

    Attributes:
        excursion: the rule; None where a failure log says what a failure is.
        last: hour (see `clock`) by `<zoneId>/<equipId>`.
    """

    excursion: Excursion | None = None
    last: dict[str, int] = {}

    def last_failure(self, machine: Machine, rows: Sequence[Row], sensors: SensorSet) -> int | None:
        """A machine's last hour of failure before the newest of its recent rows (oldest first), None if unknown."""
        newest = rows[-1].hour
        if self.excursion:
            for row in reversed(rows[:-1]):
                if self.excursion.holds(row, sensors):
                    return row.hour
        known = self.last.get(str(machine))
        return known if known is not None and known < newest else None


class Stored(NamedTuple):
    """The state as it was read, and its object's ETag, None where there is none."""

    state: FailureState
    etag: str | None


def read(storage: Storage) -> Stored:
    """The state in the model bucket; an empty one where there's none.

    Raises:
        StorageUnavailable: the store failed.
        StorageError: the object is damaged: what it held must not be taken for nothing.
    """
    try:
        blob = storage.get(KEY)
    except ObjectNotFound:
        return Stored(FailureState(), None)
    try:
        if blob.metadata.get(_SHA256) not in (None, _hash(blob.body)):
            raise ValueError("its SHA-256 differs")
        return Stored(msgspec.json.decode(blob.body, type=FailureState), blob.etag)
    except (*UNDECODABLE, ValueError) as exc:
        raise StorageError(
            f"s3://{storage.name}/{KEY} is damaged ({exc}): bring back an earlier version of it, or delete it"
        ) from exc


def write(storage: Storage, state: FailureState, replaces: str | None = None) -> None:
    """Write the state over the object of an ETag, or where there's none yet.

    Raises:
        PreconditionFailed: that isn't what is there.
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


def merge(storage: Storage, found: FailureState) -> None:
    """Bring the state up to date: the rule that was found, and of each machine the later of both failures.

    Raises:
        StorageUnavailable: the store failed, or says different things when the state is read and when it is written.
        StorageError: as `read`.
    """
    for _ in range(_TRIES):
        known, etag = read(storage)
        last = dict(known.last)
        for machine, hour in found.last.items():
            last[machine] = max(hour, last.get(machine, hour))
        with suppress(PreconditionFailed):  # another run was first, or what was read was not what is there
            write(storage, FailureState(found.excursion, last), etag)
            return
    raise StorageUnavailable(f"s3://{storage.name}/{KEY} is never what was read just before")


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()

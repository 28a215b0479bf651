"""Each machine's last failure, and whether it fails now.

Retraining stores each machine's last hour of failure or maintenance in the model bucket, `state/failures.json`. Serving
adds what the recent hour rows and the logbook say, so the running time of a machine that was repaired this morning
restarts this morning.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from monitory.errors import UNDECODABLE, ObjectNotFound, PreconditionFailed, StorageError, StorageUnavailable
from monitory.features.excursion import Excursion
from monitory.features.hour_row import HourRow
from monitory.features.machine_state import Stop, Timeline, timeline
from monitory.logbook.logbook import Logbook, MachineLog
from monitory.machine import Machine
from monitory.sensors import SensorSet
from monitory.storage.port import Storage

KEY = "state/failures.json"
_TRIES = 5
_SHA256 = "sha256"
"""The metadata key of the body's hash; older objects lack it."""


class Condition(NamedTuple):
    """What a machine does in the newest hour of its rows.

    Attributes:
        last_failure: its last hour of failure or maintenance before that hour; None if unknown.
        failure: the failure under way; None while it does not fail.
        maintenance: the maintenance under way, by the logbook.
    """

    last_failure: int | None = None
    failure: Stop | None = None
    maintenance: Stop | None = None


class Stops(NamedTuple):
    """What is known of a machine's stops.

    Attributes:
        timeline: by its recent rows and the logbook.
        stored: the last hour of failure or maintenance that retraining saw; None if it saw none, or people say since
            that it was a false alarm.
    """

    timeline: Timeline
    stored: int | None


class FailureState(msgspec.Struct, frozen=True):
    """Machines' last hours of failure.

    Attributes:
        excursion: the failure rule; None in the state of an older version with a failure log.
        last: hour (see `clock`) by `<zoneId>/<equipId>`: the last one of failure or maintenance.
        shared_ids: equipIds of machines in several zones; entries of the logbook need a zoneId for these.
        log_key: the logbook's key in the lake; None without one.
        lake: the fingerprint of the lake; empty in the state of version 1.0, which did not write it.
    """

    excursion: Excursion | None = None
    last: dict[str, int] = {}
    shared_ids: tuple[str, ...] = ()
    log_key: str | None = None
    lake: str = ""

    def condition(
        self, machine: Machine, rows: Sequence[HourRow], sensors: SensorSet, logbook: Logbook | None = None
    ) -> Condition:
        """A machine's condition in the newest of its recent rows.

        Args:
            machine: which.
            rows: its hour rows, oldest first, at least one.
            sensors: the sensor set of the rows.
            logbook: the factory's, where it has one.
        """
        newest = rows[-1].hour
        stops = self.stops(machine, rows, sensors, logbook)
        before = [hour for hour in stops.timeline.last_hours if hour < newest]
        if stops.stored is not None and stops.stored < newest:
            before.append(stops.stored)
        failure, maintenance = stops.timeline.failure_at(newest), stops.timeline.maintenance_at(newest)
        return Condition(max(before, default=None), failure, maintenance)

    def stops(
        self, machine: Machine, rows: Sequence[HourRow], sensors: SensorSet, logbook: Logbook | None = None
    ) -> Stops:
        """A machine's stops; arguments as for `condition`."""
        # a log that cannot be read may list failures, so readings prove nothing
        unread = MachineLog(lists_failures=self.log_key is not None)
        log = logbook.of(machine, self.shared_ids) if logbook else unread
        in_reach = timeline([row.hour for row in rows], [row.values for row in rows], sensors, self.excursion, log)
        stored = self.last.get(str(machine))
        if stored is not None and any(alarm.covers(stored) for alarm in log.false_alarms):
            stored = None
        return Stops(in_reach, stored)


class StoredState(NamedTuple):
    """The stored state and its object's ETag; None where there is no object."""

    state: FailureState
    etag: str | None


def read(storage: Storage, lake: str = "") -> StoredState:
    """The state in the model bucket; an empty one where there's none, or that of another lake.

    Args:
        storage: the model bucket.
        lake: the fingerprint of the lake; empty for any.

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
        state = msgspec.json.decode(blob.body, type=FailureState)
    except (*UNDECODABLE, ValueError) as exc:
        raise StorageError(
            f"s3://{storage.name}/{KEY} is damaged ({exc}): bring back an earlier version of it, or delete it"
        ) from exc
    is_ours = not lake or state.lake in {"", lake}
    return StoredState(state if is_ours else FailureState(), blob.etag)


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
    """Bring the stored state up to date: what the newest training says, and of each machine the later failure.

    Raises:
        StorageUnavailable: the store failed, or its reads and conditional writes keep contradicting each other.
        StorageError: as `read`.
    """
    for _ in range(_TRIES):
        stored = read(storage, detected.lake)
        last = dict(stored.state.last)
        for machine, hour in detected.last.items():
            last[machine] = max(hour, last.get(machine, hour))
        with suppress(PreconditionFailed):  # another run was first, or the read was stale
            write(storage, msgspec.structs.replace(detected, last=last), stored.etag)
            return
    raise StorageUnavailable(f"s3://{storage.name}/{KEY} changes whenever it is about to be written")


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()

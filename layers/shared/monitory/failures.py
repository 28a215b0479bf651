"""What is known of machines' failures when a prediction is made.

Retraining finds all failures and leaves each machine's last one in the model bucket, `state/failures.json`. Serving
adds what the recent hour rows show, so that the clock of a machine that was repaired this morning starts anew this
morning.
"""

from collections.abc import Sequence

import msgspec

from monitory.errors import UNDECODABLE, ObjectNotFound
from monitory.identifiers import Machine
from monitory.rows import OUTSIDE, PER_SENSOR, HourRow
from monitory.sensors import SensorSet
from monitory.storage import Storage

KEY = "state/failures.json"


class Excursion(msgspec.Struct, frozen=True):
    """When an hour counts as one of failure: `share` of the readings of `sensors` sensors beyond their limits."""

    share: float
    sensors: int

    def holds(self, row: HourRow, sensors: SensorSet) -> bool:
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

    def last_failure(self, machine: Machine, rows: Sequence[HourRow], sensors: SensorSet) -> int | None:
        """A machine's last hour of failure before the newest of its recent rows (oldest first), None if unknown."""
        newest = rows[-1].hour
        if self.excursion:
            for row in reversed(rows[:-1]):
                if self.excursion.holds(row, sensors):
                    return row.hour
        known = self.last.get(str(machine))
        return known if known is not None and known < newest else None


def read(storage: Storage) -> FailureState:
    """The state in the model bucket; an empty one where there's none.

    Raises:
        StorageUnavailable: the store failed.
    """
    try:
        return decode(storage.get(KEY).body)
    except ObjectNotFound:
        return FailureState()


def decode(body: bytes) -> FailureState:
    """A state out of its JSON; a damaged one counts as empty, the next retraining writes it anew."""
    try:
        return msgspec.json.decode(body, type=FailureState)
    except UNDECODABLE:
        return FailureState()


def write(storage: Storage, state: FailureState) -> None:
    """Replace the state.

    Raises:
        StorageUnavailable: the store failed.
    """
    storage.put(KEY, msgspec.json.encode(state), content_type="application/json")

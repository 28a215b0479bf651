"""What a backfill reads, cut into batches that functions of their own read side by side. No I/O.

A batch is some machines of one day. The manifest of a plan has a line of JSON for each.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, NamedTuple

import msgspec

from monitory.machine import PATTERN, Machine

MAX_MACHINE_DAYS = 100
MAX_BYTES = 4 << 30
"""Of a batch's raw data, which takes a minute or two: so much is lost where one is killed. A machine-day of more is a
batch of its own."""

MAX_BATCHES = 10_000
"""Of a manifest: what each batch leaves in the state machine has to fit into 256 KB together."""

ONE_FUNCTION_OBJECTS = 40_000
ONE_FUNCTION_BYTES = 32 << 30
"""What one invocation can read besides training, with some to spare: 5 of its 11 minutes at 7.6 ms of CPU an object
(`make bench-scale`), or 8 at 75 MB/s."""

Name = Annotated[str, msgspec.Meta(pattern=f"{PATTERN}|^$")]
"""Empty where objects are those of several machines."""


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Machine-days of one date to be read. The field names are the manifest's.

    Attributes:
        day: the date.
        machines: zone and id of each.
        objects, bytes: of them in the lake when it was planned; 0 where nobody counted.
        refresh: rows that were stored before this time, aware, are read anew; None keeps all.
    """

    day: date
    machines: Annotated[tuple[tuple[Name, Name], ...], msgspec.Meta(min_length=1, max_length=MAX_MACHINE_DAYS)]
    objects: int = 0
    bytes: int = 0
    refresh: Annotated[datetime, msgspec.Meta(tz=True)] | None = None

    @property
    def name(self) -> str:
        """The same for the same machines of the same day."""
        return digest(msgspec.json.encode((self.day, self.machines)))

    @property
    def owners(self) -> list[Machine]:
        """Its machines."""
        return [Machine(*names) for names in self.machines]


class Unread(NamedTuple):
    """A machine-day of which no rows are kept: whose, and its objects and bytes in the lake."""

    machine: Machine
    objects: int
    bytes: int


def split(day: date, unread: Iterable[Unread], refresh: datetime | None = None) -> list[Batch]:
    """Batches of a day, in the order of its machines."""
    groups: list[list[Unread]] = []
    size = 0
    for item in sorted(unread):
        if not groups or len(groups[-1]) == MAX_MACHINE_DAYS or size + item.bytes > MAX_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(item)
        size += item.bytes
    return [
        Batch(
            day,
            tuple((item.machine.zone_id, item.machine.equip_id) for item in group),
            sum(item.objects for item in group),
            sum(item.bytes for item in group),
            refresh,
        )
        for group in groups
    ]


def manifest(batches: Sequence[Batch]) -> bytes:
    """A line for each batch; neighbours are of different days, whose objects a store serves from different places."""
    seen: dict[date, int] = {}
    rounds = []
    for batch in batches:
        rounds.append(seen.get(batch.day, 0))
        seen[batch.day] = rounds[-1] + 1
    order = sorted(range(len(batches)), key=lambda at: (rounds[at], batches[at].day))
    return b"".join(msgspec.json.encode(batches[at]) + b"\n" for at in order)


def exceeds_one_function(batches: Sequence[Batch]) -> bool:
    """Whether they hold more than one invocation of the retrain function reads before it trains."""
    return (
        sum(batch.objects for batch in batches) > ONE_FUNCTION_OBJECTS
        or sum(batch.bytes for batch in batches) > ONE_FUNCTION_BYTES
    )


def digest(content: bytes) -> str:
    """A name that content has for itself."""
    return hashlib.sha256(content).hexdigest()[:16]

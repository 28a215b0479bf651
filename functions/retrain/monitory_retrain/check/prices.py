"""What running the service costs: arithmetic on measured figures and list prices of ap-northeast-2, in US dollars.

GET $0.00035, PUT and LIST $0.0045 per 1,000; Lambda x86 $0.0000166667 per GB-second. Storage, logs and the gateway are
left out. `benchmarks.costs` prints the table of it.
"""

from math import ceil
from typing import NamedTuple

from monitory_retrain.ingest.backfill.batches import MAX_BYTES, MAX_MACHINE_DAYS

GET_PRICE, PUT_LIST_PRICE, GB_SECOND_PRICE = 0.35e-6, 4.5e-6, 16.6667e-6
PREDICTION_PRICE = 15.0e-6
"""Requests to S3 of a prediction of a new hour: 3 GET, 1 PUT, 2.1 LIST on average (`make bench` counts them)."""

CORE_MB, NETWORK_MB_S = 1769, 75
MEMORY_MB = (3008, 10240)
"""What new accounts may use at most, and what Lambda has at most."""

MAX_SECONDS = 900
START_SECONDS, TRAINING_SECONDS = 5.0, 10.0
"""Start of the image, and what training costs however few rows there are (CPU)."""

TRANSITION_PRICE = 25.0e-6
BATCH_TRANSITIONS = 4
"""Of a batch's own execution: its start, reading, looking at the answer, its end."""

VERSION_PUTS = 10
"""A version's files, promotion, state, one day's rows."""


class Measured(NamedTuple):
    """Measured figures: CPU seconds of an object and of an hour row in training, bytes of memory of such a row."""

    object_seconds: float = 7.6e-3
    row_seconds: float = 0.36e-3
    row_bytes: float = 4000.0


class Night(NamedTuple):
    """A night's retrain; seconds are of the clock. `learning` is None where it doesn't fit into an invocation."""

    gets: int
    lists: int
    puts: int
    memory_mb: int
    needed_mb: float
    reading: float
    learning: float | None

    @property
    def gb_seconds(self) -> float:
        """Of the function."""
        return (self.reading + (self.learning or 0.0)) * self.memory_mb / 1024

    @property
    def dollars(self) -> float:
        """For requests and the function."""
        requests = self.gets * GET_PRICE + (self.lists + self.puts) * PUT_LIST_PRICE
        return self.gb_seconds * GB_SECOND_PRICE + requests


class Backfill(NamedTuple):
    """Reading in batches; seconds are of the clock."""

    machine_days: int
    objects: int
    batches: int
    batch_seconds: float

    def seconds(self, concurrency: int) -> float:
        """Of all batches, so many at once."""
        return ceil(self.batches / concurrency) * self.batch_seconds

    @property
    def gb_seconds(self) -> float:
        """Of the read function."""
        return self.batches * self.batch_seconds * CORE_MB / 1024

    @property
    def dollars(self) -> float:
        """For requests, the function and the state machine."""
        requests = (self.objects + self.batches) * GET_PRICE + (self.machine_days + self.batches) * PUT_LIST_PRICE
        return requests + self.gb_seconds * GB_SECOND_PRICE + self.batches * BATCH_TRANSITIONS * TRANSITION_PRICE


def backfill(machines: int, days: int, objects: int, megabytes: float, measured: Measured) -> Backfill:
    """The reading of so many days; `objects` and `megabytes` are those of a machine-day."""
    of_batch = min(machines, MAX_MACHINE_DAYS, max(1, int(MAX_BYTES / 1e6 / megabytes)))
    seconds = max(of_batch * objects * measured.object_seconds, of_batch * megabytes / NETWORK_MB_S)
    return Backfill(machines * days, machines * days * objects, days * ceil(machines / of_batch), seconds)


def night(objects: int, megabytes: float, days: int, measured: Measured, *, machine_hours: int | None = None) -> Night:
    """The retrain after a day of so many objects.

    Args:
        objects, megabytes: of the day.
        days: of the training window.
        measured: what the arithmetic rests on.
        machine_hours: hour rows of a day; as many as objects where not given.
    """
    rows = (objects if machine_hours is None else machine_hours) * days
    needed = rows * measured.row_bytes / 2**20
    memory = next((mb for mb in MEMORY_MB if _learning(rows, mb, measured) and needed <= mb), MEMORY_MB[-1])
    learning = _learning(rows, memory, measured) if needed <= memory else None
    reading = max(objects * measured.object_seconds * CORE_MB / memory, megabytes / NETWORK_MB_S)
    return Night(objects + days + 1, days * ceil(objects / 1000), VERSION_PUTS, memory, needed, reading, learning)


def _learning(rows: int, memory_mb: int, measured: Measured) -> float | None:
    """Seconds from hour rows to a verdict; None where an invocation is too short for it."""
    seconds = START_SECONDS + (TRAINING_SECONDS + rows * measured.row_seconds) * CORE_MB / memory_mb
    return seconds if seconds <= MAX_SECONDS else None

"""The prediction log as arrays."""

from dataclasses import dataclass

from monitory_retrain.array_types import Floats, Ints


@dataclass(frozen=True, slots=True)
class LoggedPredictions:
    """What the log says of the rows of a table.

    Attributes:
        days: RUL, shape (n,); NaN for a row without a line.
        low, high: the interval's ends, days, shape (n,); NaN where the line has none, infinite where it is open.
        version: index into `versions`, shape (n,); -1 for a row without a line.
        versions: of the models; None is one that this service did not train.
        objects: how many were read.
        bytes_read: of them, unpacked.
        faults: objects and lines that cannot be read, a sentence each.
    """

    days: Floats
    low: Floats
    high: Floats
    version: Ints
    versions: list[str | None]
    objects: int
    bytes_read: int
    faults: list[str]

"""The inner loops over every reading and every byte, decoding apart.

Serving runs these definitions, which need no numpy. Training passes a vectorised implementation with bit-identical
results.
"""

from collections.abc import Callable, Iterable, Iterator
from math import sqrt
from typing import NamedTuple

from monitory.decoding.tables import Row


class ReadingStatistics(NamedTuple):
    """The distribution of a sensor's readings.

    Attributes:
        smallest, largest: the extremes; a zero is positive.
        outside: number beyond the limits.
        deviations: the standard deviations over five neighbouring readings, shape (n-4,); empty for fewer than five.
    """

    smallest: float
    largest: float
    outside: int
    deviations: list[float]


class Kernel(NamedTuple):
    """An implementation of `reading_statistics` and `newlines`."""

    reading_statistics: Callable[[list[float], float, float, float], ReadingStatistics]
    newlines: Callable[[bytes, int], int]
    parquet_rows: Callable[[str, Iterable[bytes]], Iterator[list[Row]]] | None = None
    """The rows of a Parquet object (its key, its bytes), some at a time; None where no library reads them."""


def reading_statistics(values: list[float], mean: float, low: float, high: float) -> ReadingStatistics:
    """The statistics of readings, shape (n,), n > 0, finite, with their mean and the alert limits."""
    smallest, largest = min(values) + 0.0, max(values) + 0.0
    outside = len([value for value in values if value < low]) if smallest < low else 0
    if largest > high:
        outside += len([value for value in values if value > high])
    return ReadingStatistics(smallest, largest, outside, _rolling_deviations(values, mean))


def newlines(piece: bytes, end: int) -> int:
    """The number of newlines in a piece before `end`."""
    return piece.count(b"\n", 0, end)


def _rolling_deviations(values: list[float], mean: float) -> list[float]:
    """As `ReadingStatistics.deviations`. Values are centred on `mean` first, so that the sums of squares don't cancel:

    s^2 = (sum(w^2) - sum(w)^2 / 5) / 4 with w = v - mean.
    """
    w = [value - mean for value in values]
    q = [value * value for value in w]
    return [
        sqrt(variance * 0.25)
        if (variance := (qa + qb + qc + qd + qe) - (total := a + b + c + d + e) * total * 0.2) > 0
        else 0.0
        for a, b, c, d, e, qa, qb, qc, qd, qe in zip(
            w, w[1:], w[2:], w[3:], w[4:], q, q[1:], q[2:], q[3:], q[4:], strict=False
        )
    ]


PURE = Kernel(reading_statistics, newlines)

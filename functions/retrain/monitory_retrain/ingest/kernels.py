"""A vectorised implementation of the kernel with bit-identical results.

`monitory.readings.kernels` is the definition; this does the same additions and multiplications in the same order. It
needs numpy, which serving does without.
"""

import numpy as np

from monitory.readings.kernels import Kernel, ReadingStatistics


def reading_statistics(values: list[float], mean: float, low: float, high: float) -> ReadingStatistics:
    """See `monitory.readings.kernels.reading_statistics`: the same arguments, the same result."""
    v = np.fromiter(values, np.float64, len(values))
    smallest, largest = float(v.min()) + 0.0, float(v.max()) + 0.0
    outside = int(np.count_nonzero((v < low) | (v > high))) if smallest < low or largest > high else 0
    w = v - mean
    q = w * w
    total = w[:-4] + w[1:-3] + w[2:-2] + w[3:-1] + w[4:]
    variance = q[:-4] + q[1:-3] + q[2:-2] + q[3:-1] + q[4:] - total * total * 0.2
    return ReadingStatistics(smallest, largest, outside, np.sqrt(np.maximum(variance, 0.0) * 0.25).tolist())


def newlines(piece: bytes, end: int) -> int:
    """See `monitory.readings.kernels.newlines`: the same arguments, the same result."""
    return int(np.count_nonzero(np.frombuffer(piece, np.uint8, end) == ord("\n")))


VECTORISED = Kernel(reading_statistics, newlines)

"""The rolling kernel of hour rows spelled for whole arrays.

`rows.rolling_deviations` is the definition; this does the same additions and multiplications in the same order, so
that every result has the same bits. It is three times as fast, and needs numpy, which serving does without.
"""

import numpy as np


def rolling_deviations(values: list[float], mean: float) -> list[float]:
    """See `monitory.rows.rolling_deviations`: the same arguments, the same result."""
    w = np.array(values) - mean
    q = w * w
    total = w[:-4] + w[1:-3] + w[2:-2] + w[3:-1] + w[4:]
    variance = q[:-4] + q[1:-3] + q[2:-2] + q[3:-1] + q[4:] - total * total * 0.2
    deviations: list[float] = np.sqrt(np.maximum(variance, 0.0) * 0.25).tolist()
    return deviations

"""Balancing of the training part over RUL, by imbalanced-learn.

A healthy machine gives many rows with a long RUL and few before its failure. Bins of RUL are brought closer to the
median bin: larger ones are thinned to at most `SPREAD` times it, smaller ones are repeated up to 1 / `SPREAD` of it.
No range of RUL is dropped.
"""

import numpy as np

from monitory_retrain.array_types import Floats, Ints

BINS = 10
SPREAD = 2.0


def bins(rul: Floats, count: int = BINS) -> Ints:
    """The RUL bin of each row: equal widths from 0 to the largest RUL."""
    edges = np.linspace(0.0, float(rul.max()) or 1.0, count + 1)[1:-1]
    return np.digitize(rul, edges)


def balanced(rul: Floats, seed: int) -> Ints:
    """Indices of rows after balancing: some rows left out, some repeated, in order.

    Args:
        rul: labels of the training part, days, shape (n,).
        seed: decides which rows.
    """
    from imblearn.over_sampling import RandomOverSampler  # only learning pays for it
    from imblearn.under_sampling import RandomUnderSampler

    label = bins(rul)
    present, sizes = np.unique(label, return_counts=True)
    if len(present) < 2:
        return np.arange(len(rul))
    median = float(np.median(sizes))
    counts = dict(zip(present.tolist(), sizes.tolist(), strict=True))
    index = np.arange(len(rul)).reshape(-1, 1)
    most = {key: min(size, max(1, int(median * SPREAD))) for key, size in counts.items()}
    index, label = RandomUnderSampler(sampling_strategy=most, random_state=seed).fit_resample(index, label)
    least = {key: max(size, int(median / SPREAD)) for key, size in most.items()}
    index, _ = RandomOverSampler(sampling_strategy=least, random_state=seed).fit_resample(index, label)
    return np.sort(index.ravel())

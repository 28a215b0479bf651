"""Large arrays of numbers: in a file, of which the kernel keeps in memory what there is room for.

The file is in the folder for temporary files and has no name: it ends with its array. Where the folder has no room for
it the array is in memory.
"""

import mmap
import os
from tempfile import TemporaryFile

import numpy as np

from monitory_retrain.array_types import Floats

IN_MEMORY_BYTES = 256 << 20
"""Up to so large an array is in memory."""


def empty(shape: tuple[int, int]) -> Floats:
    """An array of any values, in memory or, from `IN_MEMORY_BYTES` on, in a file."""
    size = shape[0] * shape[1] * np.dtype(np.float64).itemsize
    if size <= IN_MEMORY_BYTES:
        return np.empty(shape)
    with TemporaryFile(prefix="monitory-rows-") as file:  # the array keeps it open
        try:
            os.posix_fallocate(file.fileno(), 0, size)  # a full disk shows here, not as a signal at some write
        except OSError:
            return np.empty(shape)
        return np.asarray(np.memmap(file, np.float64, "r+", shape=shape))


def let_go(array: Floats) -> None:
    """Take no memory for an array that is in a file until its values are asked for again; others stay as they are."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)

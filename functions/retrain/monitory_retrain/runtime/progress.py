"""Progress of long work: a bar in a terminal, a log line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from monitory.log import Logger

EVERY_SECONDS = 10.0


class Progress:
    """Counts finished pieces of one piece of work."""

    def __init__(self, log: Logger, what: str, total: int) -> None:
        """Start at 0 of `total`."""
        self._log = log
        self._what = what
        self._total = total
        self._done = 0
        self._logged = self._started = time.monotonic()
        self._bar = tqdm(total=total, desc=what, unit="", disable=not sys.stderr.isatty())

    def step(self, count: int = 1) -> None:
        """Count finished pieces."""
        self._done += count
        self._bar.update(count)
        if self._bar.disable and time.monotonic() - self._logged > EVERY_SECONDS:
            self._logged = time.monotonic()
            self._log.info("%s: %d of %d", self._what, self._done, self._total)

    def close(self) -> None:
        """Log the duration."""
        self._bar.close()
        self._log.info("%s: %d of %d in %.1f s", self._what, self._done, self._total, time.monotonic() - self._started)


@contextmanager
def progress(log: Logger, what: str, total: int) -> Iterator[Progress]:
    """Progress of a piece of work, closed at its end."""
    bar = Progress(log, what, total)
    try:
        yield bar
    finally:
        bar.close()

"""What local programs show: progress while they work, one line when they fail."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from monitory.errors import MonitoryError


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on standard error; yields the function that advances it by one."""
    with tqdm(total=total, desc=title, unit="", mininterval=0.5) as bar:

        def advance() -> None:
            bar.update()

        yield advance


@contextmanager
def no_progress(title: str, total: int) -> Iterator[Callable[[], None]]:
    """In place of a progress bar, for what is short."""
    yield lambda: None


def run(main: Callable[[], None]) -> None:
    """Run a program.

    An error of the product's or the system's ends it with one line, an interrupt with none. SIGTERM ends it in good
    order, so that the servers that it started stop, too.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except MonitoryError as exc:
        sys.exit(f"error: {exc}")
    except OSError as exc:
        sys.exit(f"error: {f'{exc.filename}: ' if exc.filename else ''}{exc.strerror or exc}")
    except KeyboardInterrupt:
        sys.exit(130)

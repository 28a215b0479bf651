"""Runs of the registry that go on call by call, and may die before any of them."""

import threading
from collections.abc import Callable
from itertools import count

from monitory.errors import Conflict, NoModel, PreconditionFailed, UnknownVersion
from monitory.registry.registry import Registry
from tests.support.fakes import WatchedStorage
from tests.support.registries import KEY


class Crash(BaseException):
    """The process ends; nothing in it can catch that."""


class UniqueEtags(WatchedStorage):
    """No two writes have the same ETag, as in a bucket encrypted with KMS keys.

    Where an ETag is a hash of the bytes, the registry looks again just before its write; two promotions between that
    look and the write, the second of the same bytes, go unnoticed.
    """

    _numbers = count()

    def _etag(self, body: bytes) -> str:
        return f'"{next(self._numbers)}"'


class Run:
    """A run of the registry in a thread of its own, that goes on call by call."""

    def __init__(self, storage: WatchedStorage, work: Callable[[Registry], object]) -> None:
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._killed = False
        self.done = False
        self.next_call = ("", "")
        self._storage, self._work = storage, work
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()
        self._stopped.acquire()

    def _main(self) -> None:
        mine = UniqueEtags(before=self._pause)
        mine.__dict__.update(vars(self._storage) | {"before": self._pause})
        try:
            self._work(Registry(mine, KEY))
        except (Crash, Conflict, NoModel, UnknownVersion, PreconditionFailed):
            pass
        finally:
            self.done = True
            self._stopped.release()

    def _pause(self, verb: str, key: str) -> None:
        self.next_call = (verb, key)
        self._stopped.release()
        self._go.acquire()
        if self._killed:
            raise Crash

    def step(self) -> None:
        """One call of the store."""
        if not self.done:
            self._go.release()
            self._stopped.acquire()

    def kill(self) -> None:
        """End it before its next call."""
        self._killed = True
        self.step()
        self._thread.join()

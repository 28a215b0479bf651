"""An object of state that another function writes, in memory while its ETag stays the same."""

import threading
from typing import Generic, TypeVar

from monitory.errors import StorageError
from monitory.log import Logger
from monitory.storage.port import Storage
from monitory.storage.state_object import StateObject, Stored

T = TypeVar("T")


class StateCache(Generic[T]):
    """The newest state: each time it is asked for, one conditional read."""

    def __init__(self, storage: Storage, state: StateObject[T]) -> None:
        """Nothing is read yet."""
        self._storage = storage
        self._object = state
        self._lock = threading.Lock()
        self._stored = state.nothing

    def current(self) -> Stored[T]:
        """What is stored; an empty value without an ETag where there is no object.

        Raises:
            StorageUnavailable: the store failed.
            StorageError: the object is damaged.
        """
        with self._lock:
            self._stored = self._object.read_if_changed(self._storage, self._stored)
            return self._stored

    def current_or_empty(self, log: Logger) -> T:
        """The state; an empty one while it cannot be read, which the log is told: for what can be done without."""
        try:
            return self.current().value
        except StorageError as exc:
            log.warning("the stored state is not used: %s", exc)
            return self._object.nothing.value

"""Machines' last failures, cached for some minutes."""

import threading
import time

from monitory.errors import StorageError
from monitory.features import failure_state
from monitory.features.failure_state import FailureState
from monitory.log import Logger
from monitory.storage.port import Storage

REFRESH_SECONDS = 600.0
"""How long the state is cached; retraining writes it once a night."""


class FailureCache:
    """The failure state of the model bucket; while it cannot be read, the last good one."""

    def __init__(self, storage: Storage, log: Logger) -> None:
        """Nothing is read yet."""
        self._storage = storage
        self._log = log
        self._lock = threading.Lock()
        self._state = FailureState()
        self._read_at: float | None = None
        self._etag: str | None = None

    @property
    def last_good(self) -> FailureState:
        """The last good state, without a request."""
        return self._state

    def state(self) -> FailureState:
        """The state, read again after `REFRESH_SECONDS`; the last good one where that fails."""
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at > REFRESH_SECONDS:
                try:
                    stored = failure_state.read(self._storage)
                    if stored.etag is None and self._etag is not None:
                        self._log.warning("the machines' last failures are gone; the last good ones stay in use")
                    else:
                        self._state, self._etag = stored
                    self._read_at = time.monotonic()
                except StorageError as exc:
                    self._log.warning("the machines' last failures cannot be read: %s", exc)
            return self._state

"""Machines' last failures, as retraining left them; read again now and then."""

import threading
import time

from monitory.errors import StorageError
from monitory.features import failure_state
from monitory.features.failure_state import FailureState
from monitory.log import Logger
from monitory.storage.port import Storage

EVERY_SECONDS = 600.0
"""Retraining writes the state once a night."""


class Failures:
    """The failure state of the model bucket, kept in memory for some minutes."""

    def __init__(self, storage: Storage, log: Logger) -> None:
        """Nothing is read yet."""
        self._storage = storage
        self._log = log
        self._lock = threading.Lock()
        self._state = FailureState()
        self._read_at: float | None = None
        self._read_etag: str | None = None

    @property
    def last_known(self) -> FailureState:
        """The state that was read last, without asking the store."""
        return self._state

    def state(self) -> FailureState:
        """The state; where it can't be read, the one before: a prediction is worth more than its newest detail."""
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at > EVERY_SECONDS:
                try:
                    found = failure_state.read(self._storage)
                    if found.etag is None and self._read_etag is not None:
                        self._log.warning("the machines' last failures are gone; those read before stand in")
                    else:
                        self._state, self._read_etag = found
                    self._read_at = time.monotonic()
                except StorageError as exc:
                    self._log.warning("the machines' last failures cannot be read: %s", exc)
            return self._state

"""Machines' last failures and the factory's log of failures and maintenance, cached for some time."""

import threading
import time
from typing import NamedTuple

from monitory.errors import ObjectNotFound, StorageError, UnreadableObject
from monitory.features import failure_state
from monitory.features.failure_state import FailureState
from monitory.log import Logger
from monitory.logbook.logbook import Logbook, read_logbook
from monitory.storage.port import Storage

REFRESH_SECONDS = 600.0
"""How long the state is cached; retraining writes it once a night."""

LOG_SECONDS = 60.0
"""How long the log is cached; people write it, and look at once for what comes of it."""


class Failures(NamedTuple):
    """The failure state, and the logbook that it names; None without one."""

    state: FailureState = FailureState()
    logbook: Logbook | None = None


class FailureCache:
    """The failure state of the model bucket and the log in the lake; the last good ones while they cannot be read."""

    def __init__(self, models: Storage, lake: Storage, log: Logger, lake_name: str = "") -> None:
        """Nothing is read yet; `lake_name` is the lake's fingerprint, empty to take the state of any."""
        self._models = models
        self._lake = lake
        self._log = log
        self._lake_name = lake_name
        self._lock = threading.Lock()
        self._failures = Failures()
        self._read_at: float | None = None
        self._etag: str | None = None
        self._log_read_at: float | None = None
        self._log_etag: str | None = None

    @property
    def last_good(self) -> Failures:
        """The last good ones, without a request."""
        return self._failures

    @property
    def is_read(self) -> bool:
        """Whether the state has ever been read."""
        return self._read_at is not None

    @property
    def log_etag(self) -> str:
        """The log's ETag; empty without a log."""
        return self._log_etag or ""

    @property
    def fingerprint(self) -> str:
        """What tells one state and log from another: the ETags of both objects."""
        return f"{self._etag} {self._log_etag}"

    def current(self) -> Failures:
        """The state, read again after `REFRESH_SECONDS`, and the log, after `LOG_SECONDS`; the last good ones else."""
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at > REFRESH_SECONDS:
                self._read_state()
            if self._log_read_at is None or time.monotonic() - self._log_read_at > LOG_SECONDS:
                self._read_log(self._failures.state.log_key)
            return self._failures

    def _read_state(self) -> None:
        try:
            stored = failure_state.read(self._models, self._lake_name)
        except StorageError as exc:
            self._log.warning("the machines' last failures cannot be read: %s", exc)
            return
        if stored.etag is None and self._etag is not None:
            self._log.warning("the machines' last failures are gone; the last good ones stay in use")
        else:
            if stored.state.log_key != self._failures.state.log_key:
                self._failures, self._log_etag, self._log_read_at = Failures(), None, None
            self._failures = self._failures._replace(state=stored.state)
            self._etag = stored.etag
        self._read_at = time.monotonic()

    def _read_log(self, key: str | None) -> None:
        if key is None:
            return
        self._log_read_at = time.monotonic()
        try:
            blob = self._lake.get_if_changed(key, self._log_etag)
            if blob:
                logbook = read_logbook(blob.body)
                self._failures, self._log_etag = self._failures._replace(logbook=logbook), blob.etag
        except ObjectNotFound:
            self._log.warning("the failure log %s is not there; the last good one stays in use", key)
        except (StorageError, UnreadableObject) as exc:
            self._log.warning("the failure log %s cannot be read: %s", key, exc)

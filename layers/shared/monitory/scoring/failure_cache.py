"""Machines' last failures and the factory's logbook, its file and its records, cached for some time."""

import hashlib
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from monitory.errors import ObjectNotFound, StorageError, UnreadableObject
from monitory.features import failure_state
from monitory.features.failure_state import FailureState
from monitory.log import Logger
from monitory.logbook import records
from monitory.logbook.entry import Kind
from monitory.logbook.logbook import Logbook, read_logbook
from monitory.logbook.records import NO_RECORDS, Records
from monitory.storage.port import Storage

REFRESH_SECONDS = 600.0
"""How long the state is cached; retraining writes it once a night."""

LOG_SECONDS = 60.0
"""How long the log is cached where predictions are asked for; people write it, and look for what comes of it."""


_FOR_PREDICTIONS = (Kind.FAILURE, Kind.MAINTENANCE, Kind.FALSE_ALARM)
"""Kinds of records that change what is predicted."""


class Failures(NamedTuple):
    """The failure state, and the logbook: the file that the state names, and the records; None without either."""

    state: FailureState = FailureState()
    logbook: Logbook | None = None


class FailureCache:
    """The failure state of the model bucket and the logbook; the last good ones while they cannot be read."""

    def __init__(
        self, models: Storage, lake: Storage, log: Logger, lake_name: str = "", *, for_scoring: bool = False
    ) -> None:
        """Nothing is read yet.

        `lake_name` is the lake's fingerprint, empty to take the state of any. With `for_scoring` the log is read each
        time, for a run's cases must not rest on what an earlier one read, and the index of records is brought up to
        date before it is read.
        """
        self._for_scoring = for_scoring
        self._read_records: Callable[[Records], Records] = (
            (lambda _: records.update_index(models))
            if for_scoring
            else (lambda stored: records.read_index(models, stored))
        )
        self._records = NO_RECORDS
        self._records_read_at: float | None = None
        self._file: Logbook | None = None
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
        """Whether the state and the records have ever been read."""
        return self._read_at is not None and self._records_read_at is not None

    @property
    def log_etag(self) -> str:
        """The log's ETag; empty without a log."""
        return self._log_etag or ""

    @property
    def fingerprint(self) -> str:
        """What tells one state and logbook from another: ETags of the state and the log file, a hash of the records."""
        of_interest = [one for _, one in sorted(self._records.by_key.items()) if one.kind in _FOR_PREDICTIONS]
        digest = hashlib.sha256(msgspec.json.encode(of_interest)).hexdigest()[:16] if of_interest else ""
        return f"{self._etag} {self._log_etag} {digest}".rstrip()

    def current(self) -> Failures:
        """The state, read again after `REFRESH_SECONDS`, and the logbook, after `LOG_SECONDS`; else the last good ones.

        For scoring, the logbook is read each time.
        """
        log_seconds = 0.0 if self._for_scoring else LOG_SECONDS
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at > REFRESH_SECONDS:
                self._read_state()
            if self._log_read_at is None or time.monotonic() - self._log_read_at >= log_seconds:
                self._read_log(self._failures.state.log_key)
            if self._records_read_at is None or time.monotonic() - self._records_read_at >= log_seconds:
                self._refresh_records()
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
                self._file, self._log_etag, self._log_read_at = None, None, None
            self._failures = self._failures._replace(state=stored.state)
            self._etag = stored.etag
            self._join()
        self._read_at = time.monotonic()

    def _read_log(self, key: str | None) -> None:
        if key is None:
            return
        self._log_read_at = time.monotonic()
        try:
            blob = self._lake.get_if_changed(key, self._log_etag)
            if blob:
                self._file, self._log_etag = read_logbook(blob.body), blob.etag
                self._join()
        except ObjectNotFound:
            self._log.warning("the failure log %s is not there; the last good one stays in use", key)
        except (StorageError, UnreadableObject) as exc:
            self._log.warning("the failure log %s cannot be read: %s", key, exc)

    def _refresh_records(self) -> None:
        try:
            stored = self._read_records(self._records)
        except StorageError as exc:
            self._log.warning("the records cannot be read: %s", exc)
            return
        if stored.etag != self._records.etag:
            self._records = stored
            self._join()
        self._records_read_at = time.monotonic()

    def _join(self) -> None:
        """Join the log file and the records; while a file is named and unread there is no logbook."""
        entries = self._records.entries
        is_unread = self._file is None and self._failures.state.log_key is not None
        joined = None if is_unread or not (self._file or entries) else (self._file or Logbook()).with_records(entries)
        self._failures = self._failures._replace(logbook=joined)

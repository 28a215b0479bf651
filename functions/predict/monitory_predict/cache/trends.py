"""The trends that the score function keeps, in memory while their ETag stays the same."""

import threading

from monitory.errors import ObjectNotFound, StorageError
from monitory.log import Logger
from monitory.scoring import trends
from monitory.scoring.trends import StoredTrends, Trends
from monitory.storage.port import Storage


class TrendCache:
    """The newest trends; empty while there are none that can be read: a page without them is still of use."""

    def __init__(self, storage: Storage, lake: str, log: Logger) -> None:
        """Nothing is read yet; `lake` is the lake's fingerprint."""
        self._storage = storage
        self._lake = lake
        self._log = log
        self._lock = threading.Lock()
        self._stored = StoredTrends()

    def current(self) -> Trends:
        """The trends, by one conditional read."""
        with self._lock:
            try:
                blob = self._storage.get_if_changed(trends.key(self._lake), self._stored.etag)
                if blob:
                    self._stored = StoredTrends(trends.decode(blob, self._lake), blob.etag)
            except ObjectNotFound:
                self._stored = StoredTrends()
            except StorageError as exc:
                self._log.warning("the trends cannot be read: %s", exc)
                return Trends()
            return self._stored.trends

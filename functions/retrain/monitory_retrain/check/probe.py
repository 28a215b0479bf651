"""A bucket that is looked at with a bounded number of requests."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NoReturn

from monitory.storage.port import Blob, Entry, Storage

PAGE_KEYS = 1000
"""Keys that one request lists."""


class Probe:
    """A bucket for reading, whose listings end early.

    Attributes:
        lists, gets: requests so far.
        keys: how many of a folder are listed at most.
        is_cut: whether a listing has ended early.
    """

    def __init__(self, storage: Storage, keys: int) -> None:
        """Nothing is requested yet."""
        self.name = storage.name
        self.lists = self.gets = 0
        self.keys = keys
        self.is_cut = False
        self._storage = storage

    def get(self, key: str) -> Blob:
        """See Storage."""
        self.gets += 1
        return self._storage.get(key)

    def get_if_changed(self, key: str, etag: str | None) -> Blob | None:
        """See Storage."""
        self.gets += 1
        return self._storage.get_if_changed(key, etag)

    def stream(self, key: str, chunk_bytes: int) -> Iterator[bytes]:
        """See Storage."""
        self.gets += 1
        return self._storage.stream(key, chunk_bytes)

    def list(self, folder: str) -> Iterator[Entry]:
        """The first keys of a folder, see Storage."""
        self.lists += 1
        for number, entry in enumerate(islice(self._storage.list(folder), self.keys + 1)):
            if number == self.keys:
                self.is_cut = True
                return
            if number and number % PAGE_KEYS == 0:
                self.lists += 1
            yield entry

    def folders(self, folder: str) -> Sequence[str]:
        """The folders in a folder, see Storage; of one that holds a page of objects and nothing else, none."""
        self.lists += 1
        start = f"{folder}/" if folder else ""
        page = list(islice(self._storage.list(folder), PAGE_KEYS)) if folder else []
        if len(page) == PAGE_KEYS and not any("/" in entry.key.removeprefix(start) for entry in page):
            return ()  # listing the folders of a flat bucket would list all its keys
        self.lists += 1
        return self._storage.folders(folder)

    def put(self, key: str, *_: object, **__: object) -> NoReturn:
        """Refuse: a check changes nothing."""
        raise AssertionError(f"a check writes {key}")

"""The interface to an object store: six operations and their types."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from monitory.errors import StorageUnavailable

MAX_WHOLE_BYTES = 128 << 20
"""Larger objects are only streamed; no model, card or cache of ours comes near it."""


class Blob(NamedTuple):
    """An object: its bytes, its ETag, its metadata (keys in lower case) and when it was written."""

    body: bytes
    etag: str
    metadata: Mapping[str, str]
    modified: datetime


class Entry(NamedTuple):
    """A line of a listing; `size` in bytes.

    `fault` says why a key cannot be requested. Such an entry has nothing but its key, and may stand for several keys
    with the same beginning.
    """

    key: str
    etag: str
    size: int
    modified: datetime
    fault: str = ""


class IncompleteListing(StorageUnavailable):
    """A listing lacks the entries before a malformed key in some folders."""

    def __init__(self, message: str, folders: Sequence[str]) -> None:
        """`folders`: those with gaps."""
        super().__init__(message)
        self.folders = folders


class Storage(Protocol):
    """One bucket."""

    name: str

    def get(self, key: str) -> Blob:
        """Read an object.

        Raises:
            ObjectNotFound: there is none.
            ObjectTooLarge: it has more than `MAX_WHOLE_BYTES`.
            StorageUnavailable: the store failed.
        """

    def get_if_changed(self, key: str, etag: str | None) -> Blob | None:
        """Read an object; None if its ETag is still `etag`.

        Raises:
            ObjectNotFound: there is none.
            ObjectTooLarge: it has more than `MAX_WHOLE_BYTES`.
            StorageUnavailable: the store failed.
        """

    def stream(self, key: str, chunk_bytes: int) -> Iterator[bytes]:
        """Read an object in chunks of at least `chunk_bytes`, the last one excepted.

        Raises:
            ObjectNotFound: there is none.
            StorageUnavailable: the store failed.
        """

    def list(self, folder: str) -> Iterator[Entry]:
        """Every object under a folder (no half names), any number of pages, in key order.

        Raises:
            IncompleteListing: at the end; a malformed key hid some entries.
            StorageUnavailable: the store failed.
        """

    def folders(self, folder: str) -> Sequence[str]:
        """The names of the folders directly in a folder; the bucket's for an empty name.

        Raises:
            StorageUnavailable: the store failed.
        """

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str,
        metadata: Mapping[str, str] | None = None,
        replaces: str | None = None,
        create: bool = False,
    ) -> str:
        """Write an object and return its ETag.

        Args:
            key: where to.
            body: what.
            content_type: its media type.
            metadata: names in lower case and values in ASCII.
            replaces: write only over the object with this ETag.
            create: write only where there is no object yet.

        Raises:
            PreconditionFailed: `replaces` or `create` does not hold.
            StorageUnavailable: the store failed.
        """

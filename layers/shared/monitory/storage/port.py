"""What the product asks of an object store: five verbs, and what they exchange."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from monitory.errors import StorageUnavailable

MAX_WHOLE_BYTES = 128 << 20
"""A larger object is not held in memory whole: no model, card or cache of ours comes near it."""


class Blob(NamedTuple):
    """An object: its bytes, its ETag, its metadata (keys in lower case) and when it was written."""

    body: bytes
    etag: str
    metadata: Mapping[str, str]
    modified: datetime


class Entry(NamedTuple):
    """A line of a listing; `size` in bytes.

    `fault` says why a key can't be asked for. Of such an entry nothing but the key is known, and it may stand for
    several that begin alike.
    """

    key: str
    etag: str
    size: int
    modified: datetime
    fault: str = ""


class IncompleteListing(StorageUnavailable):
    """All of a listing was given, except what stands in some folders before a key that can't be asked for."""

    def __init__(self, message: str, folders: Sequence[str]) -> None:
        """`folders`: in which something was not seen."""
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
        """Read an object unless its ETag is still `etag`; None says that it is.

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
        """Every object under a folder (no half names), any number of pages, in the order of keys.

        Raises:
            IncompleteListing: at the end; some entries could not be seen because of one that has a fault.
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
            replaces: write only over the object of this ETag.
            create: write only where there is no object yet.

        Raises:
            PreconditionFailed: `replaces` or `create` does not hold.
            StorageUnavailable: the store failed.
        """

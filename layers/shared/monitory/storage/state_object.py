"""An object of state: JSON, gzipped, read with its ETag and written on condition that it is still what was read."""

import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, NamedTuple, TypeVar

import msgspec

from monitory.errors import UNDECODABLE, ObjectNotFound, PreconditionFailed, StorageError, StorageUnavailable
from monitory.storage.port import Blob, Storage

_TRIES = 5

T = TypeVar("T")


class Stored(NamedTuple, Generic[T]):
    """What an object holds, and its ETag; None without an object."""

    value: T
    etag: str | None = None


class StateObject(Generic[T]):
    """One object of state. `kind()`, its type's value without arguments, stands for an object that is not there."""

    def __init__(self, key: str, kind: type[T], remedy: str = "") -> None:
        """Nothing is read yet.

        Args:
            key: where it lies.
            kind: the type of what it holds.
            remedy: what people do about a damaged object, as the error tells them. Without one a damaged object counts
                as an empty one for those who write it, and is replaced: what it held can be computed again.
        """
        self.key = key
        self._kind = kind
        self._remedy = remedy

    def read(self, storage: Storage) -> Stored[T]:
        """What is there, for those who write it.

        Raises:
            StorageUnavailable: the store failed.
            StorageError: the object is damaged, and must not be replaced.
        """
        try:
            blob = storage.get(self.key)
        except ObjectNotFound:
            return self.nothing
        try:
            return Stored(self._decoded(storage, blob), blob.etag)
        except StorageError:
            if self._remedy:
                raise
            return Stored(self._kind(), blob.etag)

    def read_if_changed(self, storage: Storage, stored: Stored[T]) -> Stored[T]:
        """What is there, for those who only read it; `stored` itself where its ETag is still the object's.

        Raises:
            StorageUnavailable: the store failed.
            StorageError: the object is damaged.
        """
        try:
            blob = storage.get_if_changed(self.key, stored.etag)
        except ObjectNotFound:
            return self.nothing
        return stored if blob is None else Stored(self._decoded(storage, blob), blob.etag)

    def write(self, storage: Storage, value: T, etag: str | None) -> Stored[T]:
        """Write it, on condition that the object still has the ETag, or does not exist yet.

        Raises:
            PreconditionFailed: the condition does not hold.
            StorageUnavailable: the store failed.
        """
        # a fixed time in the header: equal values are equal bytes
        body = gzip.compress(msgspec.json.encode(value), compresslevel=5, mtime=0)
        etag = storage.put(self.key, body, content_type="application/gzip", replaces=etag, create=etag is None)
        return Stored(value, etag)

    def update(self, storage: Storage, change: Callable[[T], T], stored: Stored[T] | None = None) -> Stored[T]:
        """Change it; an equal value is not written.

        Args:
            storage: the bucket.
            change: makes the new value of the present one; called again where another writer was first.
            stored: what has been read already, so that it is not read a second time.

        Raises:
            StorageUnavailable: the store failed, or other writers were faster every time.
            StorageError: the object is damaged, and must not be replaced.
        """
        for _ in range(_TRIES):
            stored = stored or self.read(storage)
            value = change(stored.value)
            if value == stored.value:
                return stored
            with suppress(PreconditionFailed):
                return self.write(storage, value, stored.etag)
            stored = None
        raise StorageUnavailable(f"s3://{storage.name}/{self.key} changes whenever it is about to be written")

    @property
    def nothing(self) -> Stored[T]:
        """What is read where there is no object."""
        return Stored(self._kind())

    def _decoded(self, storage: Storage, blob: Blob) -> T:
        try:
            return msgspec.json.decode(gzip.decompress(blob.body), type=self._kind)
        except (OSError, EOFError, zlib.error, *UNDECODABLE) as exc:
            fault = f"s3://{storage.name}/{self.key} is damaged ({exc})"
            raise StorageError(f"{fault}: {self._remedy}" if self._remedy else fault) from exc

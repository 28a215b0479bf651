"""In-memory twins of the object store, for tests that need no server."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock

from monitory.errors import ObjectNotFound, PreconditionFailed, StorageUnavailable
from monitory.storage.port import Blob, Entry


class MemoryStorage:
    """A bucket in memory. Like S3, it makes an ETag of the bytes alone."""

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self.objects: dict[str, Blob] = {}
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self._lock = Lock()

    def get(self, key: str) -> Blob:
        blob = self.get_if_changed(key, None)
        assert blob is not None
        return blob

    def get_if_changed(self, key: str, etag: str | None) -> Blob | None:
        blob = self.objects.get(key)
        if blob is None:
            raise ObjectNotFound(f"there is no s3://{self.name}/{key}")
        return None if blob.etag == etag else blob

    def stream(self, key: str, chunk_bytes: int) -> Iterator[bytes]:
        blob = MemoryStorage.get_if_changed(self, key, None)
        body = blob.body if blob else b""
        return iter([body[start : start + chunk_bytes] for start in range(0, len(body), chunk_bytes)])

    def list(self, folder: str) -> Iterator[Entry]:
        for key in sorted(self.objects):
            if key.startswith(folder + "/"):
                blob = self.objects[key]
                if any(part in {"", ".", ".."} or not part.isprintable() for part in key.split("/")):
                    yield Entry(key, "", 0, blob.modified, "it cannot be asked for")
                else:
                    yield Entry(key, blob.etag, len(blob.body), blob.modified)

    def folders(self, folder: str) -> Sequence[str]:
        start = f"{folder}/" if folder else ""
        below = (key.removeprefix(start) for key in sorted(self.objects) if key.startswith(start))
        return tuple(dict.fromkeys(key.partition("/")[0] for key in below if "/" in key))

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        replaces: str | None = None,
        create: bool = False,
    ) -> str:
        with self._lock:
            return self._put(key, body, {"content-type": content_type, **(metadata or {})}, replaces, create)

    def _put(self, key: str, body: bytes, metadata: Mapping[str, str], replaces: str | None, create: bool) -> str:
        present = self.objects.get(key)
        if (create and present) or (replaces is not None and (not present or present.etag != replaces)):
            raise PreconditionFailed(key)
        etag = self._etag(body)
        self.now += timedelta(seconds=1)
        self.objects[key] = Blob(body, etag, metadata, self.now)
        return etag

    def _etag(self, body: bytes) -> str:
        return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


class WatchedStorage(MemoryStorage):
    """Counts calls, and fails or pauses where a test says so.

    Attributes:
        calls: how often each verb was used; a conditional GET counts as `get`.
        before: called with verb and key before anything happens; may raise.
    """

    def __init__(self, name: str = "memory", before: Callable[[str, str], None] = lambda verb, key: None) -> None:
        super().__init__(name)
        self.calls: Counter[str] = Counter()
        self.before = before

    def get_if_changed(self, key: str, etag: str | None) -> Blob | None:
        self._note("get", key)
        return super().get_if_changed(key, etag)

    def stream(self, key: str, chunk_bytes: int) -> Iterator[bytes]:
        self._note("stream", key)
        return super().stream(key, chunk_bytes)

    def list(self, folder: str) -> Iterator[Entry]:
        self._note("list", folder)
        return super().list(folder)

    def folders(self, folder: str) -> Sequence[str]:
        self._note("list", folder)
        return super().folders(folder)

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        replaces: str | None = None,
        create: bool = False,
    ) -> str:
        self._note("put", key)
        return super().put(key, body, content_type=content_type, metadata=metadata, replaces=replaces, create=create)

    def _note(self, verb: str, key: str) -> None:
        self.calls[verb] += 1
        self.before(verb, key)


class AtCall:
    """For `WatchedStorage.before`: does something before the so-many-th call of a verb.

    Attributes:
        calls: of the verb so far.
    """

    def __init__(self, verb: str, number: int, action: Callable[[str, str], object], key: str | None = None) -> None:
        """`number` counts from 1; `action` gets verb and key; with a key only its calls count."""
        self.calls = 0
        self._verb = verb
        self._key = key
        self._number = number
        self._action = action

    def __call__(self, verb: str, key: str) -> None:
        """See WatchedStorage."""
        if verb == self._verb and self._key in (None, key):
            self.calls += 1
            if self.calls == self._number:
                self._action(verb, key)


def beside(storage: MemoryStorage) -> WatchedStorage:
    """The same bucket for another process, which nothing disturbs."""
    another = WatchedStorage(storage.name)
    another.objects = storage.objects
    return another


def down(verb: str, key: str) -> None:
    """A store that fails at everything."""
    raise StorageUnavailable(f"cannot {verb} {key}")

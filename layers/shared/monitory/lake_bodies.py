"""Bodies of the lake's objects: small ones whole and ahead of their use, large ones streamed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from itertools import islice

from monitory.errors import StorageUnavailable
from monitory.lake_listing import UNKNOWN_SIZE, LakeObject
from monitory.storage.port import Storage

WHOLE_BYTES = 8 << 20
"""Larger objects are streamed."""

CHUNK_BYTES = 4 << 20

READ_AHEAD = 8
"""Objects fetched ahead while one is decoded."""


class ObjectBodies:
    """Reads the bodies of listed objects."""

    def __init__(self, storage: Storage) -> None:
        """Nothing is read yet."""
        self._storage = storage

    def each(
        self, items: Sequence[LakeObject], executor: Executor | None
    ) -> Iterator[tuple[LakeObject, Callable[[], Iterable[bytes]]]]:
        """Each object with what reads its body: a list of one, or chunks as they come.

        With an executor small objects come first, fetched ahead; large ones are streamed.

        Raises (what reads it):
            ObjectNotFound: it was deleted since the listing.
            StorageUnavailable: it cannot be read, or came with another size than listed.
        """
        if executor is None or len(items) == 1:
            for item in items:
                yield item, partial(self._chunks, item)
            return
        small = iter([item for item in items if item.size <= WHOLE_BYTES])
        ahead: list[tuple[LakeObject, Future[list[bytes]]]] = []
        for item in islice(small, READ_AHEAD):
            ahead.append((item, executor.submit(self._whole, item)))
        while ahead:
            item, body = ahead.pop(0)
            for following in islice(small, 1):
                ahead.append((following, executor.submit(self._whole, following)))
            yield item, body.result
        for item in items:
            if item.size > WHOLE_BYTES:
                yield item, partial(self._chunks, item)

    def _whole(self, item: LakeObject) -> list[bytes]:
        blob = self._storage.get(item.key)
        if blob.etag == item.etag:
            self._expect(item, len(blob.body))
        return [blob.body]

    def _chunks(self, item: LakeObject) -> Iterable[bytes]:
        return self._streamed(item) if item.size > WHOLE_BYTES else self._whole(item)

    def _streamed(self, item: LakeObject) -> Iterator[bytes]:
        size = 0
        for chunk in self._storage.stream(item.key, CHUNK_BYTES):
            size += len(chunk)
            yield chunk
        self._expect(item, size)

    def _expect(self, item: LakeObject, size: int) -> None:
        """Refuse a truncated object: it would pass for an hour with fewer readings, and be cached as one."""
        if item.size not in (size, UNKNOWN_SIZE):
            raise StorageUnavailable(
                f"s3://{self._storage.name}/{item.key} came with {size:,} bytes, it was listed with {item.size:,}"
            )

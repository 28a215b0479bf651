"""Objects into a bucket, several at a time; an object that is there already is left alone."""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from monitory.errors import PreconditionFailed
from monitory.storage.port import Storage
from monitory_local.importing.lake.lake_objects import LakeObject

_UPLOADS = 8
_WAITING = 32  # objects held in memory at most


@dataclass
class Uploads:
    """Objects that were written, and those that were there already."""

    new: int = 0
    present: int = 0


def upload(storage: Storage, objects: Iterable[LakeObject]) -> Uploads:
    """Write the objects that the bucket does not have.

    Raises:
        StorageUnavailable: the store failed; the same import goes on where it stopped.
    """
    result = Uploads()
    waiting: deque[Future[bool]] = deque()

    def count(future: Future[bool]) -> None:
        if future.result():
            result.new += 1
        else:
            result.present += 1

    with ThreadPoolExecutor(_UPLOADS) as executor:
        try:
            for item in objects:
                waiting.append(executor.submit(_put, storage, item))
                while len(waiting) > _WAITING:
                    count(waiting.popleft())
            while waiting:
                count(waiting.popleft())
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise
    return result


def _put(storage: Storage, item: LakeObject) -> bool:
    """Whether the object is new."""
    try:
        storage.put(item.key, item.body, content_type="application/x-ndjson", create=True)
    except PreconditionFailed:
        return False
    return True

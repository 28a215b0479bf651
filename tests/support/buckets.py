"""Buckets that tests of a module share."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from monitory.storage.s3 import S3Storage
from monitory_local.s3 import REGION, S3


@contextmanager
def shared_bucket(server: S3, kind: str) -> Iterator[S3Storage]:
    """A new bucket, while the server is the one that clients find."""
    name = f"{kind}-{uuid4().hex[:12]}"
    with server.active():
        server.ensure_buckets(name)
        yield S3Storage(name, region=REGION)

"""A bucket by obstore (Rust's object_store): a GET costs it a quarter of boto3's CPU and its import a twentieth.

It retries server errors and dropped connections itself, refusals never; what still fails is named here.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotModifiedError, PreconditionError
from obstore.store import S3Store

from monitory.errors import ObjectNotFound, ObjectTooLarge, PreconditionFailed, StorageUnavailable
from monitory.storage import credentials, faults
from monitory.storage.endpoint import bucket_region, endpoint
from monitory.storage.listing import walk
from monitory.storage.port import MAX_WHOLE_BYTES, Blob, Entry, IncompleteListing

if TYPE_CHECKING:
    from obstore import Attributes, GetOptions, PutMode
    from obstore.store import ClientConfig, RetryConfig

_STREAM_SECONDS = 870.0
"""No invocation lasts longer; only a stalled stream times out."""

REUSED_BYTES = 4 << 20
"""Blocks of memory up to this size are used again, see `_reuse_memory`."""

_CONFLICT_PAUSES = (0.1, 0.3, 0.9)
"""Seconds between tries of a conditional write while the store is busy with another write of the object."""


class S3Storage:
    """A bucket of S3 or of any store that speaks its protocol."""

    def __init__(
        self,
        bucket: str,
        *,
        region: str,
        timeout_seconds: float = 20.0,
        retry_seconds: float = 10.0,
        retries: int = 4,
    ) -> None:
        """Prepare a client; nothing is sent.

        Args:
            bucket: its name.
            region: AWS region; stores other than AWS ignore it.
            timeout_seconds: for one request, connection and body included; in a stream, for each pause.
            retry_seconds: a request is not repeated later than this after its start.
            retries: at most.
        """
        _reuse_memory()
        self.name = bucket
        self._region = region
        self._timeout_seconds = timeout_seconds
        self._retry_config: RetryConfig = {
            "max_retries": retries,
            "retry_timeout": timedelta(seconds=retry_seconds),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=2),
                "base": 2,
            },
        }
        self._endpoint = endpoint(bucket, region)
        self._store = self._client(timeout_seconds)

    @cached_property
    def _streams(self) -> S3Store:
        """A client for long bodies, see `_STREAM_SECONDS`."""
        return self._client(_STREAM_SECONDS)

    def _client(self, total_seconds: float) -> S3Store:
        client_options: ClientConfig = {
            "timeout": timedelta(seconds=total_seconds),
            "read_timeout": timedelta(seconds=self._timeout_seconds),
            "connect_timeout": timedelta(seconds=min(3.0, self._timeout_seconds)),
            "pool_idle_timeout": timedelta(seconds=50),
            "allow_http": self._endpoint.url.startswith("http://"),
        }
        return S3Store(
            self.name,
            region=self._region,
            endpoint=self._endpoint.url,
            virtual_hosted_style_request=self._endpoint.virtual_hosted,
            client_options=client_options,
            retry_config=self._retry_config,
            credential_provider=credentials.provider(),
        )

    def get(self, key: str) -> Blob:
        """See Storage."""
        blob = self.get_if_changed(key, None)
        if blob is None:
            raise StorageUnavailable(f"s3://{self.name}/{key}: 304 to an unconditional request")
        return blob

    def get_if_changed(self, key: str, etag: str | None) -> Blob | None:
        """See Storage."""
        options: GetOptions = {"if_none_match": etag} if etag else {}
        try:
            result = obstore.get(self._store, key, options=options)
            meta = result.meta
            if meta["size"] > MAX_WHOLE_BYTES:
                raise ObjectTooLarge(
                    f"s3://{self.name}/{key} has {meta['size']:,} bytes, {MAX_WHOLE_BYTES:,} are allowed"
                )
            metadata = {name.lower(): value for name, value in result.attributes.items()}
            body = bytes(result.bytes())
        except NotModifiedError:
            return None
        except (BaseError, OSError) as exc:
            self._fail("read", key, exc)
        if len(body) != meta["size"]:
            raise StorageUnavailable(f"s3://{self.name}/{key} came with {len(body)} of {meta['size']} bytes")
        return Blob(body, meta["e_tag"] or "", metadata, meta["last_modified"])

    def stream(self, key: str, chunk_bytes: int) -> Iterator[bytes]:
        """See Storage."""
        try:
            result = obstore.get(self._streams, key)
            size = 0
            for chunk in result.stream(min_chunk_size=chunk_bytes):
                size += len(chunk)
                yield bytes(chunk)
            if size != result.meta["size"]:
                raise StorageUnavailable(f"s3://{self.name}/{key} came with {size} of {result.meta['size']} bytes")
        except (BaseError, OSError) as exc:
            self._fail("read", key, exc)

    def list(self, folder: str) -> Iterator[Entry]:
        """See Storage."""
        hidden: list[str] = []
        try:
            yield from walk(self._store, folder, hidden)
        except (BaseError, OSError) as exc:
            self._fail("list", folder, exc)
        if hidden:
            raise IncompleteListing(f"s3://{self.name}/{hidden[0]} holds a key that hides others", hidden)

    def folders(self, folder: str) -> Sequence[str]:
        """See Storage."""
        try:
            level = obstore.list_with_delimiter(self._store, folder or None)
        except (BaseError, OSError) as exc:
            self._fail("list", folder, exc)
        return [path.rstrip("/").rpartition("/")[2] for path in level["common_prefixes"]]

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
        """See Storage."""
        if replaces == "":  # stores ignore an empty If-Match
            raise PreconditionFailed(f"s3://{self.name}/{key} came without an ETag, so it cannot be replaced")
        mode: PutMode = {"e_tag": replaces} if replaces else "create" if create else "overwrite"
        attributes = cast("Attributes", {"Content-Type": content_type, **(metadata or {})})
        for pause in (*_CONFLICT_PAUSES, None):
            try:
                result = obstore.put(self._store, key, body, mode=mode, attributes=attributes, use_multipart=False)
                return result["e_tag"] or ""
            except (AlreadyExistsError, PreconditionError, FileNotFoundError) as exc:
                fault = faults.fault(exc)
                if mode == "overwrite" or fault.code == "NoSuchBucket":
                    self._fail("write", key, exc)
                # 404: the object to be replaced is gone
                if fault.status != 409:
                    raise PreconditionFailed(f"s3://{self.name}/{key} is not what the writer had read") from exc
                if pause is None:
                    self._fail("write", key, exc)
                time.sleep(pause)
            except (BaseError, OSError) as exc:
                self._fail("write", key, exc)
        raise AssertionError  # the last try returns or raises

    def _fail(self, verb: str, key: str, exc: Exception) -> NoReturn:
        fault = faults.fault(exc)
        if isinstance(exc, FileNotFoundError) and verb == "read" and fault.code != "NoSuchBucket":
            raise ObjectNotFound(f"there is no s3://{self.name}/{key}") from exc
        remedy = ""
        if fault.code == "PermanentRedirect" or fault.region:
            region = fault.region or bucket_region(self.name, self._endpoint) or "another region"
            remedy = f"; it lies in {region}, not in {self._region} (S3_INPUT_DATA_REGION names the region of a lake)"
        raise StorageUnavailable(f"cannot {verb} s3://{self.name}/{key}: {fault}{remedy}") from exc


def _reuse_memory() -> None:
    """Let the memory of one body be used for the next one, where the system's C library is glibc.

    Otherwise it goes back to the system after each body, and each page of the next one has to be got anew, which costs
    more than the request. glibc keeps what it frees up to twice the size of the largest block that was once freed
    (mallopt(3), M_MMAP_THRESHOLD), so one is: its pages are never touched.
    """
    bytes(REUSED_BYTES)

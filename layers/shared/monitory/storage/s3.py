"""The object store: five verbs, and the only module that knows the S3 client.

The client is obstore (Rust's object_store): a GET costs it a quarter of boto3's CPU and its import a
twentieth. It retries server errors and dropped connections itself; what still fails is named here.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, InvalidPathError, NotModifiedError, PreconditionError
from obstore.store import S3Store

from monitory.errors import ObjectNotFound, ObjectTooLarge, PreconditionFailed, SettingsError, StorageUnavailable

if TYPE_CHECKING:
    from obstore import Attributes, GetOptions, ObjectMeta, PutMode
    from obstore.auth.boto3 import Boto3CredentialProvider
    from obstore.store import ClientConfig, RetryConfig

MAX_WHOLE_BYTES = 128 << 20
"""A larger object is not held in memory whole: no model, card or cache of ours comes near it."""

_STREAM_SECONDS = 870.0
"""No invocation lasts longer; what a stream must not do is pause."""

_FAULT = re.compile(r"(?<=/)(?:\.{1,2}(?=/|\Z)|/)|[\x00-\x1f\x7f]")
"""What the client can't parse in a key: '.', '..' or nothing between slashes, and control characters."""

_MAX_FAULTS = 100
"""So many keys that can't be parsed are passed by in one folder."""

_NEVER = datetime.min.replace(tzinfo=UTC)

_CONFLICT_PAUSES = (0.1, 0.3, 0.9)
"""Seconds between tries of a conditional write during which the store is busy with another write of the object."""

_PARTITIONS: Mapping[str, str] = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}
"""Domains of AWS's partitions by how their regions begin; all others are in amazonaws.com."""


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
            retry_seconds: after this long since its start a request isn't tried again.
            retries: at most this many.
        """
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
        self._store = self._client(timeout_seconds)

    @cached_property
    def _streams(self) -> S3Store:
        """A client for bodies that take as long as they take."""
        return self._client(_STREAM_SECONDS)

    def _client(self, total_seconds: float) -> S3Store:
        endpoint, virtual_hosted = _address(self.name, self._region)
        client_options: ClientConfig = {
            "timeout": timedelta(seconds=total_seconds),
            "read_timeout": timedelta(seconds=self._timeout_seconds),
            "connect_timeout": timedelta(seconds=min(3.0, self._timeout_seconds)),
            "pool_idle_timeout": timedelta(seconds=50),
            "allow_http": endpoint.startswith("http://"),
        }
        return S3Store(
            self.name,
            region=self._region,
            endpoint=endpoint,
            virtual_hosted_style_request=virtual_hosted,
            client_options=client_options,
            retry_config=self._retry_config,
            credential_provider=_profile_credentials(),
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
            yield from _walk(self._store, folder, "", hidden)
        except (BaseError, OSError) as exc:
            self._fail("list", folder, exc)
        if hidden:
            raise IncompleteListing(f"s3://{self.name}/{hidden[0]} holds a key that hides others", hidden)

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
            except (AlreadyExistsError, PreconditionError) as exc:
                if mode == "overwrite":
                    self._fail("write", key, exc)
                if "status code: 409" not in str(exc):
                    raise PreconditionFailed(f"s3://{self.name}/{key} is not what the writer had read") from exc
                if pause is None:
                    self._fail("write", key, exc)
                time.sleep(pause)
            except FileNotFoundError as exc:
                if replaces:  # a store answers 404 when the object to be replaced is gone
                    raise PreconditionFailed(f"s3://{self.name}/{key} is gone") from exc
                raise StorageUnavailable(f"cannot write s3://{self.name}/{key}: there is no such bucket") from exc
            except (BaseError, OSError) as exc:
                self._fail("write", key, exc)
        raise AssertionError  # the last try returns or raises

    def _fail(self, verb: str, key: str, exc: Exception) -> NoReturn:
        if isinstance(exc, FileNotFoundError):
            raise ObjectNotFound(f"there is no s3://{self.name}/{key}") from exc
        # The client's text holds the store's whole answer; its first line says what happened.
        reason = (str(exc).splitlines() or [type(exc).__name__])[0][:300]
        raise StorageUnavailable(f"cannot {verb} s3://{self.name}/{key}: {reason}") from exc


def _walk(store: S3Store, folder: str, after: str, hidden: list[str]) -> Iterator[Entry]:
    """What lies under a folder after a key.

    The client gives up a page with a key on it that it can't parse. Then the folders in the folder are listed one
    by one, so that only the one that directly holds such a key isn't seen whole.
    """
    try:
        for page in obstore.list(store, folder, offset=after or None, chunk_size=1000):
            for meta in page:
                yield _entry(meta)
                after = meta["path"]
        return
    except InvalidPathError as exc:
        error = exc
    try:
        level = obstore.list_with_delimiter(store, folder)
    except InvalidPathError:
        yield from _past(store, folder, after, error, hidden)
        return
    found = {meta["path"]: meta for meta in level["objects"]}
    for name in sorted([*found, *(f"{path}/" for path in level["common_prefixes"])]):
        if name in found:
            if name > after:
                yield _entry(found[name])
        elif name > after or after.startswith(name):
            yield from _walk(store, name[:-1], after if after.startswith(name) else "", hidden)


def _past(store: S3Store, folder: str, after: str, error: InvalidPathError, hidden: list[str]) -> Iterator[Entry]:
    """What lies behind each key that can't be parsed, in a folder that directly holds one."""
    for _ in range(_MAX_FAULTS):
        key = _key_in(error)
        behind = _behind(key)
        if not key.startswith(f"{folder}/") or behind <= after:
            raise error
        fault = "it has an empty name, '.' or '..' between slashes, or a control character"
        if key[len(folder) + 1 :].partition("/")[0] not in {"", ".", ".."}:
            hidden.append(folder)
            fault += ", and hides what comes before it"
        yield Entry(key, "", 0, _NEVER, fault)
        after = behind
        try:
            for page in obstore.list(store, folder, offset=after, chunk_size=1000):
                for meta in page:
                    yield _entry(meta)
                    after = meta["path"]
            return
        except InvalidPathError as exc:
            error = exc
    hidden.append(folder)


def _entry(meta: "ObjectMeta") -> Entry:
    return Entry(meta["path"], meta["e_tag"] or "", meta["size"], meta["last_modified"])


def _key_in(error: InvalidPathError) -> str:
    """The key that the client's text names."""
    text = str(error).partition("\n\nDebug source:")[0]
    found = re.search(r'Path "(.*)"(?: contained empty path segment|: Encountered illegal)', text, re.DOTALL)
    return found[1] if found else ""


def _behind(key: str) -> str:
    """A key that can be parsed, behind a key that can't and all that begin like it.

    >>> _behind("a/b//c"), _behind("a/../c"), _behind("a/b\\nc")
    ('a/b/0', 'a/0', 'a/b ')
    """
    fault = _FAULT.search(key)
    if not fault:
        return ""
    if fault[0][0] in "./":
        return key[: fault.start()] + "0"  # the first name that begins with a digit or a letter
    return key[: fault.start()] + (" " if fault[0] < " " else "\x80")


def _address(bucket: str, region: str) -> tuple[str, bool]:
    """The address of a bucket, and whether the bucket's name is part of the host's (virtual-hosted style)."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return endpoint, False
    suffix = next((suffix for prefix, suffix in _PARTITIONS.items() if region.startswith(prefix)), "amazonaws.com")
    host = f"s3.{region}.{suffix}"
    # a certificate for *.s3.<region> covers one label only
    return (f"https://{host}", False) if "." in bucket else (f"https://{bucket}.{host}", True)


def _profile_credentials() -> "Boto3CredentialProvider | None":
    """SDK's default chain for profiles and SSO, which obstore doesn't know; None where the environment has keys."""
    in_environment = (
        "AWS_ACCESS_KEY_ID",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    )
    if any(name in os.environ for name in in_environment):
        return None
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        return None
    try:
        return Boto3CredentialProvider()
    except ValueError as exc:
        raise SettingsError("there are no AWS credentials: neither in the environment nor in a profile") from exc

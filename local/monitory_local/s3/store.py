"""The one that AWS_ENDPOINT_URL names, or an embedded server.

A folder has one server at a time: a second program on the same folder uses the first one's server.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from monitory.errors import StorageUnavailable
from monitory_local.s3.weed import START_SECONDS, ServerError, weed_server

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

ACCESS_KEY = "local"
SECRET_KEY = "local-only"  # noqa: S105 -- the embedded server listens on loopback only
REGION = "ap-northeast-2"
DEFAULT_FOLDER = Path(".local/s3")

DATA_FOLDER = "data"

_ENDPOINT_FILE = "endpoint.json"
_LOCK_FILE = "lock"
# Credentials of other kinds would win over the embedded server's keys, or be sent along with them.
_OTHER_CREDENTIALS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE")


@dataclass(frozen=True)
class S3:
    """An S3 store.

    Attributes:
        endpoint: its address.
        environment: the variables with which any AWS SDK reaches it; empty when the caller's environment does.
        is_own: whether this program started it, and stops it on leaving.
    """

    endpoint: str
    environment: Mapping[str, str] = field(default_factory=dict)
    is_own: bool = False

    @contextmanager
    def active(self) -> Iterator[None]:
        """Put the store into this process's environment; the former one returns on leaving."""
        before = dict(os.environ)
        if self.environment:
            for name in _OTHER_CREDENTIALS:
                os.environ.pop(name, None)
        os.environ.update(self.environment)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def client(self) -> "S3Client":
        """A boto3 client: for buckets, which the product itself never makes."""
        import boto3

        keys: dict[str, Any] = {}
        if self.environment:
            keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
        region = os.environ.get("AWS_REGION") or REGION
        # a session of its own: the default one remembers the credentials of whoever used it first
        return boto3.Session().client("s3", endpoint_url=self.endpoint, region_name=region, **keys)

    @property
    def embedded(self) -> bool:
        """Whether it is an embedded server, ours or another program's: there buckets may be created."""
        return bool(self.environment)

    def ensure_buckets(self, *names: str) -> None:
        """Create the buckets that do not exist, for which `buckets.prepare` decides whether that is right.

        Raises:
            StorageUnavailable: the store refuses one, for its name say.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        client = self.client()
        present = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
        for name in names:
            if name not in present:
                try:
                    client.create_bucket(Bucket=name)
                except (BotoCoreError, ClientError) as exc:
                    raise StorageUnavailable(f"cannot create the bucket {name}: {exc}") from exc


@contextmanager
def embedded_s3(folder: Path, *, empty: bool = False) -> Iterator[S3]:
    """Yield the embedded server of a folder: the one that runs on it, else a new one.

    Args:
        folder: where its data lies.
        empty: start without data; a server that runs keeps its own.

    Raises:
        ServerError: it did not start.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK_FILE).open("a") as lock:
        if not _try_lock(lock):
            endpoint = _endpoint_of_other(folder, lock)
            yield S3(endpoint, _environment(endpoint))
            return
        endpoint_file = folder / _ENDPOINT_FILE
        endpoint_file.unlink(missing_ok=True)
        if empty:
            shutil.rmtree(folder / DATA_FOLDER, ignore_errors=True)
        with weed_server(folder / DATA_FOLDER, ACCESS_KEY, SECRET_KEY, lock) as endpoint:
            endpoint_file.write_text(json.dumps({"endpoint": endpoint}))
            try:
                yield S3(endpoint, _environment(endpoint), is_own=True)
            finally:
                endpoint_file.unlink(missing_ok=True)


@contextmanager
def running_s3(folder: Path = DEFAULT_FOLDER, *, empty: bool = False) -> Iterator[S3]:
    """Yield the store that AWS_ENDPOINT_URL names, else the embedded server of a folder (see `embedded_s3`).

    Raises:
        ServerError: the embedded server did not start.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        yield S3(endpoint)
        return
    with embedded_s3(folder, empty=empty) as s3:
        yield s3


def _environment(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _endpoint_of_other(folder: Path, lock: IO[str]) -> str:
    """The endpoint of the server that another program runs on the folder, once it has started."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            return str(json.loads((folder / _ENDPOINT_FILE).read_text())["endpoint"])
        except (OSError, ValueError):
            time.sleep(0.05)
    raise ServerError(f"another program holds {lock.name}, but its server does not answer")

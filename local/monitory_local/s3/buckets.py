"""The buckets of a local program: created in the embedded S3, and only looked for in a store that somebody named."""

from contextlib import suppress

from monitory.errors import MonitoryError, StorageError
from monitory.settings import Settings
from monitory.storage.s3 import S3Storage
from monitory_local.s3.store import S3

_REMEDIES = {
    "NoSuchBucket": "create it, or name another one",
    "AccessDenied": "these credentials may not list it: the policy needs s3:ListBucket, s3:GetObject and s3:PutObject",
    "InvalidAccessKeyId": "the store does not know this key: check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret key is wrong: check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the session is over: get new credentials",
    "PermanentRedirect": "it lies in another region",
    "AuthorizationHeaderMalformed": "it lies in another region",
}
"""What to do, by the store's code."""

_UNREACHABLE = "does the store run, and is AWS_ENDPOINT_URL right?"


class MissingBucket(MonitoryError):
    """A bucket cannot be used; the message has the store's code and what to do."""


def prepare_lake(s3: S3, settings: Settings, bucket: str | None = None) -> None:
    """Have a lake: the settings' bucket, or another one.

    Raises:
        MissingBucket: the store is not the embedded one, and the bucket cannot be used there.
    """
    name = bucket or settings.s3_input_data_bucket_name
    _prepare(s3, name, settings.s3_input_data_key, settings.lake_region, "S3_INPUT_DATA_BUCKET_NAME")


def prepare(s3: S3, settings: Settings) -> None:
    """Have the settings' buckets: the lake and the models.

    Raises:
        MissingBucket: the store is not the embedded one, and a bucket cannot be used there.
    """
    prepare_lake(s3, settings)
    _prepare(s3, settings.s3_model_bucket_name, "models/", settings.aws_region, "S3_MODEL_BUCKET_NAME")


def _prepare(s3: S3, name: str, folder: str, region: str, setting: str) -> None:
    if s3.embedded:
        s3.ensure_buckets(name)
        return
    storage = S3Storage(name, region=region, retry_seconds=2.0, retries=1)
    try:
        with suppress(StopIteration):
            next(storage.list(folder.rstrip("/")))
    except StorageError as exc:
        text = str(exc)
        remedy = next((remedy for code, remedy in _REMEDIES.items() if f"{code}:" in text), _UNREACHABLE)
        raise MissingBucket(f"{setting}: {text} ({s3.endpoint}); {remedy}") from exc

"""The S3 that local programs use: `store` finds or starts it, `weed` is the embedded server, `buckets` prepares it."""

from monitory_local.s3.store import (
    ACCESS_KEY,
    DEFAULT_FOLDER,
    REGION,
    S3,
    SECRET_KEY,
    embedded_s3,
    running_s3,
)

__all__ = ["ACCESS_KEY", "DEFAULT_FOLDER", "REGION", "S3", "SECRET_KEY", "embedded_s3", "running_s3"]

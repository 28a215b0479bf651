"""Where the client finds its credentials."""

from pathlib import Path

import boto3
import pytest

from monitory.errors import SettingsError, StorageUnavailable
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import REGION, S3
from tests.support import credential_endpoint


def test_without_credentials_nothing_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="no AWS credentials"):
        S3Storage("bucket", region=REGION)


def test_credentials_of_a_profile_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moto_endpoint: str
) -> None:
    profile = tmp_path / "credentials"
    profile.write_text("[factory]\naws_access_key_id = test\naws_secret_access_key = test\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profile))
    monkeypatch.setenv("AWS_PROFILE", "factory")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    boto3.Session().client("s3", region_name="us-east-1").create_bucket(Bucket="of-a-profile")
    assert list(S3Storage("of-a-profile", region="us-east-1").list("folder")) == []


def test_a_function_that_starts_from_a_snapshot_gets_them_from_its_endpoint(
    lake_bucket: str, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {name: value for name, value in s3.environment.items() if "KEY" in name or "TOKEN" in name}
    for name in keys:
        monkeypatch.delenv(name, raising=False)
    with credential_endpoint.serving(keys, failures=2) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        storage = S3Storage(lake_bucket, region=REGION)
        storage.put("a", b"b", content_type="text/plain")
        assert storage.get("a").body == b"b"
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "another")
        assert storage.get("a").body == b"b", "they are kept until they expire"
        with pytest.raises(StorageUnavailable, match="403"):
            S3Storage(lake_bucket, region=REGION).get("a")

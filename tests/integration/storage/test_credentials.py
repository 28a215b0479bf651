"""Where the client finds its credentials."""

from pathlib import Path

import boto3
import pytest

from monitory.errors import SettingsError
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import REGION


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

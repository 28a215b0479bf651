"""Credentials that the S3 client lacks: those of profiles and of AWS's single sign-on."""

import os
from typing import TYPE_CHECKING

from monitory.errors import SettingsError

if TYPE_CHECKING:
    from obstore.auth.boto3 import Boto3CredentialProvider


def from_profile() -> "Boto3CredentialProvider | None":
    """The AWS SDK's default chain; None where the environment names credentials that the client reads itself.

    None as well where boto3 is not installed, as in the predict function.

    Raises:
        SettingsError: there are no credentials, or the profile cannot be used.
    """
    if _in_environment():
        return None
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        return None
    try:
        return Boto3CredentialProvider()
    except ValueError as exc:
        raise SettingsError("there are no AWS credentials: neither in the environment nor in a profile") from exc
    except Exception as exc:  # boto3's errors, which this package must not import, have no common ancestor
        raise SettingsError(f"there are no AWS credentials: {exc}") from exc


def _in_environment() -> bool:
    """Whether the client finds credentials: Lambda's keys, a role of a container or of a web identity."""
    return bool(
        os.environ.get("AWS_ACCESS_KEY_ID")
        or os.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        # the client reads this token from a file only
        or (
            os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
            and os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        )
        or (os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and os.environ.get("AWS_ROLE_ARN"))
    )

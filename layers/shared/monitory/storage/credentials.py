"""Credentials that the S3 client lacks: those of SnapStart, of profiles and of AWS's single sign-on."""

import os
import time
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from monitory.errors import SettingsError

if TYPE_CHECKING:
    from obstore.store import S3Credential, S3CredentialProvider

_PAUSES = (0.1, 0.3, 1.0)
"""Seconds between tries of the endpoint."""

_ENDPOINT_SECONDS = 2.0


class _Found(msgspec.Struct, rename="pascal"):
    """What an endpoint of credentials answers; the field names are its format."""

    access_key_id: str
    secret_access_key: str
    token: str
    expiration: datetime


class FromEndpoint:
    """Those of the endpoint that the environment names, with a token from there.

    A function that starts from a snapshot has no keys in its environment: they would be as old as the snapshot.
    """

    def __call__(self) -> "S3Credential":
        """Ask for credentials; the client keeps them until shortly before they expire.

        Raises:
            OSError: the endpoint does not answer. msgspec.MsgspecError: it answers something else.
        """
        from urllib.request import ProxyHandler, Request, build_opener  # only a snapshot's start pays for it

        address, token = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], _token()
        request = Request(address, headers={"Authorization": token})  # noqa: S310 -- the address is Lambda's
        for pause in (*_PAUSES, None):
            try:
                with build_opener(ProxyHandler({})).open(request, timeout=_ENDPOINT_SECONDS) as answer:
                    found = msgspec.json.decode(answer.read(), type=_Found)
                break
            except OSError:
                if pause is None:
                    raise
                time.sleep(pause)
        return {
            "access_key_id": found.access_key_id,
            "secret_access_key": found.secret_access_key,
            "token": found.token,
            "expires_at": found.expiration,
        }


def provider() -> "S3CredentialProvider | None":
    """Where the client gets credentials; None where the environment names some that it reads itself.

    Those of SnapStart, or of the AWS SDK's default chain. None as well where boto3 is not installed, as in the predict
    function.

    Raises:
        SettingsError: there are no credentials, or the profile cannot be used.
    """
    if _in_environment():
        return None
    if os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") and _token():
        return FromEndpoint()
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


def _token() -> str:
    return os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")


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

"""The address of a bucket, and the region that S3 reports for it."""

import os
from collections.abc import Mapping
from typing import NamedTuple

_DOMAINS: Mapping[str, str] = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}
"""Domains of AWS's partitions by how their regions begin; all others are in amazonaws.com."""

_SECONDS = 3.0


class Endpoint(NamedTuple):
    """An address, and whether the bucket's name is part of its host (virtual-hosted style) or of the path."""

    url: str
    virtual_hosted: bool


def endpoint(bucket: str, region: str) -> Endpoint:
    """The address of a bucket: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL if set, otherwise AWS's.

    >>> endpoint("models", "cn-north-1").url, endpoint("our.models", "eu-west-1").url
    ('https://models.s3.cn-north-1.amazonaws.com.cn', 'https://s3.eu-west-1.amazonaws.com')
    """
    own = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if own:
        return Endpoint(own, virtual_hosted=False)
    domain = next((domain for prefix, domain in _DOMAINS.items() if region.startswith(prefix)), "amazonaws.com")
    host = f"s3.{region}.{domain}"
    if "." in bucket:  # S3's certificate is for one label before s3
        return Endpoint(f"https://{host}", virtual_hosted=False)
    return Endpoint(f"https://{bucket}.{host}", virtual_hosted=True)


def bucket_region(bucket: str, address: Endpoint) -> str | None:
    """The region that the store reports for a bucket, which the client's errors lack; None if it reports none."""
    # only a misconfigured function gets here; the others save the import
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    url = f"{address.url}/" if address.virtual_hosted else f"{address.url}/{bucket}/"
    try:
        with urlopen(Request(url, method="HEAD"), timeout=_SECONDS) as answer:  # noqa: S310 -- an endpoint, no user's
            headers = answer.headers
    except HTTPError as exc:  # S3 reports the region even to strangers
        headers = exc.headers
        exc.close()
    except (OSError, ValueError):
        return None
    region: str | None = headers.get("x-amz-bucket-region")
    return region

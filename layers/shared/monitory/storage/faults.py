"""The store's own code and message in an error of the client, whose first line hides them."""

import re
from typing import NamedTuple

_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_ELEMENTS = {name: re.compile(f"<{name}>(.*?)</{name}>", re.DOTALL) for name in ("Code", "Message", "Region")}
_REDIRECT = "Received redirect without LOCATION"
_DEBUG = "\n\nDebug source:"
_MAX_CHARACTERS = 300


class Fault(NamedTuple):
    """A store's refusal.

    Attributes:
        code: the store's, such as `AccessDenied`; empty where it sent none.
        message: the store's, or the client's where the store sent none.
        status: of HTTP; 0 without a response.
        region: the bucket's region according to the store; else empty.
    """

    code: str
    message: str
    status: int = 0
    region: str = ""

    def __str__(self) -> str:
        """One line, the code first."""
        return f"{self.code}: {self.message}" if self.code else self.message


def fault(error: Exception) -> Fault:
    """Parse an error of the client.

    >>> text = 'Generic S3 error: status code: 403 Forbidden: <?xml version="1.0"?>\\n<Error><Code>AccessDenied</Code>'
    >>> str(fault(OSError(text + "<Message>Access\\nDenied</Message></Error>\\n\\nDebug source: ...")))
    'AccessDenied: Access Denied'
    """
    text = str(error).partition(_DEBUG)[0]
    status = _STATUS.search(text)
    code, message, region = (_element(text, name) for name in _ELEMENTS)
    if _REDIRECT in text:  # the client drops the body of this response
        return Fault("PermanentRedirect", "the bucket is not in this region", 301)
    if not code:
        message = (text.splitlines() or [type(error).__name__])[0]
    return Fault(code, message[:_MAX_CHARACTERS], int(status[1]) if status else 0, region)


def _element(text: str, name: str) -> str:
    """The text of an XML element in one line; empty where there is none."""
    match = _ELEMENTS[name].search(text)
    return " ".join(match[1].split()) if match else ""

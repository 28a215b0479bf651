"""The name of a model version: the UTC second in which its training ended."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from monitory.errors import UnknownVersion

_FORMAT = "%Y/%m/%d/%H%M%S"
_EXAMPLE = "2025/06/21/150102"


class Version(NamedTuple):
    """A version; sorts by time. Its text, `2025/06/21/150102`, is its folder under `models/`."""

    moment: datetime

    @classmethod
    def at(cls, moment: datetime) -> "Version":
        """The version of an aware moment.

        >>> str(Version.at(datetime(2025, 6, 21, 15, 1, 2, tzinfo=UTC)))
        '2025/06/21/150102'
        """
        return cls(moment.astimezone(UTC).replace(microsecond=0))

    @classmethod
    def parse(cls, text: str) -> "Version":
        """A version from its text, with slashes, or with dashes as in URLs.

        >>> Version.parse("2025-06-21-150102") == Version.parse("2025/06/21/150102")
        True

        Raises:
            UnknownVersion: the text is no version.
        """
        try:
            version = cls(datetime.strptime(text.replace("-", "/"), _FORMAT).replace(tzinfo=UTC))
        except ValueError as exc:
            raise UnknownVersion(f"{text[:40]!r} is no version, which looks like {_EXAMPLE}") from exc
        if str(version) != text.replace("-", "/"):
            raise UnknownVersion(f"{text[:40]!r} is no version, which looks like {_EXAMPLE}")
        return version

    @classmethod
    def of_folder(cls, folder: str) -> "Version | None":
        """The version of a folder; None for other folders."""
        try:
            return cls.parse(folder.removeprefix("models/"))
        except UnknownVersion:
            return None

    @property
    def folder(self) -> str:
        """The folder of its files."""
        return f"models/{self}"

    def later(self) -> "Version":
        """The version of the next second, for when this one is taken."""
        return Version(self.moment + timedelta(seconds=1))

    def __str__(self) -> str:
        """The version's text."""
        return self.moment.strftime(_FORMAT)

"""A stored answer, a `PredictResponse` as JSON, for those who read it again: of its fields only what they need.

Decoding all of it, with its checks, takes several times as long. The field names are the stored format.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec


class StoredInterval(msgspec.Struct, frozen=True):
    """The interval; `high` is None where it reaches the cap."""

    low: float
    coverage: float
    high: float | None = None


class StoredShare(msgspec.Struct, frozen=True):
    """How many days a sensor adds."""

    sensor: str
    days: float


class StoredModel(msgspec.Struct, frozen=True):
    """The model that answered; `version` is None for one that this service did not train."""

    version: str | None = None


class StoredAnswer(msgspec.Struct, frozen=True):
    """What pages and cases tell of an answer in the fleet state."""

    predictions: tuple[float]
    as_of: datetime
    state: str
    model: StoredModel
    interval: StoredInterval | None = None
    expected_failure_at: datetime | None = None
    failure_mode: str | None = None
    replace_by: datetime | None = None
    replace_saving: float | None = None
    drivers: tuple[StoredShare, ...] = ()
    warnings: list[str] = []

    @property
    def days(self) -> float:
        """The predicted RUL."""
        return self.predictions[0]


def shortening(shares: Iterable[StoredShare]) -> list[StoredShare]:
    """Those that shorten the RUL, in their order: the largest effect first."""
    return [share for share in shares if share.days < 0]

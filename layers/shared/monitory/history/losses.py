"""Losses around a machine's newest hour: skipped records, and newer objects without a usable reading."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from monitory import clock
from monitory.decoding.rejects import UNKNOWN_SENSOR, sentences
from monitory.lake import ObjectSummary, reject_samples, total_rejected
from monitory.lake_listing import LakeObject

CLOCK_SKEW = timedelta(minutes=5)
"""How far the store's clock may run ahead of ours."""

MAX_NAMED = 3
"""Sentences in an error."""


class Losses(NamedTuple):
    """Losses in the newest objects, for an operator.

    Attributes:
        sentences: about records that were skipped, in the newest hour's objects and in newer ones.
        is_blocked: newer objects than the newest hour's exist, but have no newer hour.
    """

    sentences: list[str]
    is_blocked: bool

    def in_short(self) -> str:
        """The first sentences, as the end of an error's text."""
        return f": {'; '.join(self.sentences[:MAX_NAMED])}" if self.sentences else ""


def of_newest(
    objects: Sequence[ObjectSummary], used: Sequence[ObjectSummary], listed: Sequence[LakeObject], now: datetime
) -> Losses:
    """The losses in the newest hour's objects, and in those written after them.

    Args:
        objects: all of the machine's recent objects.
        used: those that hold the newest hour.
        listed: the same from the listing, with the times of writing.
        now: the present, aware.
    """
    written = {item.key: item.modified for item in listed if item.modified and item.modified <= now + CLOCK_SKEW}
    newest = max((written[item.key] for item in used if item.key in written), default=now)
    newer = [item for item in objects if item.key in written and written[item.key] > newest]
    useless = [item for item in newer if not item.hours and _is_a_loss(item)]
    lost = sentences(total_rejected(used), reject_samples(used))
    lost += sentences(total_rejected(useless), reject_samples(useless))
    behind = _clock_behind(newer or used, written, now)
    return Losses([*lost, *([behind] if behind else [])], bool(useless or (behind and newer)))


def of_all(objects: Sequence[ObjectSummary]) -> Losses:
    """The losses where no reading at all is usable."""
    lost = sentences(total_rejected(objects), reject_samples(objects), unknown_sensors=True)
    return Losses(lost, is_blocked=True)


def _is_a_loss(item: ObjectSummary) -> bool:
    return bool(item.unreadable) or any(reason != UNKNOWN_SENSOR or reason in item.samples for reason in item.rejected)


def _clock_behind(objects: Sequence[ObjectSummary], written: dict[str, datetime], now: datetime) -> str:
    """A warning if objects come as many hours after their readings as the factory is ahead of UTC; else empty."""
    ahead = round((now.utcoffset() or timedelta()) / timedelta(hours=1))
    for item in objects:
        if item.hours and item.key in written and ahead > 1:
            late = clock.hour_of(written[item.key].astimezone(clock.zone())) - item.hours[-1]
            if ahead < late <= ahead + 2:  # objects come up to 65 minutes after their hour
                return (
                    f"the newest readings lie {ahead} h before the time at which their object was written: "
                    "is the readings' clock UTC? Write times with Z, or set FACTORY_TIME_ZONE"
                )
    return ""

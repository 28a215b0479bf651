"""What is lost on the way to a machine's newest hour: records that were skipped, and newer objects of no use."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from monitory import clock
from monitory.decoding.rejects import UNKNOWN_SENSOR, sentences
from monitory.lake import LakeObject, ObjectSummary, reject_samples, total_rejected

CLOCK_SKEW = timedelta(minutes=5)
"""How far the store's clock may be ahead of ours."""

MAX_NAMED = 3
"""Sentences in a refusal."""


class Losses(NamedTuple):
    """What an operator should know of the newest objects.

    Attributes:
        sentences: about records that were skipped, in the newest hour's objects and in newer ones.
        is_blocked: newer objects than the newest hour's are there, but they gave no newer hour.
    """

    sentences: list[str]
    is_blocked: bool

    def in_short(self) -> str:
        """The first sentences, to be put behind a refusal."""
        return f": {'; '.join(self.sentences[:MAX_NAMED])}" if self.sentences else ""


def of_newest(
    objects: Sequence[ObjectSummary], used: Sequence[ObjectSummary], listed: Sequence[LakeObject], now: datetime
) -> Losses:
    """The losses in objects that the newest hour was made of, and in those that were written after them.

    Args:
        objects: all that were read.
        used: those that hold the newest hour.
        listed: as they were listed, with their times.
        now: the present, aware.
    """
    written = {item.key: item.modified for item in listed if item.modified and item.modified <= now + CLOCK_SKEW}
    newest = max((written[item.key] for item in used if item.key in written), default=now)
    newer = [item for item in objects if item.key in written and written[item.key] > newest]
    useless = [item for item in newer if not item.hours and _is_a_loss(item)]
    told = sentences(total_rejected(used), reject_samples(used))
    told += sentences(total_rejected(useless), reject_samples(useless))
    behind = _clock_behind(newer or used, written, now)
    return Losses([*told, *([behind] if behind else [])], bool(useless or (behind and newer)))


def of_all(objects: Sequence[ObjectSummary]) -> Losses:
    """The losses where nothing at all could be used."""
    told = sentences(total_rejected(objects), reject_samples(objects), unknown_sensors=True)
    return Losses(told, is_blocked=True)


def _is_a_loss(item: ObjectSummary) -> bool:
    return bool(item.unreadable) or any(reason != UNKNOWN_SENSOR or reason in item.samples for reason in item.rejected)


def _clock_behind(objects: Sequence[ObjectSummary], written: dict[str, datetime], now: datetime) -> str:
    """What is told of objects that were written as many hours after their readings as the factory is ahead of UTC."""
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

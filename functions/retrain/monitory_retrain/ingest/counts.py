"""Counts of what ingestion reads, skips and misses."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date

from monitory.decoding.rejects import UNKNOWN_SENSOR, sentence
from monitory.lake import ObjectSummary, reject_samples, total_rejected
from monitory.lake_listing import LakeObject
from monitory.machine import Machine
from monitory_retrain.dataset.hour_table import HourTable


@dataclass(slots=True)
class Counts:
    """What ingestion reads and skips.

    Attributes:
        objects: objects of the days.
        read: objects read by this job; the others' rows come from the cache.
        raw_bytes: bytes of those.
        readings: readings in the rows.
        rejected: skipped records by reason.
        samples: the fault of one skipped record, by reason.
        unreadable: a message for each object in which nothing is readable.
        days_without_data: dates without a single row.
        verified: objects that were read though the score function had their rows.
        differing: keys of those whose rows differ.
    """

    objects: int = 0
    read: int = 0
    raw_bytes: int = 0
    readings: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    days_without_data: list[date] = field(default_factory=list)
    samples: dict[str, str] = field(default_factory=dict)
    verified: int = 0
    differing: list[str] = field(default_factory=list)

    def __add__(self, other: "Counts") -> "Counts":
        """The sum of both."""
        summed = {
            of.name: getattr(self, of.name) + getattr(other, of.name) for of in fields(self) if of.name != "samples"
        }
        return Counts(**summed, samples={**other.samples, **self.samples})


MAX_LOSS = 0.05
"""Share of rejected records beyond which a result names the largest reject."""


def largest_loss(total: Counts) -> str | None:
    """The largest reject with its cause, where rejects pass `MAX_LOSS`; sensors that nobody wants are none."""
    rejected = Counter(total.rejected)
    if UNKNOWN_SENSOR not in total.samples:
        del rejected[UNKNOWN_SENSOR]
    lost = rejected.total()
    if lost <= MAX_LOSS * (lost + total.readings):
        return None
    reason, count = rejected.most_common(1)[0]
    share = lost / (lost + total.readings)
    cause = sentence(reason, count, total.samples.get(reason, ""))
    return f"{share:.0%} of the records are not used, most of them: {cause}"


def count_day(
    day: date,
    table: HourTable,
    objects: Mapping[Machine, Sequence[ObjectSummary]],
    read: Iterable[LakeObject],
    unplaced: Sequence[str] = (),
) -> Counts:
    """The counts of a day; `read` are the objects that this job reads, `unplaced` keys that name no machine."""
    summaries = [item for of in objects.values() for item in of]
    sizes = [item.size for item in read]
    return Counts(
        objects=len(summaries),
        read=len(sizes),
        raw_bytes=sum(sizes),
        readings=int(table.readings.sum()),
        rejected=total_rejected(summaries),
        unreadable=[item.unreadable for item in summaries if item.unreadable] + _unplaced(day, unplaced),
        days_without_data=[] if len(table) else [day],
        samples=reject_samples(summaries),
    )


def _unplaced(day: date, keys: Sequence[str]) -> list[str]:
    if not keys:
        return []
    return [
        f"{len(keys):,} objects of {day} are not read: their folders name no machine that can be used ({keys[0]!a}): "
        "compare them with the layout and with the characters of ids"
    ]

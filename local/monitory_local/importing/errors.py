"""What stops an import, and what it leaves out."""

from collections import Counter
from dataclasses import dataclass, field

from monitory.errors import MonitoryError


class ImportFault(MonitoryError):
    """A source or a mapping cannot be used; the message names file, field, sample and remedy."""


REMEDIES = {
    "bad_row": "has another number of fields than the header: quote fields that hold the delimiter",
    "no_machine": "names no machine",
    "machine_name": (
        'has a machine or zone name that the lake does not allow: rename it in the mapping, [machines] "A/7" = "A-7"'
    ),
    "no_time": "has no time",
    "time": 'has a time that cannot be read: give the mapping a time_format such as "%d.%m.%Y %H:%M"',
    "clock_change": "has a time that its zone's clock skips or shows twice: export times in UTC or with an offset",
    "no_sensor": "names no sensor",
    "not_a_number": "has a value that is no number: is the decimal mark right (decimal in the mapping)?",
    "not_finite": "has NaN or an infinite value: the sensor had none",
    "kind": 'is of a kind that is not in the mapping: [kinds] "BD" = "failure"',
    "end_before_start": "ends before it starts",
}
"""Reasons for leaving out a row or a value: what is wrong with it, and what to do."""


@dataclass
class Rejects:
    """Rows and values that were left out, by reason, each reason with its first sample.

    Attributes:
        counts: by reason, a key of REMEDIES.
        samples: where the first of each reason stands, and what stands there.
        empty: empty cells; a sensor without a value at that time, which is no fault.
    """

    counts: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    empty: int = 0

    def add(self, reason: str, sample: str, count: int = 1) -> None:
        """Count so many of a reason."""
        if count:
            self.counts[reason] += count
            self.samples.setdefault(reason, sample)

    def sentences(self) -> list[str]:
        """A sentence for each reason, the most frequent first."""
        return [
            f"{count:,} × {reason}: {self.samples[reason]} {REMEDIES[reason]}"
            for reason, count in self.counts.most_common()
        ]

"""Reasons for which records are rejected, each with a count, a sample and a remedy."""

from collections import Counter
from collections.abc import Mapping

NOT_JSON = "not_json"
NOT_UTF8 = "not_utf8"
TOO_LONG = "too_long"
TOO_LARGE = "too_large"
TRUNCATED = "truncated"
FOREIGN_FORMAT = "foreign_format"
SEVERAL_SENSORS = "several_sensors"
WRONG_TYPE = "wrong_type"
MISSING_FIELD = "missing_field"
NOT_FINITE = "not_finite"
IMPLAUSIBLE = "implausible"
UNKNOWN_SENSOR = "unknown_sensor"
OTHER_MACHINE = "other_machine"
OTHER_DATE = "other_date"
OTHER_HOURS = "other_hours"
TOO_MANY_SENSORS = "too_many_sensors"
UNUSABLE_ID = "unusable_id"
BAD_ROW = "bad_row"

READABLE = frozenset({UNKNOWN_SENSOR, OTHER_MACHINE, OTHER_DATE, OTHER_HOURS, IMPLAUSIBLE})
"""Reasons for which a readable record is rejected."""

MAX_SAMPLE = 120

_SENTENCES = {
    NOT_JSON: "{n} not JSON: write one JSON object per line",
    NOT_UTF8: "{n} not UTF-8: write UTF-8 without other encodings mixed in",
    TOO_LONG: "{n} longer than 1 MB: write one reading per line",
    TOO_LARGE: "{n} left out: the object unpacks to more than is read of one",
    TRUNCATED: "{n} cut off at the end of a compressed object: upload it again",
    FOREIGN_FORMAT: "{n} of another format than the lake's",
    SEVERAL_SENSORS: "{n} with several sensors in one: write one record per sensor with sensorType and val",
    WRONG_TYPE: "{n} with a value of the wrong kind",
    MISSING_FIELD: "{n} without a field that is needed",
    NOT_FINITE: "{n} with a val that is no finite number",
    IMPLAUSIBLE: "{n} outside the sensor's plausible range: check the sensor, or set plausible in the sensor set",
    UNKNOWN_SENSOR: "{n} of sensors that the sensor set doesn't have",
    OTHER_MACHINE: "{n} of another machine than the folder's: both ids must be equal, letter by letter",
    OTHER_DATE: "{n} of another date than the folder's",
    OTHER_HOURS: (
        "{n} hours away from the date of their folder: is that date, or the readings' clock, UTC? "
        "Set FACTORY_TIME_ZONE, or write times with their offset"
    ),
    UNUSABLE_ID: "{n} of a machine whose zoneId or equipId cannot be used: use letters, digits, '-', '_' and '.'",
    BAD_ROW: "{n} with another number of cells than the header: write the same columns in each row",
    TOO_MANY_SENSORS: "{n} with more different sensorIds than are told apart",
}


class Rejects:
    """Rejected records, by reason.

    Attributes:
        counts: their number.
        samples: the defect of one of them in a few words: names of fields, ids and numbers.
    """

    def __init__(self) -> None:
        """No rejects yet."""
        self.counts: Counter[str] = Counter()
        self.samples: dict[str, str] = {}

    def add(self, reason: str, sample: str = "", count: int = 1) -> None:
        """Count records; the first sample of a reason stays."""
        self.counts[reason] += count
        if sample:
            self.samples.setdefault(reason, sample[:MAX_SAMPLE])

    def update(self, counts: Mapping[str, int], samples: Mapping[str, str]) -> None:
        """Add other rejects."""
        self.counts.update(counts)
        for reason, sample in samples.items():
            self.samples.setdefault(reason, sample)


def sentences(counts: Mapping[str, int], samples: Mapping[str, str], *, unknown_sensors: bool = False) -> list[str]:
    """One sentence a reason, the largest first.

    Unknown sensors are no mistake and are left out, unless a name nearly matches or with `unknown_sensors`.
    """
    reported = (reason for reason in counts if reason != UNKNOWN_SENSOR or reason in samples or unknown_sensors)
    ranked = sorted(reported, key=lambda reason: -counts[reason])
    return [sentence(reason, counts[reason], samples.get(reason, "")) for reason in ranked]


def sentence(reason: str, count: int, sample: str = "") -> str:
    """The defect of records, and its remedy.

    >>> sentence(OTHER_MACHINE, 72, "m1")
    "72 readings of another machine than the folder's (m1): both ids must be equal, letter by letter"
    """
    text = _SENTENCES.get(reason, f"{{n}} rejected as {reason}")
    noun = "readings" if reason in READABLE else "records"
    if count == 1:
        noun = noun[:-1]
    head, colon, remedy = text.partition(":")
    example = f" ({sample})" if sample else ""
    return f"{head}{example}{colon}{remedy}".replace("{n}", f"{count:,} {noun}", 1)

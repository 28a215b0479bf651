"""The result of a check, as programs read it. The field names are a public format."""

from datetime import date
from typing import Literal

import msgspec

from monitory_retrain.check.grades import SensorGrade
from monitory_retrain.dataset.sufficiency import Supply

Level = Literal["stop", "warn", "note"]


class Finding(msgspec.Struct, frozen=True):
    """Something to know: `stop` keeps machines from being predicted, `warn` makes predictions worse.

    `what` is the case and `todo` what to do about it; a `note` needs nothing to be done.
    """

    level: Level
    what: str
    todo: str = ""


class Extent(msgspec.Struct, frozen=True):
    """What the lake holds in the dates looked at; `at_least` says that more was not listed.

    Attributes:
        layout: the pattern of folders that was looked for.
        days: by date, the number of objects and of bytes.
        zones: the number of machines by zone; empty where folders don't name them.
        read: objects read for this check; `requests` are all requests to the store.
    """

    bucket: str
    prefix: str
    layout: str
    first: date
    last: date
    objects: int
    bytes: int
    days: dict[date, tuple[int, int]]
    zones: dict[str, int]
    machines: int
    at_least: bool
    formats: dict[str, int]
    read: int
    requests: int


class Training(msgspec.Struct, frozen=True):
    """Whether tonight's retrain would train.

    Attributes:
        would_train: whether nothing is missing.
        missing: what is, in words.
        supply: what the dates hold; estimated from the sample unless `is_exact`.
        failures: by machine of the sample, failures that the readings show; and those of the log, where there is one.
    """

    would_train: bool
    missing: list[str]
    supply: Supply
    is_exact: bool
    failures: dict[str, int]
    logged: dict[str, int] | None


class LakeCheck(msgspec.Struct, frozen=True):
    """The result of a check.

    Attributes:
        todo: the one thing to do first.
        findings: the most important first.
        rejected: skipped records of the sample, by reason, with a sentence each in `losses`.
        unknown_sensors: readings of sensors outside the set, by `sensorType`, with the name that may be meant.
        delay_hours: the median from a reading to the writing of its object; None where unknown.
        gaps: by machine, the share of hours without readings.
        dollars_a_month: what requests and functions cost.
    """

    status: str
    todo: str
    findings: list[Finding]
    extent: Extent
    sensors: list[SensorGrade]
    unknown_sensors: dict[str, tuple[int, str]]
    rejected: dict[str, int]
    losses: list[str]
    delay_hours: float | None
    gaps: dict[str, float]
    training: Training | None
    dollars_a_month: float | None

"""An entry of the logbook, from the fields of one JSON object or CSV line."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from monitory.clock import hour_of
from monitory.decoding.dialect import Refusal
from monitory.decoding.times import wall_clock

FIELDS = ("zoneId", "equipId", "kind", "start", "end", "failureMode", "note", "time")
"""`time` is the older name of `start`."""

NOT_AN_OBJECT = "not_an_object"
MISSING_EQUIP_ID = "missing_equip_id"
MISSING_START = "missing_start"
BAD_ID = "bad_id"
BAD_TIME = "bad_time"
UNKNOWN_KIND = "unknown_kind"
END_BEFORE_START = "end_before_start"

_OTHER_WORDS = {
    "equipId": ("equipment", "equipmentid", "machine", "machineid", "device", "deviceid", "asset", "assetid"),
    "start": ("timestamp", "ts", "datetime", "date", "starttime", "startdate", "begin", "from", "failedat"),
}
"""Other systems' names of the fields that every entry needs, in lower case without separators."""

_HOUR = timedelta(hours=1)


class Kind(StrEnum):
    """What an entry is about."""

    FAILURE = "failure"
    MAINTENANCE = "maintenance"
    INSPECTION = "inspection"
    FALSE_ALARM = "false_alarm"
    SEEN = "seen"
    PLANNED = "planned"


_KINDS = frozenset(Kind)


class LogEntry(NamedTuple):
    """An entry of the logbook.

    Attributes:
        equip_id: the machine.
        zone_id: its zone; None where the entry has none.
        kind: what it is about.
        start: the factory's wall clock, naive.
        end: the same; None where it has none.
        failure_mode: the way in which the machine fails; empty where the entry has none.
        note: free text.
        at: when it was recorded, aware; None in a log file, which does not say.
        by: who recorded it; empty in a log file.
    """

    equip_id: str
    zone_id: str | None
    kind: Kind
    start: datetime
    end: datetime | None = None
    failure_mode: str = ""
    note: str = ""
    at: datetime | None = None
    by: str = ""

    @property
    def first(self) -> int:
        """Its first hour, see `clock`."""
        return hour_of(self.start)

    @property
    def after(self) -> int | None:
        """The first hour after it, at least one later than the first; None without an end.

        >>> LogEntry("A", None, Kind.FAILURE, datetime(1970, 1, 1, 5, 10), datetime(1970, 1, 1, 7)).after
        7
        """
        if self.end is None:
            return None
        return max(hour_of(self.end + _HOUR - timedelta(microseconds=1)), self.first + 1)


def entry(fields: Mapping[str, object]) -> LogEntry:
    """The entry of an object's fields; null and empty text count as absent, other fields are ignored.

    Raises:
        Refusal: a field is missing, or has a value that cannot be used.
    """
    present = {name: value for name, value in fields.items() if value is not None and value != ""}
    equip_id = _identifier("equipId", present)
    if equip_id is None:
        raise Refusal(MISSING_EQUIP_ID, _instead("equipId", present))
    start = _moment("start" if "start" in present else "time", present)
    if start is None:
        raise Refusal(MISSING_START, _instead("start", present))
    end = _moment("end", present)
    if end is not None and end < start:
        raise Refusal(END_BEFORE_START, f"start {start.isoformat()}, end {end.isoformat()}")
    mode, note = (str(present.get(name, "")).strip() for name in ("failureMode", "note"))
    return LogEntry(equip_id, _identifier("zoneId", present), _kind(present.get("kind")), start, end, mode, note)


def _identifier(field: str, fields: Mapping[str, object]) -> str | None:
    value = fields.get(field)
    if value is None or isinstance(value, str):
        return value.strip() or None if value else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Refusal(BAD_ID, f"{field} is {_shown(value)}")


def _moment(field: str, fields: Mapping[str, object]) -> datetime | None:
    value = fields.get(field)
    if value is None:
        return None
    moment = wall_clock(value)
    if moment is None:
        raise Refusal(BAD_TIME, f"{field} is {_shown(value)}")
    return moment


def _kind(value: object) -> Kind:
    if value is None:
        return Kind.FAILURE
    if isinstance(value, str):
        word = re.sub(r"[\s-]+", "_", value.strip().lower())
        if word in _KINDS:
            return Kind(word)
    raise Refusal(UNKNOWN_KIND, f"kind is {_shown(value)}")


def _instead(field: str, fields: Mapping[str, object]) -> str:
    for name in fields:
        plain = re.sub(r"[^a-z0-9]", "", name.lower())
        if name not in FIELDS and (plain == field.lower() or plain in _OTHER_WORDS[field]):
            return f"{field} is missing, {name!r} is there"
    return f"{field} is missing"


def _shown(value: object) -> str:
    return ascii(value)[:40]

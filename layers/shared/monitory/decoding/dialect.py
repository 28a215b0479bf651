"""Records that deviate from the contract: converted where they are unambiguous, otherwise refused with a reason."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from math import isfinite

import msgspec

from monitory.decoding.framing import MAX_RECORD_BYTES
from monitory.decoding.reading import MAX_VALUE, Reading
from monitory.decoding.rejects import (
    MISSING_FIELD,
    NOT_FINITE,
    NOT_JSON,
    NOT_UTF8,
    SEVERAL_SENSORS,
    TOO_LONG,
    WRONG_TYPE,
)
from monitory.decoding.times import wall_clock

_FIELDS = ("zoneId", "equipId", "sensorType", "val", "time")
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_NO_NUMBERS = frozenset({"nan", "inf", "infinity", "null", "none", ""})
_LOOSE_JSON = json.JSONDecoder(parse_int=float)  # reads NaN and Infinity, and numbers of any length

_OTHER_WORDS = {
    "zoneId": ("zone",),
    "equipId": ("equipment", "equipmentid", "machine", "machineid", "device", "deviceid", "asset", "assetid"),
    "sensorType": ("type", "sensor", "tag", "metric", "measurement", "name"),
    "val": ("value", "v", "reading"),
    "time": ("timestamp", "ts", "datetime", "date", "eventtime"),
}
"""Other producers' names of the fields, in lower case without separators."""


class Refusal(Exception):
    """A record cannot be used."""

    def __init__(self, reason: str, sample: str = "") -> None:
        """The reason (see `rejects`), and the defective part."""
        super().__init__(reason)
        self.reason = reason
        self.sample = sample


def read(record: bytes, sensor_types: Iterable[str] = ()) -> Reading:
    """The reading in a record; `sensor_types` are those of the sensor set.

    Raises:
        Refusal: there is none.
    """
    if len(record) > MAX_RECORD_BYTES:
        raise Refusal(TOO_LONG)
    value = _decoded(record)
    if not isinstance(value, dict):
        raise Refusal(WRONG_TYPE, f"{_kind(value)} where an object should be")
    _check_fields(value, frozenset(sensor_types))
    sensor_id = value.get("sensorId", "")
    return reading_of(value["zoneId"], value["equipId"], sensor_id, value["sensorType"], value["val"], value["time"])


def reading_of(
    zone_id: object, equip_id: object, sensor_id: object, sensor_type: object, val: object, time: object
) -> Reading:
    """The reading of a record's fields, whatever their types.

    Raises:
        Refusal: a field cannot be converted.
    """
    names = {"zoneId": zone_id, "equipId": equip_id, "sensorId": sensor_id}
    ids = [identifier(field, value) for field, value in names.items()]
    if not isinstance(sensor_type, str):
        raise Refusal(WRONG_TYPE, f"sensorType is {_kind(sensor_type)}")
    return Reading(ids[0], ids[1], ids[2], sensor_type, number(val), moment(time))


def _decoded(record: bytes) -> object:
    try:
        return msgspec.json.decode(record)
    except UnicodeDecodeError:
        raise Refusal(NOT_UTF8) from None
    except (msgspec.MsgspecError, RecursionError):
        pass
    try:
        text = record.decode()
    except UnicodeDecodeError:
        raise Refusal(NOT_UTF8) from None
    try:
        value = _LOOSE_JSON.decode(text.strip())
    except (ValueError, RecursionError):
        raise Refusal(NOT_JSON, f"{len(record):,} bytes") from None
    # many writers print NaN and Infinity, which are not JSON; all else that only the loose decoder accepts is broken
    if isinstance(value, dict) and isinstance(val := value.get("val"), float) and not abs(val) <= MAX_VALUE:
        raise Refusal(NOT_FINITE, f"val is {val}")
    raise Refusal(NOT_JSON, f"{len(record):,} bytes")


def _check_fields(record: Mapping[str, object], sensor_types: frozenset[str]) -> None:
    missing = [field for field in _FIELDS if field not in record]
    if not missing:
        return
    if "val" in missing and "sensorType" in missing:
        sensors = [name for name, value in record.items() if name in sensor_types and _is_number(value)]
        if sensors:
            raise Refusal(SEVERAL_SENSORS, ", ".join(sensors[:6]))
    raise Refusal(MISSING_FIELD, "; ".join(_missing(field, record) for field in missing))


def _missing(field: str, record: Mapping[str, object]) -> str:
    plain = field.lower()
    for name in record:
        spelled = re.sub(r"[^a-z0-9]", "", name.lower())
        if spelled == plain or (spelled in _OTHER_WORDS[field] and name not in _FIELDS):
            return f"{field} is missing, {name!r} is there"
    return f"{field} is missing"


def moment(time: object) -> datetime:
    """The factory's wall clock of a time.

    Raises:
        Refusal: it is ambiguous, or no time.
    """
    local = wall_clock(time)
    if local is None:
        raise Refusal(WRONG_TYPE, f"time is {_shown(time)}")
    return local


def identifier(field: str, value: object) -> str:
    """An id as text; a missing sensorId is an empty one.

    Raises:
        Refusal: it is neither text nor a whole number.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if field == "sensorId" and value is None:
        return ""
    raise Refusal(WRONG_TYPE, f"{field} is {_kind(value)}")


def number(val: object) -> float:
    """A finite number, which may be given as text.

    Raises:
        Refusal: it isn't one.
    """
    if isinstance(val, str):
        text = val.strip()
        if text.lower().lstrip("+-") in _NO_NUMBERS:
            raise Refusal(NOT_FINITE, f"val is {_shown(val)}")
        if not _NUMBER.fullmatch(text):
            raise Refusal(WRONG_TYPE, f"val is {_shown(val)}")
        number = float(text)
    elif isinstance(val, int | float) and not isinstance(val, bool):
        number = float(val) if abs(val) <= MAX_VALUE else float("inf")
    else:
        raise Refusal(WRONG_TYPE, f"val is {_kind(val)}")
    if not isfinite(number) or abs(number) > MAX_VALUE:
        raise Refusal(NOT_FINITE, f"val is {_shown(val)}")
    return number


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: object) -> str:
    names = {type(None): "null", bool: "a truth value", int: "a number", float: "a number", str: "text"}
    return names.get(type(value), "a list" if isinstance(value, list) else "an object")


def _shown(value: object) -> str:
    return ascii(value)[:40] if isinstance(value, str | int | float) and not isinstance(value, bool) else _kind(value)

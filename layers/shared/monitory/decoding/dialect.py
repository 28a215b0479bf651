"""Records that deviate from the contract: converted where they are unambiguous, otherwise refused with a reason."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from math import isfinite

import msgspec

from monitory.decoding.form import RecordForm
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
    Rejects,
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


def decoded(record: bytes, form: RecordForm) -> Mapping[str, object]:
    """The fields of a record in JSON.

    Raises:
        Refusal: it is no object.
    """
    if len(record) > MAX_RECORD_BYTES:
        raise Refusal(TOO_LONG)
    value = _decoded(record, form)
    if not isinstance(value, dict):
        raise Refusal(WRONG_TYPE, f"{_kind(value)} where an object should be")
    return value


def readings(row: Mapping[str, object], form: RecordForm, rejects: Rejects) -> Iterator[Reading]:
    """The readings in a record: one, or several in a wide lake. What cannot be read is counted."""
    fields = form.layout.fields
    try:
        _check_fields(row, form)
        zone_id = identifier("zoneId", row[fields.zone_id]) if form.has_zone and fields.zone_id else None
        equip_id = identifier("equipId", row[fields.equip_id]) if fields.equip_id else form.owner.equip_id
        sensor_id = identifier("sensorId", row.get(fields.sensor_id)) if fields.sensor_id else ""
        time = moment(row[fields.time], form)
        if zone_id is None:
            zone_id = form.owner.zone_id or form.layout.zone or ""
        if not form.layout.wide:
            sensor_type = row[fields.sensor_type]
            if not isinstance(sensor_type, str):
                raise Refusal(WRONG_TYPE, f"{fields.sensor_type} is {_kind(sensor_type)}")
            yield Reading(zone_id, equip_id, sensor_id, sensor_type, number(row[fields.val]), time)
            return
    except Refusal as refusal:
        rejects.add(refusal.reason, refusal.sample)
        return
    for sensor_type in form.sensor_types:
        val = row.get(sensor_type)
        if val is None or val == "":  # no reading of this sensor at that time
            continue
        try:
            yield Reading(zone_id, equip_id, sensor_id, sensor_type, number(val, sensor_type), time)
        except Refusal as refusal:
            rejects.add(refusal.reason, refusal.sample)


def _decoded(record: bytes, form: RecordForm) -> object:
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
    if isinstance(value, dict):
        fields = form.sensor_types if form.layout.wide else (form.layout.fields.val,)
        odd = [name for name in fields if isinstance(val := value.get(name), float) and not abs(val) <= MAX_VALUE]
        if odd and form.layout.wide:
            return value
        if odd:
            raise Refusal(NOT_FINITE, f"{odd[0]} is {value[odd[0]]}")
    raise Refusal(NOT_JSON, f"{len(record):,} bytes")


def _check_fields(row: Mapping[str, object], form: RecordForm) -> None:
    fields = form.layout.fields
    needed = {"zoneId": fields.zone_id if form.has_zone else None, "equipId": fields.equip_id, "time": fields.time}
    if not form.layout.wide:
        needed |= {"sensorType": fields.sensor_type, "val": fields.val}
    missing = [(field, needed[field]) for field in _FIELDS if needed.get(field) and needed[field] not in row]
    sensors = [name for name in form.sensor_types if name in row]
    if form.layout.wide and not sensors:
        raise Refusal(MISSING_FIELD, f"none of the sensors {', '.join(form.sensor_types[:6])} is a field")
    if not missing:
        return
    if not form.layout.wide and {"val", "sensorType"} <= {field for field, _ in missing}:
        numbers = [name for name in row if name in form.sensor_types and _is_number(row[name])]
        if numbers:
            raise Refusal(SEVERAL_SENSORS, ", ".join(numbers[:6]))
    names = frozenset(name for name in needed.values() if name)
    raise Refusal(MISSING_FIELD, "; ".join(_missing(field, name or "", row, names) for field, name in missing))


def _missing(field: str, name: str, row: Mapping[str, object], names: frozenset[str]) -> str:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for other in row:
        spelled = re.sub(r"[^a-z0-9]", "", str(other).lower())
        if spelled in (plain, field.lower()) or (spelled in _OTHER_WORDS[field] and other not in names):
            return f"{name} is missing, {other!r} is there"
    return f"{name} is missing"


def moment(time: object, form: RecordForm) -> datetime:
    """The factory's wall clock of a time in a record.

    Raises:
        Refusal: it is ambiguous, or no time.
    """
    if isinstance(time, datetime) and time.tzinfo is None:
        return form.factory_time(time)
    local = wall_clock(time, form.factory_time)
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


def number(val: object, name: str = "val") -> float:
    """A finite number, which may be given as text; `name` is the field's.

    Raises:
        Refusal: it isn't one.
    """
    if isinstance(val, str):
        text = val.strip()
        if text.lower().lstrip("+-") in _NO_NUMBERS:
            raise Refusal(NOT_FINITE, f"{name} is {_shown(val)}")
        if not _NUMBER.fullmatch(text):
            raise Refusal(WRONG_TYPE, f"{name} is {_shown(val)}")
        number = float(text)
    elif isinstance(val, int | float) and not isinstance(val, bool):
        number = float(val) if abs(val) <= MAX_VALUE else float("inf")
    else:
        raise Refusal(WRONG_TYPE, f"{name} is {_kind(val)}")
    if not isfinite(number) or abs(number) > MAX_VALUE:
        raise Refusal(NOT_FINITE, f"{name} is {_shown(val)}")
    return number


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: object) -> str:
    names = {type(None): "null", bool: "a truth value", int: "a number", float: "a number", str: "text"}
    return names.get(type(value), "a list" if isinstance(value, list) else "an object")


def _shown(value: object) -> str:
    return ascii(value)[:40] if isinstance(value, str | int | float) and not isinstance(value, bool) else _kind(value)

"""Pieces of an object -> readings.

The fast path decodes a whole piece of lines in one call of msgspec; only a piece with a defect is decoded record by
record.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, cast

import msgspec

from monitory.decoding import dialect, framing
from monitory.decoding.form import RecordForm
from monitory.decoding.reading import Reading, Value, WallClock
from monitory.decoding.rejects import NOT_UTF8, OTHER_MACHINE, Rejects
from monitory.machine import Machine

_ABSENT = "(not in the records) "
"""Begins the name of a field that records don't have, under which nothing is looked for."""


@lru_cache(maxsize=256)  # two for each machine in serving's cache
def _own_decoders(
    form: RecordForm, *, is_checked: bool
) -> tuple[msgspec.json.Decoder[Reading], msgspec.json.Decoder[list[Reading]]]:
    """Decoders of lines and arrays that accept the owner's readings only, and the sensor set's types if `is_checked`.

    Neither check then costs anything per reading, and all readings of a type share one string.
    """
    owner, types, fields = form.owner, form.sensor_types, form.layout.fields
    own = msgspec.defstruct(
        "OwnReading",
        [
            _id("zone_id", owner.zone_id, is_there=form.has_zone),
            _id("equip_id", owner.equip_id, is_there=fields.equip_id is not None),
            ("sensor_id", str) if fields.sensor_id else ("sensor_id", str, ""),
            ("sensor_type", Literal[types] if types and is_checked else str),
            ("val", Value),
            ("time", WallClock),
        ],
        gc=False,
        kw_only=True,
        rename=_renamed(form),
    )
    reading = cast(type[Reading], own)
    return msgspec.json.Decoder(reading), msgspec.json.Decoder(cast(type[list[Reading]], list[reading]))  # type: ignore[valid-type]


def _id(name: str, value: str, *, is_there: bool) -> tuple[str, Any] | tuple[str, Any, Any]:
    """The field of an id; the owner's where records have none."""
    return (name, Literal[value] if value else str) if is_there else (name, str, value)


def _renamed(form: RecordForm) -> dict[str, str]:
    names = msgspec.structs.asdict(form.layout.fields)
    if not form.has_zone:
        names["zone_id"] = None
    return {field: name or f"{_ABSENT}{field}" for field, name in names.items()}


class _LooseReading(msgspec.Struct, gc=False):
    """A reading whose ids, time and numbers have any type that can be converted."""

    zone_id: str | int
    equip_id: str | int
    sensor_type: str
    val: Value | str
    time: datetime | int | float
    sensor_id: str | int | None = None


@lru_cache(maxsize=256)
def _loose_decoder(form: RecordForm) -> msgspec.json.Decoder[list[_LooseReading]]:
    fields = [
        ("zone_id", str | int) if form.has_zone else ("zone_id", str, form.owner.zone_id),
        ("equip_id", str | int) if form.layout.fields.equip_id else ("equip_id", str, form.owner.equip_id),
        ("sensor_type", str),
        ("val", Value | str),
        ("time", datetime | int | float),
        ("sensor_id", str | int | None, None),
    ]
    loose = cast(
        type[_LooseReading], msgspec.defstruct("LooseReading", fields, gc=False, kw_only=True, rename=_renamed(form))
    )
    return msgspec.json.Decoder(cast(type[list[_LooseReading]], list[loose]))  # type: ignore[valid-type]


def decode(
    piece: bytes,
    is_array: bool,
    form: RecordForm,
    rejects: Rejects,
    newlines: Callable[[bytes, int], int],
) -> list[Reading]:
    """The readings in a piece of an object, whose times are the factory's wall clock.

    Args:
        piece: whole records, as `framing.pieces` cuts them.
        is_array: they are an array's elements.
        form: the form of the records; readings of sensors outside the set are returned as well.
        rejects: counts the records that can't be read.
        newlines: counts newlines, see `framing.has_lines`.
    """
    if not form.layout.wide and (is_array or not framing.has_long_line(piece)):
        if (batch := _decoded_at_once(piece, is_array, form, newlines)) is not None:
            if form.layout.naive_time_zone is not None:
                for reading in batch:
                    reading.time = form.factory_time(reading.time)
            return batch
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError, dialect.Refusal):
            return _converted(_loose_decoder(form).decode(framing.as_array(piece)), form)
    # there is a defect: find it, record by record
    return list(_read_one_by_one(piece, form, rejects))


def _decoded_at_once(
    piece: bytes, is_array: bool, form: RecordForm, newlines: Callable[[bytes, int], int]
) -> list[Reading] | None:
    """The readings in a piece without defects; None where it has some."""
    for is_checked in (True, False):  # most machines have only sensors of the set
        lines, array = _own_decoders(form, is_checked=is_checked)
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            if is_array:
                return array.decode(b"[" + piece.strip(framing.BETWEEN) + b"]")
            batch = lines.decode_lines(piece)
            if framing.has_lines(piece, len(batch), newlines):
                return batch
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _own_decoders(form, is_checked=False)[1].decode(framing.as_array(piece))
    return None


def _converted(loose: list[_LooseReading], form: RecordForm) -> list[Reading]:
    """Readings in the types of the contract.

    Raises:
        Refusal: a reading can't be converted, or is another machine's.
    """
    ids = {names: (str(names[0]), str(names[1])) for names in {(r.zone_id, r.equip_id) for r in loose}}
    if not all(form.is_owner(*names) for names in ids.values()):
        raise dialect.Refusal(OTHER_MACHINE)
    return [
        Reading(
            *ids[r.zone_id, r.equip_id],
            r.sensor_id if type(r.sensor_id) is str else dialect.identifier("sensorId", r.sensor_id),
            r.sensor_type,
            r.val if type(r.val) is float else dialect.number(r.val),
            dialect.moment(r.time, form),
        )
        for r in loose
    ]


def _read_one_by_one(piece: bytes, form: RecordForm, rejects: Rejects) -> Iterator[Reading]:
    for record in framing.values(piece):
        try:
            row = dialect.decoded(record, form)
        except dialect.Refusal as refusal:
            if refusal.reason == NOT_UTF8 and (sound := _sound(record, form)):
                yield from sound
            else:
                rejects.add(refusal.reason, refusal.sample)
            continue
        yield from readings(row, form, rejects)


def _sound(record: bytes, form: RecordForm) -> list[Reading]:
    """The reading in a record with broken text where nothing is looked for, which the fast path does not look at."""
    if not form.layout.wide:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError, dialect.Refusal):
            return _converted(_loose_decoder(form).decode(framing.as_array(record)), form)
    return []


def readings(row: Mapping[str, object], form: RecordForm, rejects: Rejects) -> Iterator[Reading]:
    """The owner's readings in a record of any format, by its fields' names; what cannot be read is counted."""
    for reading in dialect.readings(row, form, rejects):
        if form.is_owner(reading.zone_id, reading.equip_id):
            yield reading
        else:
            of = Machine(reading.zone_id, reading.equip_id)
            rejects.add(OTHER_MACHINE, ascii(of.equip_id if of.zone_id == form.owner.zone_id else str(of))[1:-1])

"""Pieces of an object -> readings.

The fast path decodes a whole piece of lines in one call of msgspec; only a piece with a defect is decoded record by
record.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Literal, cast

import msgspec

from monitory.decoding import dialect, framing
from monitory.decoding.framing import MAX_RECORD_BYTES
from monitory.decoding.reading import Reading, Value, WallClock
from monitory.decoding.rejects import OTHER_MACHINE, Rejects
from monitory.machine import Machine

_LINES = msgspec.json.Decoder(Reading)


@lru_cache(maxsize=256)  # two for each machine in serving's cache
def _own_decoders(
    owner: Machine, sensor_types: tuple[str, ...]
) -> tuple[msgspec.json.Decoder[Reading], msgspec.json.Decoder[list[Reading]]]:
    """Decoders of lines and arrays that accept one machine's readings only, and only the sensor types given, if any.

    Neither check then costs anything per reading, and all readings of a type share one string.
    """
    own = msgspec.defstruct(
        "OwnReading",
        [
            ("zone_id", Literal[owner.zone_id]),
            ("equip_id", Literal[owner.equip_id]),
            ("sensor_id", str),
            ("sensor_type", Literal[sensor_types] if sensor_types else str),
            ("val", Value),
            ("time", WallClock),
        ],
        gc=False,
        rename="camel",
    )
    reading = cast(type[Reading], own)
    return msgspec.json.Decoder(reading), msgspec.json.Decoder(cast(type[list[Reading]], list[reading]))  # type: ignore[valid-type]


class _LooseReading(msgspec.Struct, gc=False, rename="camel"):
    """A reading whose ids, time and numbers have any type that can be converted."""

    zone_id: str | int
    equip_id: str | int
    sensor_type: str
    val: Value | str
    time: datetime | int | float
    sensor_id: str | int | None = None


_LOOSE = msgspec.json.Decoder(list[_LooseReading])


def decode(
    piece: bytes,
    is_array: bool,
    owner: Machine,
    sensor_types: tuple[str, ...],
    rejects: Rejects,
    newlines: Callable[[bytes, int], int],
) -> list[Reading]:
    """The readings in a piece of an object.

    Args:
        piece: whole records, as `framing.pieces` cuts them.
        is_array: they are an array's elements.
        owner: readings of other machines are rejected.
        sensor_types: those of the sensor set; readings of others are returned as well.
        rejects: counts the records that can't be read.
        newlines: counts newlines, see `framing.has_lines`.
    """
    if is_array or not framing.has_long_line(piece):
        for types in (sensor_types, ()):  # most machines have only sensors of the set
            lines, array = _own_decoders(owner, types)
            with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                if is_array:
                    return array.decode(b"[" + piece.strip(framing.BETWEEN) + b"]")
                batch = lines.decode_lines(piece)
                if framing.has_lines(piece, len(batch), newlines):
                    return batch
        whole = framing.as_array(piece)
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return _own_decoders(owner, ())[1].decode(whole)
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError, dialect.Refusal):
            return _converted(_LOOSE.decode(whole), owner)
    # there is a defect: find it, record by record
    return list(_read_one_by_one(piece, owner, sensor_types, rejects))


def _converted(loose: list[_LooseReading], owner: Machine) -> list[Reading]:
    """Readings in the types of the contract.

    Raises:
        Refusal: a reading can't be converted, or is another machine's.
    """
    zone_id, equip_id = owner
    for machine in {(r.zone_id, r.equip_id) for r in loose}:
        if tuple(map(str, machine)) != owner:
            raise dialect.Refusal(OTHER_MACHINE)
    return [
        Reading(
            zone_id,
            equip_id,
            r.sensor_id if type(r.sensor_id) is str else dialect.identifier("sensorId", r.sensor_id),
            r.sensor_type,
            r.val if type(r.val) is float else dialect.number(r.val),
            dialect.moment(r.time),
        )
        for r in loose
    ]


def _read_one_by_one(
    piece: bytes, owner: Machine, sensor_types: tuple[str, ...], rejects: Rejects
) -> Iterator[Reading]:
    for record in framing.values(piece):
        try:
            reading = _read(record, sensor_types)
        except dialect.Refusal as refusal:
            rejects.add(refusal.reason, refusal.sample)
            continue
        if reading.zone_id == owner.zone_id and reading.equip_id == owner.equip_id:
            yield reading
        else:
            of = Machine(reading.zone_id, reading.equip_id)
            rejects.add(OTHER_MACHINE, ascii(of.equip_id if of.zone_id == owner.zone_id else str(of))[1:-1])


def _read(record: bytes, sensor_types: tuple[str, ...]) -> Reading:
    if len(record) <= MAX_RECORD_BYTES:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return _LINES.decode(record)
    return dialect.read(record, sensor_types)

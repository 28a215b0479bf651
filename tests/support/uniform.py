"""Objects whose lines are all alike, changed in every way that the field knows: C and Python give the same bits.

Where C declines, Python reads, and nothing can differ; so what is compared are objects that C takes.
"""

import gzip
import json
import random
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from monitory import clock, sensors
from monitory.features.hour_row import HourRow, has_plausible_extremes, hour_row
from monitory.features.uniform import UniformObjects
from monitory.layout.lake_layout import DEFAULT_LAYOUT, FieldNames, LakeLayout
from monitory.readings.by_hour import ReadingsByHour
from tests.support.samples import SOURCE

SENSORS = sensors.load()
LAYOUTS = (
    DEFAULT_LAYOUT,
    LakeLayout(zone="ZONE-001", folders="{date}/{machine}", fields=FieldNames(sensor_id=None)),
    LakeLayout(fields=FieldNames("z", "m", "i", "k", "v", "t")),
)
ZONES = (clock.DEFAULT_ZONE, clock.DEFAULT_ZONE, "Europe/Berlin", "Australia/Lord_Howe")

_VALUES = re.findall(
    r"\S+",
    f"""
    null NaN Infinity -Infinity true -0.0 -0 0 0.0 1 -1 1e5 1E5 1e-5 1.5e3 1e400 -1e400 1e-400 00 01 -01 .5 5. - +1 0x10
    [] {{}} "" "71.2" "NaN" -999 1e20 65535 9999.0 -32768 100.0000000000000001 9007199254740993 9007199254740992 71.2.3
    71,2 7_1 18446744073709551616 123456789012345678901234567890 0.30000000000000004 2.2250738585072014e-308 4.9e-324
    400 400.00001 1797693134862315{"7" * 90} 0.{"0" * 340}1 70.{"0" * 30}1 70.{"9" * 30} 7{"0" * 400}
    54.50000000000000355271367880050092935562133789062""",
)
_TIMES = re.findall(
    r"\S+",
    """
    2026-11-20T10:30:00 2026-11-20T10:30:00.5 2026-11-20T10:30:00.500000 2026-11-20T10:30:00.5000001
    2026-11-20T10:30:00.
    2026-11-20T10:30:00.123456789 2026-11-20T10:30:60 2026-11-20T10:60:00 2026-11-20T24:00:00 2026-11-20T10:30 now
    2026-11-20T10:30:00Z 2026-11-20T01:30:00Z 2026-11-20T10:30:00+09:00 2026-11-20t10:30:00 2026-11-20_10:30:00
    20261120T103000 2026-11-20T1030:00 2026-11-20T11:00:00 2026-11-20T09:59:59.999999 2026-11-21T10:30:00
    2026-02-30T10:30:00 0000-11-20T10:30:00 9999-12-31T23:59:59.999999 1795138200 1795138200000 2026-11-20T10:30:0
    2026-11-20T10:3:00 2026-11-20T10:59:59.999999 2026-11-20T10:00:00 2026-11-20T10:00:00.000000 2026-11-20T10:30:00,5
    2026-11-20T10:30:00.5Z 2026-11-20T10:30:000 2026-11-20T10:30:001""",
)
_TYPES = (
    *(
        "temp",
        "Temp",
        "temperature",
        "voc",
        "TEMP",
        "tem",
        "pressure",
        "vibration",
        "humid",
        "current",
        "a/b",
        "",
        "온도",
    ),
    *("te\\u006dp", "dust\\n", "x\x7fy", "x\x01y", "x\\\\"),
)
_BYTES = (
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\r\n", b"\n\n", b"\0", b"\xff", b"\xef\xbb\xbf", b" "),
    *(b"%c" % c for c in b"\t\x7f0123456789.-+eE/;"),
)
DAYS = ("2026-11-20", "2026-10-25", "2026-03-29", "2026-04-05", "2026-10-04")  # on some of them clocks change


class _Object(NamedTuple):
    """Lines in the making: each one's fields and their texts in JSON, and what lies around them."""

    lines: list[dict[str, str]]
    comma: str = ","
    colon: str = ":"
    newline: str = "\n"
    end: str = "\n\n"

    def __bytes__(self) -> bytes:
        texts = (self.comma.join(f'"{name}"{self.colon}{text}' for name, text in line.items()) for line in self.lines)
        return (self.newline.join(f"{{{text}}}" for text in texts) + self.end).encode("utf-8", "surrogatepass")


def mutants(seed: random.Random, layout: LakeLayout, day: str) -> Iterator[bytes]:
    """A plain object of a few lines, several times, each with up to four changes, and again with other bytes."""
    whole = plain(seed, layout, day)
    for _ in range(10):
        made = whole._replace(lines=[dict(line) for line in whole.lines])
        for _ in range(seed.choice((0, 1, 1, 1, 2, 2, 3, 4))):
            made = seed.choice(_CHANGES)(made, seed, layout.fields)
        body = bytes(made)
        yield body
        for _ in range(9):
            yield seed.choice(_BODIES)(body, seed)


def plain(seed: random.Random, layout: LakeLayout, day: str) -> _Object:
    """A few lines that are all alike."""
    names, lines, second = layout.fields, [], seed.uniform(0, 900)
    hour = seed.choice((10, 10, 10, 1, 2, 3, 23))
    types = seed.sample(("voc", *(sensor.lake_name for sensor in SENSORS.sensors)), seed.randint(1, 3))
    digits, spread = seed.choice((0, 1, 2, 3, 6, 12, 17)), seed.choice((0.0, 1e-9, 1.0, 9.0))
    for number in range(seed.randint(2, 12)):
        second += seed.choice((0.0001, 1.0, 7.25, seed.uniform(0, 200)))
        kind = types[number % len(types)]
        time = f"{day}T{hour:02d}:{int(second) // 60 % 60:02d}:{second % 60:09.6f}"
        value = round(seed.gauss(40, spread), digits) if digits else int(seed.gauss(40, spread))
        texts = ("ZONE-001", "EQUIP-001", f"UA10T-{kind[:3].upper()}", kind, value, time)
        fields = [names.zone_id, names.equip_id, names.sensor_id, names.sensor_type, names.val, names.time]
        line = {name: json.dumps(text) for name, text in zip(fields, texts, strict=True) if name}
        lines.append(line | {"category": '"EQUIPMENT"', "faulty": "0"})
    if seed.random() < 0.3:
        return _Object(lines, ", ", ": ")
    return _Object(lines, end=seed.choice(("", "\n", "\n\n", "\n\n\n\n", " \n", "\r\n")))


def _some(made: _Object, seed: random.Random) -> list[dict[str, str]]:
    """The first line, the last, any, or all."""
    return seed.choice((made.lines[:1], made.lines[-1:], [seed.choice(made.lines)], made.lines))


def _replaced(made: _Object, seed: random.Random, field: str | None, texts: Iterable[str]) -> _Object:
    text = seed.choice(list(texts))
    for line in _some(made, seed):
        line[field or "seq"] = text
    return made


def _value(made: _Object, seed: random.Random, names: FieldNames) -> _Object:
    sign, digits = seed.choice(("", "-")), "".join(seed.choices("0123456789", k=seed.randint(1, 24)))
    at = seed.randrange(len(digits) + 1)
    numeral = f"{sign}{digits[:at]}.{digits[at:]}" if at < len(digits) else sign + digits
    decimal = f"{seed.uniform(0, 100):.{seed.randint(0, 20)}f}"
    drawn = (numeral, decimal, repr(seed.uniform(-100, 400)), repr(seed.uniform(41, 42)))
    return _replaced(made, seed, names.val, (*drawn, seed.choice(_VALUES)))


def _time(made: _Object, seed: random.Random, names: FieldNames) -> _Object:
    return _replaced(made, seed, names.time, (seed.choice((f'"{text}"', text)) for text in (seed.choice(_TIMES),)))


def _type(made: _Object, seed: random.Random, names: FieldNames) -> _Object:
    return _replaced(made, seed, names.sensor_type, (seed.choice(('"%s"', '"%s"', "%s")) % seed.choice(_TYPES),))


def _name(made: _Object, seed: random.Random, names: FieldNames) -> _Object:
    field = seed.choice((names.zone_id, names.equip_id, names.sensor_id, names.sensor_id))
    texts = ('"ZONE-001"', '"EQUIP-001"', '"EQUIP-002"', '"equip-001"', '""', "null", "7", '"é"', '"\\u0041"')
    return _replaced(made, seed, field, texts)


def _other_field(made: _Object, seed: random.Random, names: FieldNames) -> _Object:
    field = seed.choice(("faulty", "category", "seq", "", "x\\", names.val.upper(), f"{names.val} "))
    in_it = seed.choice((f'{{"{names.val}":1}}', f'{{"{names.time}":"x"}}', f'[{{"{names.sensor_type}":"temp"}}]'))
    texts = ("1", "null", '"\\""', '"é"', '"{"', '"\\\\"', "1e999", "[]", "{}", "[1,2]", in_it, f'{{"{field}":2}}')
    return _replaced(made, seed, field, texts)


def _double_field(made: _Object, seed: random.Random, names: FieldNames) -> _Object:
    for line in _some(made, seed):
        if line:
            field = seed.choice(list(line))
            line[field] += f'{made.comma}"{field}"{made.colon}{seed.choice((line[field], "1", "null"))}'
    return made


def _less(made: _Object, seed: random.Random, names: FieldNames) -> _Object:
    for line in _some(made, seed):
        line.pop(seed.choice([*line, "category"]), None)
    return made


def _order(made: _Object, seed: random.Random, names: FieldNames) -> _Object:
    for line in _some(made, seed):
        items = list(line.items())
        seed.shuffle(items)
        line.clear()
        line.update(items)
    return made


def _lines(made: _Object, seed: random.Random, names: FieldNames) -> _Object:
    at = seed.randrange(len(made.lines))
    match seed.randrange(4):
        case 0:
            made.lines.insert(seed.randrange(len(made.lines) + 1), dict(made.lines[at]))
        case 1:
            seed.shuffle(made.lines)
        case 2 if len(made.lines) > 1:
            del made.lines[at]
        case _:
            made.lines[at][names.time] = made.lines[0].get(names.time, "null")
    return made


def _between(made: _Object, seed: random.Random, names: FieldNames) -> _Object:
    return made._replace(
        newline=seed.choice(("\n", "\r\n", "", "\n\n", " \n", "\n ", ",\n", "]\n[", "\r", "\v\n")),
        comma=seed.choice((",", ", ", " ,", ",\t", ",\n", ",,")),
        colon=seed.choice((":", ": ", " : ", "=", ":\n")),
        end=seed.choice(("", "\n", "\r\n", "\n" * 70, " ", "\0", "\n\f\n", ",", "x", "\n{", "\n{}", "}", "\n]")),
    )


_CHANGES: tuple[Callable[[_Object, random.Random, FieldNames], _Object], ...] = (
    *(_value, _value, _value, _value, _time, _time, _type, _type, _name),
    *(_other_field, _double_field, _less, _order, _lines, _between),
)


def _cut(body: bytes, seed: random.Random) -> bytes:
    return body[: int(seed.random() * len(body))]


def _without(body: bytes, seed: random.Random) -> bytes:
    at = int(seed.random() * len(body))
    return body[:at] + body[at + int(seed.random() * 3) + 1 :]


def _with(body: bytes, seed: random.Random) -> bytes:
    at = int(seed.random() * len(body))
    return body[:at] + _BYTES[int(seed.random() * len(_BYTES))] + body[at + int(seed.random() * 2) :]


def _other_digit(body: bytes, seed: random.Random) -> bytes:
    digits = [at for at in (int(seed.random() * len(body)) for _ in range(6)) if body[at : at + 1].isdigit()]
    for at in digits:
        body = body[:at] + b"%d" % int(seed.random() * 10) + body[at + 1 :]
    return body


def _framed(body: bytes, seed: random.Random) -> bytes:
    array = b"[" + body.strip().replace(b"\n", b",\n") + b"]"
    before = seed.choice((b"\xef\xbb\xbf", b"\n", b" ", b"[", b"\0")) + body
    return seed.choice((array, before, gzip.compress(body), body * 2, body.decode("latin-1").encode("utf-16")))


_BODIES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_cut, _without, _framed),
    *(_with, _with, _with, _with, _other_digit, _other_digit),
)


def is_taken(body: bytes, layout: LakeLayout, day: str = "2026-11-20") -> bool:
    """Whether the C path takes an object, which Python reads into the same hour, bit for bit."""
    key = SOURCE._replace(day=SOURCE.day.fromisoformat(day))
    uniform = objects(layout).read(key, body)
    if uniform is None:
        return False
    readings = ReadingsByHour(SENSORS, layout=layout)
    readings.add(key, [body])
    (number,) = readings.hours
    row = hour_row(number, readings.hours[number], SENSORS)
    assert has_plausible_extremes(row, SENSORS)
    assert bits(uniform.row) == bits(row)
    assert list(uniform.rejects.counts.items()) == list(readings.rejected.items())
    assert uniform.rejects.samples == readings.samples
    return True


@cache
def objects(layout: LakeLayout) -> UniformObjects:
    """What reads such objects of a layout."""
    return UniformObjects(SENSORS, layout)


def bits(row: HourRow) -> tuple[object, ...]:
    """All of a row; a NaN equals a NaN, and zeros differ by their signs."""
    return row.hour, row.readings, row.last, struct.pack(f"{len(row.values)}d", *row.values)


def check(data: bytes) -> None:
    """Bytes as they are, and an object that they are the seed of, in a zone and a layout."""
    seed = random.Random(data)
    zone, day = seed.choice(ZONES), seed.choice(DAYS)
    clock.set_zone(zone)
    try:
        for layout in (DEFAULT_LAYOUT, seed.choice(LAYOUTS)):
            is_taken(data, layout)
            for body in mutants(seed, layout, day):
                is_taken(body, layout, day)
    finally:
        clock.set_zone(clock.DEFAULT_ZONE)

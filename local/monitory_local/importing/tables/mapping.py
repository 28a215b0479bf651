"""What the columns of a file mean: a small TOML or JSON file, or a guess by their names.

time_zone = "Europe/Berlin"          # of times without an offset; the factory's by default
time_format = "%d.%m.%Y %H:%M"       # guessed where it is clear
decimal = ","                        # guessed, too
zone = "ZONE-001"                    # of files without a column for it
equip = "PRESS-7"                    # the same; the file's name by default

[columns]                            # what the lake calls it = column of the file
time = "Zeit"
equipId = "Maschine"
sensorType = "Kanal"                 # with val: one row is one reading ("long")
val = "Wert"                         # without: one row is one moment, the other columns are sensors ("wide")

[sensors]                            # column (wide) or channel (long) = sensorType in the lake
"Temp [°C]" = "temp"

[machines]                           # name in the file = equipId
"3호기" = "M3"

[kinds]                              # word in a maintenance table = failure, maintenance, inspection, false_alarm
"BD" = "failure"
"""

import codecs
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from monitory.machine import machine
from monitory_local.importing.errors import ImportFault
from monitory_local.importing.tables.times import zone_name

DEFAULT_ZONE_ID = "ZONE-001"

_SYNONYMS = {
    "time": "time timestamp datetime date ts when zeit zeitstempel datum 시간 시각 일시 측정시각 측정시간",
    "zoneId": "zoneid zone area line plant site bereich linie 구역 라인 공장",
    "equipId": "equipid equip equipment machine machineid asset assetid unit unitid device deviceid component maschine "
    "anlage 설비 설비id 설비번호 장비 호기",
    "sensorType": "sensortype sensor tag tagname channel metric measurement variable parameter kanal messgröße 센서 "
    "태그",
    "sensorId": "sensorid",
    "val": "val value reading wert messwert 값 측정값",
    "start": "start starttime startdate begin beginn from time timestamp datetime date failuretime occurred 시작 "
    "시작일시 발생일시 일시 datum zeit",
    "end": "end endtime enddate finish finished to until ende repaired closed 종료 종료일시 완료일시",
    "kind": "kind type category eventtype worktype ordertype art 구분 유형 종류",
    "failureMode": "failuremode mode cause failure fault code schadensbild ursache 고장유형 고장원인 원인",
    "note": "note notes comment comments remark remarks description text bemerkung 비고 내용 메모",
}
_READING = ("time", "zoneId", "equipId", "sensorType", "sensorId", "val")
_RECORD = ("start", "end", "zoneId", "equipId", "kind", "failureMode", "note")


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The column of each field; None where the file has none."""

    time: str | None = None
    zone_id: str | None = None
    equip_id: str | None = None
    sensor_type: str | None = None
    sensor_id: str | None = None
    val: str | None = None
    start: str | None = None
    end: str | None = None
    kind: str | None = None
    failure_mode: str | None = None
    note: str | None = None

    def present(self) -> dict[str, str]:
        """Columns by field, in the lake's names."""
        given: dict[str, str | None] = msgspec.to_builtins(self)
        return {field: column for field, column in given.items() if column is not None}


class ColumnMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the columns of a file mean; see the module."""

    columns: Columns = Columns()
    sensors: dict[str, str] = {}
    machines: dict[str, str] = {}
    kinds: dict[str, str] = {}
    zone: str | None = None
    equip: str | None = None
    time_zone: str | None = None
    time_format: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None


def load(path: Path) -> ColumnMapping:
    """The mapping in a TOML or JSON file.

    Raises:
        ImportFault: it cannot be read, or has a field or value that means nothing.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
        parse = tomllib.loads if path.suffix.lower() == ".toml" else json.loads
        mapping = msgspec.convert(parse(content), ColumnMapping)
    except OSError as exc:
        raise ImportFault(f"{path}: {exc.strerror}") from exc
    except (ValueError, msgspec.ValidationError) as exc:
        raise ImportFault(f"{path}: {exc}; the fields are explained in docs/your-data.md, Import") from exc
    zone_name(mapping.time_zone)
    if mapping.encoding:
        try:
            codecs.lookup(mapping.encoding)
        except LookupError as exc:
            raise ImportFault(f"{path}: there is no encoding {mapping.encoding!r}; try utf-8, cp949, cp1252") from exc
    for value in (mapping.delimiter, mapping.decimal):
        if value is not None and len(value) != 1:
            raise ImportFault(f"{path}: delimiter and decimal are one character each, not {value!r}")
    for field, names in (("zone", [mapping.zone or DEFAULT_ZONE_ID]), ("machines", list(mapping.machines.values()))):
        for name in names:
            machine(name, name) if name else None
            if not name:
                raise ImportFault(f"{path}: {field} has an empty name")
    return mapping


def complete(mapping: ColumnMapping, header: Sequence[str], file: str, fields: Sequence[str] = _READING) -> Columns:
    """The columns of a file: those that the mapping names, the rest guessed by their names.

    Raises:
        ImportFault: the mapping names a column that the file does not have, or two columns fit a field.
    """
    named = mapping.columns.present()
    for field, column in named.items():
        if field in fields and column not in header:
            raise ImportFault(f"{file}: the mapping's {field} is column {column!r}; the file has {', '.join(header)}")
    free = [name for name in header if name not in named.values() and name not in mapping.sensors]
    columns = {field: column for field, column in named.items() if field in fields}
    for field in fields:
        if field in columns:
            continue
        fit = [name for name in free if _plain(name) in _SYNONYMS[field].split()]
        exact = [name for name in fit if _plain(name) == field.lower()]
        fit = exact or fit
        if len(fit) > 1:
            raise ImportFault(
                f"{file}: {' and '.join(map(repr, fit))} could both be {field}: name one in the mapping, "
                f'[columns] {field} = "{fit[0]}"'
            )
        if fit:
            columns[field] = fit[0]
            free.remove(fit[0])
    return msgspec.convert(columns, Columns)


def complete_records(mapping: ColumnMapping, header: Sequence[str], file: str) -> Columns:
    """The columns of a maintenance table; see `complete`."""
    return complete(mapping, header, file, _RECORD)


def as_toml(columns: Columns, extra: Mapping[str, str | None]) -> str:
    """Columns and settings as a mapping file, so that a guess can be kept and corrected."""
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in extra.items() if value]
    lines.append("[columns]")
    lines += [f"{field} = {json.dumps(column, ensure_ascii=False)}" for field, column in columns.present().items()]
    return "\n".join(lines)


def _plain(name: str) -> str:
    """A column's name without case, units in brackets and punctuation."""
    return re.sub(r"[\W_]+", "", re.sub(r"[\[(].*?[\])]", "", name).lower())

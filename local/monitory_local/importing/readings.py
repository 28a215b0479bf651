"""Chunks of a CSV file -> readings: machine, sensor, moment, value."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitory.errors import InvalidIdentifier
from monitory.machine import Machine, machine
from monitory_local.importing.errors import ImportFault, Rejects
from monitory_local.importing.tables import times
from monitory_local.importing.tables.csv_rows import Chunk
from monitory_local.importing.tables.mapping import DEFAULT_ZONE_ID, ColumnMapping, Columns

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

NO_CODE = -1


class Readings(NamedTuple):
    """Readings as columns; `machine` and `sensor` are codes of a vocabulary."""

    machine: Codes
    sensor: Codes
    time: times.Micros
    value: Floats


class SensorName(NamedTuple):
    """A sensor: its type and its id in the lake."""

    sensor_type: str
    sensor_id: str


@dataclass
class Vocabulary:
    """Machines and sensors in the order in which they first appear; a code is a position."""

    machines: dict[Machine, int] = field(default_factory=dict)
    sensors: dict[SensorName, int] = field(default_factory=dict)

    def machine(self, value: Machine) -> int:
        """The code of a machine."""
        return self.machines.setdefault(value, len(self.machines))

    def sensor(self, value: SensorName) -> int:
        """The code of a sensor."""
        return self.sensors.setdefault(value, len(self.sensors))


class FileForm(NamedTuple):
    """What is known of a file before it is read: what its columns mean, and how its times and numbers are written.

    Attributes:
        columns: the column of each field.
        sensors: sensors by column (wide); empty where a row is one reading (long).
        time_format: see `times.moments`.
        decimal: the decimal mark.
        ignored: columns that are left out.
    """

    columns: Columns
    sensors: dict[str, SensorName]
    time_format: str
    decimal: str
    ignored: list[str]


def file_form(chunk: Chunk, mapping: ColumnMapping, columns: Columns, prefix: str = "") -> FileForm:
    """The form of a file, by its first rows.

    Args:
        chunk: its first rows.
        mapping: what its columns mean, as far as somebody said.
        columns: the column of each field.
        prefix: put before the sensorType of each column.

    Raises:
        ImportFault: there is no time, no sensor, or the time's format is unclear.
    """
    if columns.time is None:
        raise ImportFault(
            f"{chunk.file}: which column holds the time? Name it in the mapping, [columns] time; there are "
            f"{', '.join(filter(None, chunk.columns))}"
        )
    time_format = mapping.time_format or times.guess_format(
        chunk.column(columns.time), f"{chunk.file}, column {columns.time!r}"
    )
    if columns.sensor_type and columns.val:
        decimal = mapping.decimal or _decimal(chunk.column(columns.val))
        other = [name for name in chunk.columns if name not in columns.present().values()]
        return FileForm(columns, {}, time_format, decimal, other)
    fields = (columns.time, columns.zone_id, columns.equip_id)
    columns = Columns(time=columns.time, zone_id=columns.zone_id, equip_id=columns.equip_id)
    candidates = [name for name in chunk.columns if name and name not in fields]
    if mapping.sensors:
        chosen = [name for name in candidates if name in mapping.sensors]
    else:
        chosen = [name for name in candidates if _is_numeric(chunk.column(name))]
    if not chosen:
        raise ImportFault(
            f"{chunk.file}: no column holds numbers of a sensor; [sensors] of the mapping names them, or [columns] "
            f"sensorType and val where a row is one reading; there are {', '.join(candidates)}"
        )
    sensors = {name: SensorName(prefix + mapping.sensors.get(name, name), prefix + name) for name in chosen}
    decimal = mapping.decimal or _decimal([value for name in chosen for value in chunk.column(name)[:1000]])
    return FileForm(columns, sensors, time_format, decimal, [name for name in candidates if name not in chosen])


class Reader:
    """Turns the chunks of one file into readings; what cannot be used is counted."""

    def __init__(
        self, mapping: ColumnMapping, form: FileForm, default: Machine, vocabulary: Vocabulary, rejects: Rejects
    ) -> None:
        """`default` is the machine of rows that name none, where no column does."""
        self._mapping = mapping
        self._form = form
        self._default = default
        self._vocabulary = vocabulary
        self._rejects = rejects
        self._machine_codes: dict[tuple[str, str], int] = {}

    def read(self, chunk: Chunk) -> Iterator[Readings]:
        """The readings of a chunk, sensor by sensor where each has a column of its own."""
        columns = self._form.columns
        texts = chunk.column(columns.time)
        moments, unclear = times.moments(texts, self._form.time_format, self._mapping.time_zone)
        machines = self._machines(chunk)
        empty = np.array([not text for text in texts], dtype=np.bool_)
        bad = moments == times.NOT_A_TIME
        self._count(chunk, "no_time", empty, lambda row: "it")
        self._count(chunk, "clock_change", unclear, lambda row: repr(texts[row]))
        self._count(chunk, "time", bad & ~unclear & ~empty, lambda row: repr(texts[row]))
        usable = (machines != NO_CODE) & ~bad
        if self._form.sensors:
            for column, name in self._form.sensors.items():
                sensors = np.full(len(texts), self._vocabulary.sensor(name), dtype=np.int32)
                yield self._valued(chunk, chunk.column(column), usable, Readings(machines, sensors, moments, _NONE))
        else:
            sensors = self._sensors(chunk)
            usable &= sensors != NO_CODE
            yield self._valued(chunk, chunk.column(columns.val), usable, Readings(machines, sensors, moments, _NONE))

    def _valued(self, chunk: Chunk, texts: Sequence[str], usable: Flags, readings: Readings) -> Readings:
        """Readings with their values, without the rows that cannot be used."""
        values = _numbers(texts, self._form.decimal)
        empty = np.array([not text for text in texts], dtype=np.bool_)
        word = np.array([text.lower().lstrip("+-") in _NOT_FINITE for text in texts], dtype=np.bool_)
        finite = np.isfinite(values)
        self._rejects.empty += int((usable & empty).sum())
        self._count(chunk, "not_finite", usable & ~empty & ~finite & word, lambda row: repr(texts[row]))
        self._count(chunk, "not_a_number", usable & ~empty & ~finite & ~word, lambda row: repr(texts[row]))
        rows = usable & finite
        return Readings(readings.machine[rows], readings.sensor[rows], readings.time[rows], values[rows])

    def _machines(self, chunk: Chunk) -> Codes:
        columns = self._form.columns
        if columns.equip_id is None and columns.zone_id is None:
            return np.full(len(chunk.rows), self._vocabulary.machine(self._default), dtype=np.int32)
        count = len(chunk.rows)
        zones = chunk.column(columns.zone_id) if columns.zone_id else [self._default.zone_id] * count
        equips = chunk.column(columns.equip_id) if columns.equip_id else [self._default.equip_id] * count
        pairs = list(zip(zones, equips, strict=True))
        for pair in set(pairs) - self._machine_codes.keys():
            self._machine_codes[pair] = self._machine_code(*pair)
        codes = np.array([self._machine_codes[pair] for pair in pairs], dtype=np.int32)
        nameless = np.array([not all(pair) for pair in pairs], dtype=np.bool_)
        self._count(chunk, "no_machine", nameless, lambda row: "it")
        self._count(chunk, "machine_name", (codes == NO_CODE) & ~nameless, lambda row: repr("/".join(pairs[row])))
        return codes

    def _machine_code(self, zone: str, equip: str) -> int:
        names = self._mapping.machines
        try:
            return self._vocabulary.machine(machine(names.get(zone, zone), names.get(equip, equip)))
        except InvalidIdentifier:
            return NO_CODE

    def _sensors(self, chunk: Chunk) -> Codes:
        columns = self._form.columns
        types = chunk.column(columns.sensor_type)
        ids = chunk.column(columns.sensor_id) if columns.sensor_id else types
        pairs = list(zip(types, ids, strict=True))
        names = self._mapping.sensors
        codes = {
            (kind, label): self._vocabulary.sensor(SensorName(names.get(kind, kind), label or kind))
            if kind
            else NO_CODE
            for kind, label in dict.fromkeys(pairs)
        }
        self._count(chunk, "no_sensor", np.array([not kind for kind in types], dtype=np.bool_), lambda row: "it")
        return np.array([codes[pair] for pair in pairs], dtype=np.int32)

    def _count(self, chunk: Chunk, reason: str, rows: Flags, sample: Callable[[int], str]) -> None:
        if rows.any():
            first = int(np.flatnonzero(rows)[0])
            where = f"{chunk.file} line {chunk.lines[first]}: {sample(first)}"
            self._rejects.add(reason, where, int(rows.sum()))


def default_machine(mapping: ColumnMapping, stem: str, columns: Columns) -> Machine:
    """The machine of a file's rows that no column names: the mapping's, or one with the file's name.

    Raises:
        ImportFault: the file's name cannot be a machine's.
    """
    name = mapping.equip or mapping.machines.get(stem, stem)
    try:
        return machine(mapping.zone or DEFAULT_ZONE_ID, name if columns.equip_id is None else "-")
    except InvalidIdentifier as exc:
        raise ImportFault(
            f'{stem}: no column names the machine, and the file\'s name cannot be one; say equip = "M1" in the mapping'
        ) from exc


_NONE: Floats = np.empty(0)
_NOT_FINITE = frozenset({"nan", "inf", "infinity", "null", "none", "na", "n/a", "-", "#n/a", "1.#ind", "1.#qnan"})


def _numbers(texts: Sequence[str], decimal: str) -> Floats:
    series = pd.Series(texts, dtype=object)
    if decimal != ".":
        series = series.str.replace(".", "", regex=False).str.replace(decimal, ".", regex=False)
    values: Floats = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.abs(values) > 1e100, np.nan, values)


def _decimal(texts: Sequence[str]) -> str:
    """The decimal mark: a comma where more numbers read with it than with a point."""
    sample = [text for text in texts if text][:1000]
    comma = int(np.isfinite(_numbers(sample, ",")).sum())
    point = int(np.isfinite(_numbers(sample, ".")).sum())
    return "," if comma > point else "."


def _is_numeric(texts: Sequence[str]) -> bool:
    sample = [text for text in texts if text][:1000]
    if not sample:
        return False
    readable = max(int(np.isfinite(_numbers(sample, mark)).sum()) for mark in ".,")
    return readable > len(sample) / 2

"""Hour rows of many machines as arrays, and as the Parquet file in which a finished day is kept."""

import io
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitory.identifiers import PATTERN, Machine
from monitory.lake import Hour, MachineDay, SeenObject
from monitory_retrain.arrays import Floats, Ints

_OBJECTS = b"monitory.objects"
_IDS = ("zone_id", "equip_id")
_TYPES = {
    **dict.fromkeys(_IDS, pa.dictionary(pa.int32(), pa.string())),
    "hour": pa.int64(),
    "readings": pa.int64(),
    "last": pa.timestamp("us"),
}

MAX_TABLE_BYTES = 256 << 20
"""A day's file that unpacks to more is damaged: it would be one of 30,000 machines."""

MAX_OBJECTS_BYTES = 64 << 20
MAX_MACHINES = 1 << 15


class _MachineObjects(msgspec.Struct, frozen=True, array_like=True):
    zone_id: str
    equip_id: str
    objects: tuple[SeenObject, ...]


_OBJECTS_DECODER = msgspec.msgpack.Decoder(
    Annotated[tuple[_MachineObjects, ...], msgspec.Meta(max_length=MAX_MACHINES)]
)


@dataclass(frozen=True, slots=True)
class HourTable:
    """Hour rows of machines, ordered by machine and hour.

    Attributes:
        machines: the machines, in order.
        machine: index into `machines`, shape (n,).
        hour: see `clock`, shape (n,).
        values: named by `rows.columns`, shape (n, columns); NaN is missing.
        readings: readings of each row, shape (n,).
        last: time of the newest reading, KST, microseconds since 1970, shape (n,).
    """

    machines: list[Machine]
    machine: Ints
    hour: Ints
    values: Floats
    readings: Ints
    last: Ints

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.hour)

    def slices(self) -> list[tuple[Machine, slice]]:
        """Where each machine's rows are; machines without rows are left out."""
        edges = np.searchsorted(self.machine, np.arange(len(self.machines) + 1))
        return [
            (machine, slice(int(edges[i]), int(edges[i + 1])))
            for i, machine in enumerate(self.machines)
            if edges[i] < edges[i + 1]
        ]


def from_days(days: Mapping[Machine, MachineDay], width: int) -> HourTable:
    """A table of machine-days of one date; `width` is the number of an hour row's values."""
    machines = sorted(days)
    hours = [(index, hour) for index, machine in enumerate(machines) for hour in days[machine].hours]
    values = np.empty((len(hours), width))
    for at, (_, hour) in enumerate(hours):
        values[at] = hour.values
    last = np.array([hour.last for _, hour in hours], dtype="datetime64[us]")
    return HourTable(
        machines,
        np.array([index for index, _ in hours], dtype=np.int64),
        np.array([hour.hour for _, hour in hours], dtype=np.int64),
        values,
        np.array([hour.readings for _, hour in hours], dtype=np.int64),
        last.astype(np.int64),
    )


def join(tables: Sequence[HourTable], width: int) -> HourTable:
    """One table of several, for instance of consecutive days."""
    machines = sorted({machine for table in tables for machine in table.machines})
    index = {machine: at for at, machine in enumerate(machines)}
    if not machines:
        none = np.empty(0, dtype=np.int64)
        return HourTable([], none, none, np.empty((0, width)), none, none)
    machine = np.concatenate([_renumbered(table, index) for table in tables])
    hour = np.concatenate([table.hour for table in tables])
    order = np.lexsort((hour, machine))
    values = np.concatenate([table.values for table in tables])[order]
    readings = np.concatenate([table.readings for table in tables])[order]
    last = np.concatenate([table.last for table in tables])[order]
    return HourTable(machines, machine[order], hour[order], values, readings, last)


def _renumbered(table: HourTable, index: Mapping[Machine, int]) -> Ints:
    numbers = np.array([index[machine] for machine in table.machines], dtype=np.int64)
    return numbers[table.machine] if len(numbers) else np.empty(0, dtype=np.int64)


def machine_day(table: HourTable, rows: slice, objects: tuple[SeenObject, ...]) -> MachineDay:
    """A machine's rows of a date back as a machine-day."""
    last = table.last[rows].astype("datetime64[us]").tolist()
    hours = tuple(
        Hour(hour, tuple(values), readings, moment)
        for hour, values, readings, moment in zip(
            table.hour[rows].tolist(), table.values[rows].tolist(), table.readings[rows].tolist(), last, strict=True
        )
    )
    return MachineDay(objects, hours)


def to_parquet(table: HourTable, columns: Sequence[str], objects: Mapping[Machine, Iterable[SeenObject]]) -> bytes:
    """A day's table, and the objects that it came from, as one Parquet file."""
    listed = [_MachineObjects(m.zone_id, m.equip_id, tuple(seen)) for m, seen in objects.items()]
    zones = pa.array([table.machines[i].zone_id for i in table.machine], pa.string())
    equips = pa.array([table.machines[i].equip_id for i in table.machine], pa.string())
    arrow = pa.table(
        {
            "zone_id": zones.dictionary_encode(),
            "equip_id": equips.dictionary_encode(),
            "hour": table.hour,
            "readings": table.readings,
            "last": table.last.astype("datetime64[us]"),
            **{name: table.values[:, at] for at, name in enumerate(columns)},
        }
    ).replace_schema_metadata({_OBJECTS: zlib.compress(msgspec.msgpack.encode(listed))})
    out = io.BytesIO()
    pq.write_table(arrow, out, compression="zstd")
    return out.getvalue()


def from_parquet(body: bytes, columns: Sequence[str]) -> tuple[HourTable, dict[Machine, tuple[SeenObject, ...]]]:
    """A day's table and its objects out of a Parquet file.

    Raises:
        ValueError: the file is damaged, or of another feature schema.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(body))
        schema = file.schema_arrow
        if schema.remove_metadata() != pa.schema([*_TYPES.items(), *((name, pa.float64()) for name in columns)]):
            raise ValueError("it has other columns")
        _check_size(file.metadata)
        listed = _unpacked_objects(schema.metadata[_OBJECTS])
        arrow = file.read()
        _check_ids(arrow)
        names = zip(arrow["zone_id"].to_pylist(), arrow["equip_id"].to_pylist(), strict=True)
        owners = [Machine(zone_id, equip_id) for zone_id, equip_id in names]
        machines = sorted(set(owners))
        index = {machine: at for at, machine in enumerate(machines)}
        table = HourTable(
            machines,
            np.array([index[owner] for owner in owners], dtype=np.int64),
            arrow["hour"].to_numpy(),
            np.column_stack([arrow[name].to_numpy() for name in columns]) if owners else np.empty((0, len(columns))),
            arrow["readings"].to_numpy(),
            arrow["last"].to_numpy().astype("datetime64[us]").astype(np.int64),
        )
    except (pa.ArrowException, OSError, KeyError, TypeError, zlib.error, msgspec.MsgspecError) as exc:
        raise ValueError(f"not a file of hour rows: {exc}") from exc
    return table, {Machine(item.zone_id, item.equip_id): item.objects for item in listed}


def _check_size(metadata: pq.FileMetaData) -> None:
    """Refuse a file that unpacks to more than a day can be; equal rows take next to no room in it.

    Raises:
        ValueError: it does.
    """
    groups = (metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    size = sum(groups) + metadata.num_rows * metadata.num_columns * 8
    if size > MAX_TABLE_BYTES:
        raise ValueError(f"it unpacks to {size:,} bytes, {MAX_TABLE_BYTES:,} are allowed")


def _check_ids(arrow: pa.Table) -> None:
    """Refuse names that are no identifiers, before each row gets a copy: they could be of any length.

    Raises:
        ValueError: there are some.
    """
    for name in _IDS:
        for chunk in arrow[name].chunks:
            if not all(text and re.fullmatch(PATTERN, text) for text in chunk.dictionary.to_pylist()):
                raise ValueError(f"it has a {name} that is none")


def _unpacked_objects(packed: bytes) -> tuple[_MachineObjects, ...]:
    unpacking = zlib.decompressobj()
    unpacked = unpacking.decompress(packed, MAX_OBJECTS_BYTES)
    if not unpacking.eof:
        raise ValueError(f"its list of objects is cut off, or unpacks to more than {MAX_OBJECTS_BYTES:,} bytes")
    listed: tuple[_MachineObjects, ...] = _OBJECTS_DECODER.decode(unpacked)
    return listed

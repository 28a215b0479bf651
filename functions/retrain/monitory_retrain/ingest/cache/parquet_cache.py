"""A finished day's hour rows, and the objects that they come from, as a Parquet file.

Worker processes do without this module: Arrow takes more memory than their work does.
"""

import io
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitory.lake import ObjectSummary
from monitory.machine import PATTERN, Machine
from monitory_retrain.dataset.hour_table import HourTable

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
    objects: tuple[ObjectSummary, ...]


_OBJECTS_DECODER = msgspec.msgpack.Decoder(
    Annotated[tuple[_MachineObjects, ...], msgspec.Meta(max_length=MAX_MACHINES)]
)


def to_parquet(table: HourTable, columns: Sequence[str], objects: Mapping[Machine, Iterable[ObjectSummary]]) -> bytes:
    """A day's table, and the objects that it came from, as one Parquet file.

    Raises:
        ValueError: it would be too large to be read again.
    """
    summaries = [_MachineObjects(m.zone_id, m.equip_id, tuple(items)) for m, items in objects.items()]
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
    )
    packed = msgspec.msgpack.encode(summaries)
    if len(packed) > MAX_OBJECTS_BYTES or len(summaries) > MAX_MACHINES:
        raise ValueError(f"{len(packed):,} bytes tell of its objects, {MAX_OBJECTS_BYTES:,} are allowed")
    arrow = arrow.replace_schema_metadata({_OBJECTS: zlib.compress(packed)})
    out = io.BytesIO()
    pq.write_table(arrow, out, compression="zstd")
    _check_size(pq.read_metadata(io.BytesIO(out.getvalue())))
    return out.getvalue()


def from_parquet(body: bytes, columns: Sequence[str]) -> tuple[HourTable, dict[Machine, tuple[ObjectSummary, ...]]]:
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
        summaries = _unpack_objects(schema.metadata[_OBJECTS])
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
    return table, {Machine(item.zone_id, item.equip_id): item.objects for item in summaries}


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
    """Refuse invalid identifiers, of any length, before each row gets a copy.

    Raises:
        ValueError: there are some.
    """
    for name in _IDS:
        for chunk in arrow[name].chunks:
            if not all(text and re.fullmatch(PATTERN, text) for text in chunk.dictionary.to_pylist()):
                raise ValueError(f"it has a {name} that is none")


def _unpack_objects(packed: bytes) -> tuple[_MachineObjects, ...]:
    unpacking = zlib.decompressobj()
    unpacked = unpacking.decompress(packed, MAX_OBJECTS_BYTES)
    if not unpacking.eof:
        raise ValueError(f"its list of objects is cut off, or unpacks to more than {MAX_OBJECTS_BYTES:,} bytes")
    objects: tuple[_MachineObjects, ...] = _OBJECTS_DECODER.decode(unpacked)
    return objects

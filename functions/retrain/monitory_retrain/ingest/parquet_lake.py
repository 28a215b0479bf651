"""Parquet objects of a lake -> rows, some at a time."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from monitory.decoding.tables import Row
from monitory.errors import UnreadableObject

_BATCH_ROWS = 1 << 14
MAX_BYTES = 512 << 20
"""Of an object: its end has to be read first, so it is held as a whole."""


def rows(path: str, chunks: Iterable[bytes]) -> Iterator[list[Row]]:
    """The rows of an object by its columns' names; times are datetimes with microseconds.

    Raises:
        UnreadableObject: it is damaged, or too large.
    """
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_BYTES:
            raise UnreadableObject(f"{path} has more than {MAX_BYTES >> 20} MB, too large for Parquet: split it")
    try:
        for batch in pq.ParquetFile(pa.BufferReader(bytes(body))).iter_batches(_BATCH_ROWS):
            yield pa.Table.from_batches([batch]).cast(_plain(batch.schema)).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise UnreadableObject(f"{path} is no readable Parquet file: {exc}") from exc


def _plain(schema: pa.Schema) -> pa.Schema:
    """The schema with times in microseconds, which Python's have."""
    return pa.schema(
        [
            field.with_type(pa.timestamp("us", field.type.tz)) if pa.types.is_timestamp(field.type) else field
            for field in schema
        ]
    )

"""Hour rows as arrays and as Parquet."""

import io
import tracemalloc
import zlib
from datetime import datetime
from math import nan

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitory.features.hour_row import HourRow
from monitory.lake import MachineDay, ObjectSummary
from monitory.machine import Machine
from monitory_retrain.dataset import hour_table
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.ingest.cache import parquet_cache

FIRST, SECOND, THIRD = (Machine("ZONE-001", f"EQUIP-00{n}") for n in (1, 2, 3))
COLUMNS = ("temperature", "temperature_count")


def day(hours: dict[int, tuple[float, float]], name: str = "a") -> MachineDay:
    seen = ObjectSummary(f"EQUIPMENT/{name}", f'"{name}"', tuple(hours), {"not_json": 2}, None)
    return MachineDay(
        (seen,),
        tuple(HourRow(hour, values, 720, datetime(2026, 11, 20, 10, 59, 59, 613655)) for hour, values in hours.items()),
    )


def same(one: HourTable, other: HourTable) -> bool:
    return one.machines == other.machines and all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes()
        for name in ("machine", "hour", "values", "readings", "last")
    )


def made() -> HourTable:
    return hour_table.from_days({SECOND: day({7: (1.0, nan), 8: (-0.0, 3.0)}), FIRST: day({7: (0.1, 5.0)})}, 2)


def test_rows_are_ordered_by_machine_and_hour() -> None:
    found = made()
    assert found.machines == [FIRST, SECOND]
    assert [(found.machines[at], hour) for at, hour in zip(found.machine, found.hour.tolist(), strict=True)] == [
        (FIRST, 7),
        (SECOND, 7),
        (SECOND, 8),
    ]
    assert found.slices() == [(FIRST, slice(0, 1)), (SECOND, slice(1, 3))]


def test_a_machine_day_comes_back_as_it_was() -> None:
    content = day({7: (1.0, 2.0), 8: (-0.0, 3.0)})
    found = hour_table.from_days({FIRST: content}, 2)
    assert hour_table.machine_day(found, slice(0, 2), content.objects) == content


def test_missing_values_survive_a_machine_day() -> None:
    found = hour_table.from_days({FIRST: day({7: (nan, 0.0)})}, 2)
    again = hour_table.from_days({FIRST: hour_table.machine_day(found, slice(0, 1), ())}, 2)
    assert same(found, again)


def test_parquet_keeps_every_bit_and_the_objects() -> None:
    objects = {FIRST: day({7: (0.1, 5.0)}).objects, SECOND: day({7: (1.0, nan)}, "b").objects, THIRD: ()}
    body = parquet_cache.to_parquet(made(), COLUMNS, objects)
    found, listed = parquet_cache.from_parquet(body, COLUMNS)
    assert same(found, made())
    assert listed == objects


def test_parquet_of_no_rows() -> None:
    objects = {FIRST: (ObjectSummary("EQUIPMENT/x", '"x"', (), {"not_json": 1}, "nothing in x is readable"),)}
    empty = hour_table.from_days({FIRST: MachineDay(objects[FIRST])}, 2)
    found, listed = parquet_cache.from_parquet(parquet_cache.to_parquet(empty, COLUMNS, objects), COLUMNS)
    assert (len(found), found.values.shape, listed) == (0, (0, 2), objects)


@pytest.mark.parametrize("cut", [0, 1, 100, -1, -9])
def test_a_damaged_file_is_refused(cut: int) -> None:
    body = parquet_cache.to_parquet(made(), COLUMNS, {})
    with pytest.raises(ValueError, match="hour rows"):
        parquet_cache.from_parquet(body[:cut], COLUMNS)


def test_a_file_with_other_columns_is_refused() -> None:
    body = parquet_cache.to_parquet(made(), COLUMNS, {})
    with pytest.raises(ValueError, match="other columns"):
        parquet_cache.from_parquet(body, ("temperature", "pressure_count"))


def bomb(rows: int, zone: str = "ZONE-001", objects: bytes = zlib.compress(b"\x90")) -> bytes:
    """A small file of many rows that are alike."""
    same_for_all = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int32)), pa.array([zone]))
    numbers, values = np.zeros(rows, dtype=np.int64), np.zeros(rows)
    arrow = pa.table(
        {
            "zone_id": same_for_all,
            "equip_id": same_for_all,
            "hour": numbers,
            "readings": numbers,
            "last": numbers.astype("datetime64[us]"),
            **dict.fromkeys(COLUMNS, values),
        }
    )
    out = io.BytesIO()
    pq.write_table(arrow.replace_schema_metadata({b"monitory.objects": objects}), out, compression="zstd")
    return out.getvalue()


def peak_of_refusing(body: bytes, reason: str) -> int:
    """The most that Arrow and Python held, in bytes, while a file was refused."""
    pa.default_memory_pool().release_unused()
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    pool_peak = pa.default_memory_pool().max_memory()
    with pytest.raises(ValueError, match=reason):
        parquet_cache.from_parquet(body, COLUMNS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    grown: int = pa.default_memory_pool().max_memory() - max(pool_peak, before)
    return peak + max(grown, 0)


def test_a_small_file_of_very_many_rows_is_refused_unread() -> None:
    body = bomb(8_000_000)
    assert len(body) < 300_000
    assert peak_of_refusing(body, r"unpacks to 4\d\d,\d{3},\d{3} bytes") < 4 << 20


def test_a_list_of_objects_that_unpacks_to_very_much_is_refused() -> None:
    body = bomb(1, objects=zlib.compress(bytes(200 << 20)))
    assert len(body) < 1 << 20
    assert peak_of_refusing(body, "its list of objects") < 150 << 20


@pytest.mark.parametrize("listed", [zlib.compress(b"\xdd\x00\x01\x00\x00"), zlib.compress(b"\x90" * 99)[:-6]])
def test_a_list_of_too_many_machines_or_of_half_of_them_is_refused(listed: bytes) -> None:
    with pytest.raises(ValueError, match=r"hour rows|its list"):
        parquet_cache.from_parquet(bomb(1, objects=listed), COLUMNS)


def test_names_that_are_no_identifiers_are_refused_before_each_row_gets_one() -> None:
    body = bomb(100_000, zone="x" * 100_000)
    assert peak_of_refusing(body, "zone_id that is none") < 16 << 20


def test_days_are_joined_machine_by_machine() -> None:
    later = hour_table.from_days({THIRD: day({31: (3.0, 1.0)}), FIRST: day({31: (2.0, 1.0)})}, 2)
    found = hour_table.join([later, made()], 2)
    assert found.machines == [FIRST, SECOND, THIRD]
    assert found.hour.tolist() == [7, 31, 7, 8, 31]
    np.testing.assert_array_equal(found.values[:, 0], [0.1, 2.0, 1.0, -0.0, 3.0])
    assert len(hour_table.join([], 2)) == 0

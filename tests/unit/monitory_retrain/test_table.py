"""Hour rows as arrays and as Parquet."""

from datetime import datetime
from math import nan

import numpy as np
import pytest

from monitory.identifiers import Machine
from monitory.lake import Hour, MachineDay, SeenObject
from monitory_retrain import table
from monitory_retrain.table import HourTable

FIRST, SECOND, THIRD = (Machine("ZONE-001", f"EQUIP-00{n}") for n in (1, 2, 3))
COLUMNS = ("temperature", "temperature_count")


def day(hours: dict[int, tuple[float, float]], name: str = "a") -> MachineDay:
    seen = SeenObject(f"EQUIPMENT/{name}", f'"{name}"', tuple(hours), {"not_json": 2}, None)
    return MachineDay(
        (seen,),
        tuple(Hour(hour, values, 720, datetime(2026, 11, 20, 10, 59, 59, 613655)) for hour, values in hours.items()),
    )


def same(one: HourTable, other: HourTable) -> bool:
    return one.machines == other.machines and all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes()
        for name in ("machine", "hour", "values", "readings", "last")
    )


def made() -> HourTable:
    return table.from_days({SECOND: day({7: (1.0, nan), 8: (-0.0, 3.0)}), FIRST: day({7: (0.1, 5.0)})}, 2)


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
    found = table.from_days({FIRST: content}, 2)
    assert table.machine_day(found, slice(0, 2), content.objects) == content


def test_missing_values_survive_a_machine_day() -> None:
    found = table.from_days({FIRST: day({7: (nan, 0.0)})}, 2)
    again = table.from_days({FIRST: table.machine_day(found, slice(0, 1), ())}, 2)
    assert same(found, again)


def test_parquet_keeps_every_bit_and_the_objects() -> None:
    objects = {FIRST: day({7: (0.1, 5.0)}).objects, SECOND: day({7: (1.0, nan)}, "b").objects, THIRD: ()}
    body = table.to_parquet(made(), COLUMNS, objects)
    found, listed = table.from_parquet(body, COLUMNS)
    assert same(found, made())
    assert listed == objects


def test_parquet_of_no_rows() -> None:
    objects = {FIRST: (SeenObject("EQUIPMENT/x", '"x"', (), {"not_json": 1}, "nothing in x is readable"),)}
    empty = table.from_days({FIRST: MachineDay(objects[FIRST])}, 2)
    found, listed = table.from_parquet(table.to_parquet(empty, COLUMNS, objects), COLUMNS)
    assert (len(found), found.values.shape, listed) == (0, (0, 2), objects)


@pytest.mark.parametrize("cut", [0, 1, 100, -1, -9])
def test_a_damaged_file_is_refused(cut: int) -> None:
    body = table.to_parquet(made(), COLUMNS, {})
    with pytest.raises(ValueError, match="hour rows"):
        table.from_parquet(body[:cut], COLUMNS)


def test_a_file_with_other_columns_is_refused() -> None:
    body = table.to_parquet(made(), COLUMNS, {})
    with pytest.raises(ValueError, match="other columns"):
        table.from_parquet(body, ("temperature", "pressure_count"))


def test_days_are_joined_machine_by_machine() -> None:
    later = table.from_days({THIRD: day({31: (3.0, 1.0)}), FIRST: day({31: (2.0, 1.0)})}, 2)
    found = table.join([later, made()], 2)
    assert found.machines == [FIRST, SECOND, THIRD]
    assert found.hour.tolist() == [7, 31, 7, 8, 31]
    np.testing.assert_array_equal(found.values[:, 0], [0.1, 2.0, 1.0, -0.0, 3.0])
    assert len(table.join([], 2)) == 0

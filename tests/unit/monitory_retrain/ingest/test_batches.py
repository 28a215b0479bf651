"""What has to be read, cut into batches."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from monitory.machine import MAX_CHARACTERS, Machine
from monitory_retrain.ingest.backfill import batches
from monitory_retrain.ingest.backfill.batches import (
    MAX_BYTES,
    MAX_MACHINE_DAYS,
    Batch,
    Unread,
    exceeds_one_function,
    split,
)

DAY = date(2026, 11, 20)


def unread(count: int, *, size: int = 20_000_000, zone: str = "Z") -> list[Unread]:
    return [Unread(Machine(zone, f"E{number:05d}"), 24, size) for number in range(count)]


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])])
def test_a_batch_has_at_most_so_many_machines(count: int, sizes: list[int]) -> None:
    assert [len(batch.machines) for batch in split(DAY, unread(count))] == sizes


def test_every_machine_is_in_one_batch_whatever_the_order() -> None:
    machines = unread(250)
    parts = split(DAY, reversed(machines))
    assert [owner for batch in parts for owner in batch.owners] == [item.machine for item in machines]
    assert parts == split(DAY, machines)
    assert {batch.day for batch in parts} == {DAY}
    assert (sum(batch.objects for batch in parts), sum(batch.bytes for batch in parts)) == (6_000, 5_000_000_000)


def test_a_batch_has_at_most_so_many_bytes_unless_one_machine_has_more() -> None:
    items = [*unread(8, size=MAX_BYTES // 4), Unread(Machine("Z", "E00003x"), 24, 2 * MAX_BYTES)]
    parts = split(DAY, items)
    assert [len(batch.machines) for batch in parts] == [4, 1, 4]
    assert [batch.bytes for batch in parts] == [MAX_BYTES, 2 * MAX_BYTES, MAX_BYTES]


def test_a_batch_has_the_same_name_whenever_it_is_planned() -> None:
    (first,), (later,) = split(DAY, unread(3)), split(DAY, unread(3, size=7), datetime(2026, 11, 21, tzinfo=UTC))
    (others,), (tomorrow,) = split(DAY, unread(4)), split(DAY + timedelta(days=1), unread(3))
    assert first.name == later.name
    assert len({first.name, others.name, tomorrow.name}) == 3


def test_the_manifest_has_a_line_for_each_batch_and_spreads_the_days() -> None:
    days = [DAY, DAY + timedelta(days=1)]
    parts = [batch for day in days for batch in split(day, unread(250))]
    lines = batches.manifest(parts).splitlines()
    read = [msgspec.json.decode(line, type=Batch) for line in lines]
    assert sorted(read, key=lambda batch: (batch.day, batch.machines)) == parts
    assert [batch.day for batch in read] == days * 3


def test_a_line_fits_into_an_execution_with_the_longest_names() -> None:
    longest = [Unread(Machine("존" * MAX_CHARACTERS, "기" * MAX_CHARACTERS), 24, 1)] * MAX_MACHINE_DAYS
    (line,) = batches.manifest(split(DAY, longest)).splitlines()
    assert len(line) < 256 * 1024 / 4


def test_what_one_function_reads_is_bounded_by_objects_and_by_bytes() -> None:
    assert not exceeds_one_function([])
    assert not exceeds_one_function(split(DAY, unread(1_000)))
    assert exceeds_one_function(split(DAY, unread(2_000)))
    assert exceeds_one_function(split(DAY, unread(30, size=2 << 30)))


@pytest.mark.parametrize(
    "batch",
    [
        {"day": "2026-11-20", "machines": []},
        {"day": "2026-11-20", "machines": [["Z", "E"]] * 101},
        {"day": "2026-11-20", "machines": [["Z", "../secrets"]]},
        {"day": "2026-11-20", "machines": [["Z/zone_id=Y", "E"]]},
        {"day": "yesterday", "machines": [["Z", "E"]]},
        {"day": "2026-11-20", "machines": [["Z", "E"]], "bucket": "another"},
    ],
)
def test_what_is_no_batch_is_refused(batch: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(batch, Batch)

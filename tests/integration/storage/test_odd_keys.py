"""Keys that a client stumbles over take no other with them, and what they may hide is said."""

from datetime import timedelta

import boto3
import pytest

from monitory.errors import StorageUnavailable
from monitory.lake import Lake, MachineDay
from monitory.machine import Machine
from monitory.sensors import load
from monitory.storage.port import IncompleteListing, Storage
from monitory_local.s3 import REGION
from tests.support.samples import DAY, MACHINE, TEN, hour_of_readings, lake_key, ndjson


def put_as_it_is(storage: Storage, *keys: str) -> None:
    """Write objects by a client that changes no key."""
    client = boto3.client("s3", region_name=REGION)
    for key in keys:
        client.put_object(Bucket=storage.name, Key=key, Body=b"x")


@pytest.mark.parametrize(
    "odd", ["d/E//x.json", "d/E//y/z", "d/E/./x", "d/E/../x", "d/E/..", "d//x", "d/../x", "d/E/3//4"]
)
def test_an_odd_key_is_named_and_takes_no_other_with_it(moto_storage: Storage, odd: str) -> None:
    good = ["d/D/1", "d/E/2", "d/E/3/4", "d/F/5", "d/e.json"]
    put_as_it_is(moto_storage, odd, *good)
    found = list(moto_storage.list("d"))
    assert [entry.key for entry in found if not entry.fault] == good
    assert [entry.key for entry in found if entry.fault] == [odd]


def test_what_an_odd_key_may_hide_is_said_in_the_end(moto_storage: Storage) -> None:
    put_as_it_is(moto_storage, "d/E/1", "d/E/2\x01b", "d/E/2\x01c", "d/E/3", "d/F/4")
    listing = moto_storage.list("d")
    found = [next(listing) for _ in range(3)]
    assert [entry.key for entry in found] == ["d/E/2\x01b", "d/E/3", "d/F/4"]
    assert found[0].fault.endswith("hides what comes before it")
    with pytest.raises(IncompleteListing, match="d/E holds a key that hides others"):
        next(listing)


def test_odd_keys_on_several_pages_and_levels(moto_storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    good = [f"d/{number}/{part}" for number in range(5) for part in "abcd"]
    odd = ["d/1//x", "d/3/./x", "d/3//x", "d/4/../x"]
    put_as_it_is(moto_storage, *good, *odd)
    found = list(moto_storage.list("d"))
    assert [entry.key for entry in found if not entry.fault] == good
    assert [entry.key for entry in found if entry.fault] == ["d/1//x", "d/3/./x", "d/4/../x"]


def test_a_folder_full_of_odd_keys_is_left_in_the_end(moto_storage: Storage) -> None:
    put_as_it_is(moto_storage, "d/A/1", *(f"d/E/{number:03d}\x01" for number in range(101)), "d/E/z", "d/F/1")
    listing = moto_storage.list("d")
    found = [next(listing) for _ in range(102)]
    assert [entry.key for entry in found if not entry.fault] == ["d/A/1", "d/F/1"]
    with pytest.raises(IncompleteListing, match="d/E"):
        next(listing)


def test_a_machine_with_an_odd_key_is_read_and_the_key_reported(moto_storage: Storage) -> None:
    """One such key used to end every night's run until it had left the window."""
    lake = Lake(moto_storage, "EQUIPMENT", load())
    other = Machine("ZONE-001", "EQUIP-002")
    keys = [lake_key(DAY, name, machine) for machine in (MACHINE, other) for name in ("10", "11")]
    for number, key in enumerate(keys):
        body = ndjson(hour_of_readings(TEN + timedelta(hours=number % 2)))
        moto_storage.put(key, body, content_type="application/json")
    folder = keys[0].rpartition("/")[0]
    put_as_it_is(
        moto_storage, f"{folder}//x.json", f"{folder}/equip-10\x01-0.json", f"EQUIPMENT/date={DAY}/zone_id=Z/x"
    )
    listed = lake.day(DAY)
    assert [item.key for item in listed[other]] == keys[2:]
    assert lake.machine_day(MACHINE, DAY) == listed[MACHINE]
    content = lake.refresh(MachineDay(), listed[MACHINE])
    assert len(content.hours) >= 1
    unreadable = [seen.unreadable for seen in content.objects if seen.unreadable]
    assert [f"'{folder}//x.json' cannot be read" in unreadable[0], "equip-10\\x01-0" in unreadable[1]] == [True, True]
    assert lake.refresh(content, listed[MACHINE]) == content


def test_a_day_in_which_machines_may_be_hidden_is_not_read(moto_storage: Storage) -> None:
    moto_storage.put(lake_key(DAY, "1"), b"body", content_type="application/json")
    put_as_it_is(moto_storage, f"EQUIPMENT/date={DAY}/zone_id=\x01/equip_id=E/x.json")
    with pytest.raises(StorageUnavailable, match=f"date={DAY} holds a key that hides others"):
        Lake(moto_storage, "EQUIPMENT", load()).day(DAY)

"""The lake's shape as a setting: read from either file, refused with file, field and remedy, and followed."""

import gzip
import json
import unicodedata
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitory import clock
from monitory.errors import LakeLayoutError
from monitory.lake import Lake, MachineDay, total_rejected
from monitory.layout.lake_layout import DEFAULT_LAYOUT, FieldNames, LakeLayout, load
from monitory.machine import Machine
from monitory.sensors import load as load_sensors
from tests.support.fakes import WatchedStorage
from tests.support.samples import DAY, MACHINE, TEN, hour_of_readings, ndjson

SENSORS = load_sensors()
READINGS = hour_of_readings(TEN)
M2 = Machine("ZONE-001", "EQUIP-002")


def rows(storage: WatchedStorage, layout: LakeLayout, machine: Machine = MACHINE, day: date = DAY) -> MachineDay:
    lake = Lake(storage, "EQUIPMENT/", SENSORS, layout=layout)
    return lake.refresh(MachineDay(), lake.machine_day(machine, day))


def written(body: bytes, key: str) -> WatchedStorage:
    storage = WatchedStorage("lake")
    storage.put(f"EQUIPMENT/{key}", body)
    return storage


CLEAN = rows(written(ndjson(READINGS), f"date={DAY}/zone_id=ZONE-001/equip_id=EQUIP-001/a"), DEFAULT_LAYOUT).hours


def renamed(**names: str | None) -> list[dict[str, Any]]:
    return [{name: value for key, value in one.items() if (name := names.get(key, key))} for one in READINGS]


def wide(readings: list[dict[str, Any]] = READINGS) -> list[dict[str, Any]]:
    times: dict[str, dict[str, Any]] = {}
    for one in readings:
        row = times.setdefault(one["time"], {"equipId": one["equipId"], "time": one["time"]})
        row[one["sensorType"]] = one["val"]
    return list(times.values())


def csv(records: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    lines = [delimiter.join(records[0]), *(delimiter.join(map(str, one.values())) for one in records)]
    return "\r\n".join(lines).encode()


ONE_ZONE: dict[str, Any] = {"folders": "dt={date}/{machine}", "zone": "ZONE-001"}
PLACE = f"dt={DAY}/EQUIP-001/part-0"
SHAPES: dict[str, tuple[dict[str, Any], bytes, str]] = {
    "dt=, no zone": (ONE_ZONE, ndjson(READINGS), PLACE),
    "year=/month=/day=": (
        {"folders": "year={year}/month={m}/day={d}/zone_id={zone}/equip_id={machine}"},
        ndjson(READINGS),
        f"year={DAY.year}/month={DAY.month}/day={DAY.day}/zone_id=ZONE-001/equip_id=EQUIP-001/a.json",
    ),
    "hours": (
        {"folders": "{year}/{month}/{day}/{hour}/{zone}/{machine}"},
        gzip.compress(ndjson(READINGS)),
        f"{DAY:%Y/%m/%d}/10/ZONE-001/EQUIP-001/a.gz",
    ),
    "the machine first": ({"folders": "{zone}/{machine}/{date}"}, ndjson(READINGS), f"ZONE-001/EQUIP-001/{DAY}/a"),
    "other names": (
        {"fields": {"equipId": "machine", "sensorType": "tag", "val": "value", "time": "ts"}},
        ndjson(renamed(equipId="machine", sensorType="tag", val="value", time="ts")),
        f"date={DAY}/zone_id=ZONE-001/equip_id=EQUIP-001/a",
    ),
    "no ids in the records": (
        {"fields": {"equipId": None, "zoneId": None, "sensorId": None}},
        ndjson(renamed(equipId=None, zoneId=None, sensorId=None)),
        f"date={DAY}/zone_id=ZONE-001/equip_id=EQUIP-001/a",
    ),
    "naive UTC": (
        {"naive_time_zone": "UTC"},
        ndjson(
            [
                {**one, "time": (datetime.fromisoformat(one["time"]) - timedelta(hours=9)).isoformat()}
                for one in READINGS
            ]
        ),
        f"date={DAY}/zone_id=ZONE-001/equip_id=EQUIP-001/a",
    ),
    "wide JSON": ({**ONE_ZONE, "wide": True}, ndjson(wide()), PLACE),
    "long CSV": ({**ONE_ZONE, "format": "csv"}, csv(READINGS), PLACE),
    "long CSV, gzip": ({**ONE_ZONE, "format": "csv"}, gzip.compress(b"\xef\xbb\xbf" + csv(READINGS)), PLACE),
    "wide CSV": ({**ONE_ZONE, "format": "csv", "wide": True}, csv(wide()), PLACE),
    "CSV with decimal commas": (
        {**ONE_ZONE, "format": "csv"},
        csv([{**one, "val": str(one["val"]).replace(".", ",")} for one in READINGS], ";"),
        PLACE,
    ),
    "several machines": (
        {"folders": "dt={date}"},
        ndjson([*READINGS, *hour_of_readings(TEN, machine=M2, value=lambda n: 1.0)]),
        f"dt={DAY}/all-0.json",
    ),
    "several machines of one zone": (
        {"folders": "dt={date}/{hour}", "zone": "ZONE-001", "fields": {"zoneId": None}},
        ndjson([*renamed(zoneId=None), {**renamed(zoneId=None)[0], "equipId": "EQUIP-002"}]),
        f"dt={DAY}/10/all-0.json",
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_lake_of_any_shape_has_the_same_rows(name: str) -> None:
    description, body, key = SHAPES[name]
    layout = msgspec.convert(description, LakeLayout)
    storage = written(body, key)
    day = rows(storage, layout)
    assert [hour.values for hour in day.hours] == [hour.values for hour in CLEAN]
    assert total_rejected(day.objects) == {}
    lake = Lake(storage, "EQUIPMENT", SENSORS, layout=layout)
    listed = lake.day(DAY)
    assert sum(map(len, listed.values())) == 1
    assert lake.day(DAY + timedelta(days=1)) == {}
    if layout.is_shared:
        (items,) = listed.values()
        of_all, objects = lake.refresh_shared(items)
        assert [hour.values for hour in of_all[MACHINE]] == [hour.values for hour in CLEAN]
        assert M2 in of_all
        assert total_rejected(objects) == {}


@pytest.mark.parametrize("folder", ["3호기", "3%ED%98%B8%EA%B8%B0", unicodedata.normalize("NFD", "3호기")])
def test_a_machine_with_another_script_s_name_is_served_however_its_folder_is_spelled(folder: str) -> None:
    body = ndjson([{**one, "equipId": "3호기"} for one in READINGS])
    storage = written(body, f"date={DAY}/zone_id=ZONE-001/equip_id={folder}/a")
    assert rows(storage, DEFAULT_LAYOUT, Machine("ZONE-001", "3호기")).hours == CLEAN


@pytest.mark.parametrize(("folder", "equip_id"), [("00%3A1A%3A22", "00:1A:22"), ("CNC%20Mill", "CNC Mill")])
def test_encoded_folders_are_those_of_the_machine(folder: str, equip_id: str) -> None:
    for in_records in (equip_id, folder):
        body = ndjson([{**one, "equipId": in_records} for one in READINGS])
        storage = written(body, f"date={DAY}/zone_id=ZONE-001/equip_id={folder}/a")
        assert rows(storage, DEFAULT_LAYOUT, Machine("ZONE-001", equip_id)).hours == CLEAN
        assert list(Lake(storage, "EQUIPMENT", SENSORS).day(DAY)) == [("ZONE-001", equip_id)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "truncated"),
        ('{"folder": "x"}', "there is no such key: `folder`"),
        ('{"folders": 1}', "Expected `str`, got `int` - at `$.folders`"),
        ('{"folders": "{zone}/{machine}"}', "folders: '{zone}/{machine}': no date"),
        ('{"folders": "{date}/{machine}"}', "zone: the folders have no {zone}: name one"),
        ('{"zone": "Z"}', "zone: the folders have {zone}: leave one of the two out"),
        ('{"folders": "{date}/{machine}", "zone": "a/b"}', "zone: 'a/b': zoneId must be"),
        ('{"folders": "{date}/{zone}", "fields": {"equipId": null}}', "fields.equipId: neither folders nor records"),
        ('{"fields": {"val": "time"}}', "fields: 'time' is given twice"),
        ('{"fields": {"value": "v"}}', "there is no such key: `value` - at `$.fields`"),
        ('{"time_zone": "Berlin"}', "time_zone: there is no time zone 'Berlin'; names are like Europe/Berlin"),
        ('{"naive_time_zone": "+09:00"}', "naive_time_zone: there is no time zone"),
        ('{"format": "avro"}', "at `$.format`"),
    ],
)
def test_a_layout_that_cannot_be_used_is_refused_with_its_file_and_field(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "lake.json"
    file.write_text(text)
    with pytest.raises(LakeLayoutError) as refusal:
        load(str(file))
    assert str(refusal.value).startswith(f"LAKE_FILE: {file}: ")
    assert words in str(refusal.value)


def test_the_layout_is_a_part_of_the_sensor_set_s_file_or_a_file_of_its_own(tmp_path: Path) -> None:
    lake: dict[str, Any] = {"folders": "dt={date}/{machine}", "zone": "Z", "time_zone": "Europe/Berlin"}
    sensors = tmp_path / "plant2.json"
    sensors.write_text(json.dumps({**msgspec.to_builtins(SENSORS), "lake": lake}))
    assert load_sensors(str(sensors)) == SENSORS
    assert load(None, str(sensors)) == LakeLayout(**lake)
    assert load() == DEFAULT_LAYOUT
    own = tmp_path / "lake.json"
    own.write_text("{}")
    assert load(str(own), str(sensors)) == DEFAULT_LAYOUT
    sensors.write_text(json.dumps({**msgspec.to_builtins(SENSORS), "lake": {"zone": "Z"}}))
    with pytest.raises(LakeLayoutError, match=r"SENSORS_FILE: .*plant2\.json: lake: zone: the folders have"):
        load(None, str(sensors))


def test_lakes_are_told_apart_by_bucket_prefix_shape_and_zone() -> None:
    def fingerprints() -> set[str]:
        layouts = (DEFAULT_LAYOUT, LakeLayout(fields=FieldNames(val="value")), LakeLayout(wide=True))
        return {of.fingerprint(bucket, prefix) for of in layouts for bucket in "ab" for prefix in ("p/", "q/")}

    here = fingerprints()
    former = DEFAULT_LAYOUT.is_default
    clock.set_zone("Europe/Berlin")
    try:
        assert (former, DEFAULT_LAYOUT.is_default) == (True, False)
        assert len(here | fingerprints()) == 24
    finally:
        clock.set_zone(clock.DEFAULT_ZONE)
    assert DEFAULT_LAYOUT.fingerprint("a", "p") == DEFAULT_LAYOUT.fingerprint("a", "p/")

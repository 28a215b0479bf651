"""Checks of lakes, clean ones and with one mistake each: the first line says the one thing to do."""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from monitory import clock
from monitory.layout.lake_layout import LakeLayout
from monitory.machine import Machine
from monitory.sensors import load
from monitory.settings import RetrainSettings
from monitory.storage.port import Entry
from monitory_retrain.check import page, sampling, text
from monitory_retrain.check.check import MAX_KEYS, check
from monitory_retrain.check.result import LakeCheck
from monitory_retrain.check.survey import suggest
from monitory_retrain.ingest.lake_config import LakeConfig
from tests.support.fakes import MemoryStorage, WatchedStorage, down
from tests.support.samples import hour_of_readings, ndjson

SENSORS = load()
NOW = datetime(2026, 11, 20, 12, 10, tzinfo=clock.KST)
DAYS = [date(2026, 11, 18), date(2026, 11, 19)]
MACHINES = [Machine("ZONE-001", f"M{number}") for number in (1, 2)]
LEVELS = {"temp": 71.0, "pressure": 35.0, "vibration": 1.6, "humid": 50.0, "active_power": 53e3, "reactive_power": 29e3}
Record = dict[str, Any]


def hour(start: datetime, machine: Machine) -> list[Record]:
    readings = hour_of_readings(start, machine=machine)
    return [
        {**one, "val": LEVELS[one["sensorType"]] * (0.9 + (number * 7919 % 997) / 4985)}
        for number, one in enumerate(readings)
    ]


def lake(
    change: Callable[[list[Record]], list[Record]] = lambda readings: readings,
    write: Callable[[list[Record]], bytes] = ndjson,
    key: str = "EQUIPMENT/date={0:%Y-%m-%d}/zone_id={1.zone_id}/equip_id={1.equip_id}/equip-{0:%H}.json",
    days: Sequence[date] = DAYS,
    delay_hours: float = 1.1,
    every: int = 4,
) -> MemoryStorage:
    storage = MemoryStorage("lake")
    for day in days:
        for number in range(0, 24, every):
            for machine in MACHINES:
                start = datetime(day.year, day.month, day.day, number)
                storage.now = clock.aware(start + timedelta(hours=1 + delay_hours))
                storage.put(key.format(start, machine), write(change(hour(start, machine))))
    return storage


def checked(storage: MemoryStorage, layout: LakeLayout | None = None) -> LakeCheck:
    config = LakeConfig("lake", "", "EQUIPMENT/", SENSORS, layout=layout or LakeLayout())
    before = dict(storage.objects)
    result, table, days = check(storage, config, RetrainSettings(), NOW)
    assert storage.objects == before
    assert text.text(result).startswith(f"To do: {result.todo}\n")
    assert b'<h2 id="todo">' in page.render(result, SENSORS, table, days)
    return result


def each(**changes: Callable[[Record], Any]) -> Callable[[list[Record]], list[Record]]:
    return lambda readings: [{**one, **{name: new(one) for name, new in changes.items()}} for one in readings]


def renamed(old: str, new: str) -> Callable[[list[Record]], list[Record]]:
    return lambda readings: [{new if name == old else name: v for name, v in one.items()} for one in readings]


def shifted(hours: int) -> Callable[[Record], str]:
    return lambda one: (datetime.fromisoformat(one["time"]) + timedelta(hours=hours)).isoformat()


def only(sensor: str, value: Callable[[Record], Any]) -> Callable[[list[Record]], list[Record]]:
    return each(val=lambda one: value(one) if one["sensorType"] == sensor else one["val"])


def csv(readings: list[Record]) -> bytes:
    return "\n".join([",".join(readings[0]), *(",".join(map(str, one.values())) for one in readings)]).encode()


def wide(readings: list[Record]) -> list[Record]:
    names = ("zoneId", "equipId", "time")
    return [{**{n: one[n] for n in names}, "temp": one["val"], "humid": 50.0} for one in readings]


LEAF = "/{1.equip_id}/equip-{0:%H}.json"
MISTAKES: dict[str, tuple[Callable[[], MemoryStorage], str]] = {
    "an empty bucket": (lambda: MemoryStorage("lake"), "write objects into it, or set S3_INPUT_DATA_BUCKET_NAME"),
    "another prefix": (lambda: lake(key="sensors/date={0:%Y-%m-%d}" + LEAF), "set S3_INPUT_DATA_KEY, to sensors/"),
    "dt=": (
        lambda: lake(key="EQUIPMENT/dt={0:%Y-%m-%d}" + LEAF),
        '"lake": {"folders": "dt={date}/{machine}", "zone": "ZONE-1"}',
    ),
    "hours": (
        lambda: lake(key="EQUIPMENT/{0:%Y/%m/%d/%H}/{1.zone_id}" + LEAF),
        '"lake": {"folders": "{year}/{month}/{day}/{hour}/{zone}/{machine}"}',
    ),
    "year=": (
        lambda: lake(key="EQUIPMENT/year={0:%Y}/month={0:%m}/day={0:%d}/site={1.zone_id}/device={1.equip_id}/a{0:%H}"),
        '"lake": {"folders": "year={year}/month={month}/day={day}/site={zone}/device={machine}"}',
    ),
    "no folders": (lambda: lake(key="EQUIPMENT/{1.equip_id}-{0:%Y%m%d%H}.json"), "describe the folders"),
    "old data": (lambda: lake(days=[date(2026, 3, 9)]), '{"start": "2026-03-01", "end": "2026-03-09"}'),
    "ids": (
        lambda: lake(key="EQUIPMENT/date={0:%Y-%m-%d}/zone_id={1.zone_id}/equip_id=.{1.equip_id}/{0:%H}.json"),
        "write ids of letters, digits",
    ),
    "CSV": (lambda: lake(write=csv), 'set "format": "csv" in the lake file'),
    "Parquet": (lambda: lake(write=lambda _: b"PAR1" + bytes(99) + b"PAR1"), 'set "format": "parquet"'),
    "Avro": (lambda: lake(write=lambda _: b"Obj\x01\x04\x14avro.codec" + bytes(50)), "convert it to NDJSON"),
    "UTF-16": (lambda: lake(write=lambda readings: ndjson(readings).decode().encode("utf-16-le")), "UTF-8"),
    "wide JSON": (lambda: lake(change=wide), '"lake": {"wide": true}'),
    "another name of a field": (
        lambda: lake(change=renamed("sensorType", "sensor_type")),
        '"lake": {"fields": {"sensorType": "sensor_type"}}',
    ),
    "another machine": (
        lambda: lake(change=each(equipId=lambda one: one["equipId"].lower())),
        "letter by letter (1,728",
    ),
    "a sensor's case": (
        lambda: lake(change=each(sensorType=lambda one: one["sensorType"].title())),
        "rename them, or write a sensor set with these lake_names",
    ),
    "one sensor's name": (
        lambda: lake(change=each(sensorType=lambda one: one["sensorType"].replace("temp", "Temp"))),
        "rename them",
    ),
    "dates in UTC": (lambda: lake(change=each(time=shifted(15))), "FACTORY_TIME_ZONE"),
    "a clock ahead": (lambda: lake(change=each(time=shifted(4)), days=DAYS[:1]), "set the clock"),
    "a naive clock in UTC": (lambda: lake(delay_hours=10.1), "write times with their offset"),
    "sentinels": (lambda: lake(change=only("temp", lambda _: -999)), "check the sensor, or set plausible"),
    "null": (lambda: lake(change=only("temp", lambda _: None)), "write numbers"),
    "NaN": (lambda: lake(change=only("temp", lambda _: float("nan"))), "leave such readings out"),
    "cut off": (lambda: lake(write=lambda readings: gzip.compress(ndjson(readings))[:-300]), "upload it again"),
    "a flat sensor": (lambda: lake(change=only("temp", lambda _: 71.0)), "is it stuck, or its value rounded away?"),
    "a silent sensor": (
        lambda: lake(change=lambda readings: [one for one in readings if one["sensorType"] != "temp"]),
        "is it mounted everywhere, and named 'temp'?",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_first_line_says_what_to_do_about_a_mistake(name: str) -> None:
    storage, words = MISTAKES[name]
    result = checked(storage())
    assert words in " ".join(result.todo.split()) or any(words in f"{f.todo} ({f.what}" for f in result.findings[:2])


def test_a_setting_that_the_check_proposes_makes_the_lake_readable() -> None:
    storage = MISTAKES["dt="][0]()
    assert checked(storage).extent.objects == 0
    result = checked(storage, LakeLayout(folders="dt={date}/{machine}", zone="ZONE-001"))
    assert (result.extent.objects, result.extent.machines, result.rejected) == (24, 2, {})


def test_a_clean_lake_is_told_with_all_figures() -> None:
    result = checked(lake(lambda readings: [*readings, *each(sensorType=lambda _: "dust")(readings[:5])], every=1))
    extent = result.extent
    assert (extent.objects, len(extent.days), extent.machines, extent.zones) == (96, 2, 2, {"ZONE-001": 2})
    assert (extent.at_least, extent.read, extent.formats) == (False, 96, {"JSON": 40})
    assert result.unknown_sensors.keys() == {"dust"}
    assert {(grade.sensor, grade.grade) for grade in result.sensors} == {(name, "high") for name in LEVELS}
    assert {grade.readings_an_hour for grade in result.sensors} == {12.0}
    assert result.delay_hours == pytest.approx(1.1 + 5 / 60, abs=0.01)
    assert result.training is not None
    assert not result.training.would_train
    assert result.training.supply == (2, 2, 96 * 72, 0, 0, 0)
    assert "2 days with data, 7 are needed" in result.training.missing
    assert "give a failure log (FAILURE_LOG_KEY)" in result.todo
    assert 0 < (result.dollars_a_month or 0) < 5
    json.dumps(result.gaps)


@pytest.mark.parametrize(("limit", "machines"), [(60, 1), (20, 0)])
def test_hours_that_the_sample_leaves_out_are_no_gaps(
    monkeypatch: pytest.MonkeyPatch, limit: int, machines: int
) -> None:
    monkeypatch.setattr(sampling, "MAX_OBJECTS", limit)
    result = checked(lake(every=1))
    assert len(result.gaps) == machines
    assert max(result.gaps.values(), default=0) < 0.05
    assert result.extent.read <= limit


def test_a_store_that_fails_is_named_by_its_own_words() -> None:
    storage = WatchedStorage("lake", down)
    config = LakeConfig("lake", "", "EQUIPMENT/", SENSORS)
    result, table, _ = check(storage, config, RetrainSettings(), NOW)
    assert table is None
    assert result.findings[0].level == "stop"
    assert "cannot list EQUIPMENT/date=" in result.todo


_ONE_HOUR = ndjson(hour(datetime(2026, 1, 1), Machine("Z", "M000000"))[:6])


class _Huge(WatchedStorage):
    """Ten million keys, which are never all made; objects have the readings of their hour."""

    machines = 10_000_000 // (22 * 24)

    def list(self, folder: str) -> Iterator[Entry]:
        """Machine by machine."""
        self.calls["list"] += 1
        for number in range(self.machines):
            for start in range(24):
                self.calls["keys"] += 1
                key = f"{folder}/zone_id=Z/equip_id=M{number:06}/{start:02}.json"
                yield Entry(key, "e", len(_ONE_HOUR), datetime(2026, 11, 20, tzinfo=UTC))

    def get_if_changed(self, key: str, etag: str | None) -> Any:
        """An hour."""
        self.calls["get"] += 1
        day, _, machine, name = key.removeprefix("EQUIPMENT/date=").split("/")
        body = self._body(day, int(name[:2]), int(machine[-6:]))
        storage = MemoryStorage()
        storage.put(key, body)
        return storage.objects[key]._replace(etag="e")

    def _body(self, day: str, start: int, number: int) -> bytes:
        changes = {"2026-01-01": day, "T00:": f"T{start:02}:", "M000000": f"M{number:06}"}
        body = _ONE_HOUR
        for old, new in changes.items():
            body = body.replace(old.encode(), new.encode())
        return body


def test_of_ten_million_keys_a_bounded_part_is_looked_at() -> None:
    storage = _Huge("lake")
    config = LakeConfig("lake", "", "EQUIPMENT/", SENSORS)
    result, _, _ = check(storage, config, RetrainSettings(), NOW)
    assert storage.calls["keys"] <= MAX_KEYS * 1.1
    assert result.extent.requests < 3_000
    assert result.extent.at_least
    assert "at least" in text.text(result)
    assert result.training is not None
    assert not result.training.is_exact


def test_flat_keys_are_not_all_listed_for_their_folders() -> None:
    class Flat(WatchedStorage):
        def list(self, folder: str) -> Iterator[Entry]:
            for number in range(10_000_000):
                self.calls["keys"] += 1
                yield Entry(f"{folder}/{number:08}.json", "e", 1, datetime(2026, 11, 20, tzinfo=UTC))

        def folders(self, folder: str) -> Sequence[str]:
            raise AssertionError(f"all keys of {folder} are listed")

    storage = Flat("lake")
    result, _, _ = check(storage, LakeConfig("lake", "", "EQUIPMENT/", SENSORS), RetrainSettings(), NOW)
    assert '"lake": {"folders": "date={date}"}' in result.todo
    assert storage.calls["keys"] <= MAX_KEYS * 1.2


@pytest.mark.parametrize(
    ("keys", "pattern"),
    [
        (["date=2026-11-20/a.json"], "date={date}"),
        (["20261120/line-1/press-2/a", "20261121/line-1/press-3/a"], "{year}{month}{day}/{zone}/{machine}"),
        (["year=2026/month=3/day=9/a"], "year={year}/month={m}/day={d}"),
        (["M1/2026-11-20/x.json"], "{machine}/{date}"),
        (["readings/x.json"], None),
        ([], None),
    ],
)
def test_a_pattern_is_recognised(keys: list[str], pattern: str | None) -> None:
    assert suggest(list(islice(keys, 10))) == pattern

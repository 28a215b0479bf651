"""A factory in another time zone: its hours, dates, folders and windows, also on days on which clocks change."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from monitory import clock
from monitory.errors import SettingsError
from monitory.lake import Lake, MachineDay
from monitory.machine import Machine
from monitory.sensors import load
from tests.support.fakes import MemoryStorage
from tests.support.samples import MACHINE, hour_of_readings, lake_key, ndjson

SENSORS = load()


@pytest.fixture
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    name: str = request.param
    clock.set_zone(name)
    yield name
    clock.set_zone(clock.DEFAULT_ZONE)


ZONES = ["Europe/Berlin", "Pacific/Auckland", "America/New_York", "Asia/Kolkata", "Australia/Adelaide", "UTC"]


@pytest.mark.parametrize("zone", ZONES, indirect=True)
def test_hours_are_numbered_without_gaps_or_repeats_all_year(zone: str) -> None:
    start = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
    moments = [start + timedelta(hours=number) for number in range(366 * 24)]
    hours = [clock.hour_of(clock.naive(at)) for at in moments if clock.aware(clock.naive(at)).astimezone(UTC) == at]
    numbers = [clock.hour_of(at.astimezone(clock.zone())) for at in moments]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert set(hours) <= set(numbers)
    assert all(clock.hour_of(clock.hour_start(number)) == number for number in numbers)


@pytest.mark.parametrize("zone", ZONES, indirect=True)
def test_days_have_the_hours_that_their_clock_shows(zone: str) -> None:
    days = clock.days_between(date(2026, 1, 1), date(2026, 12, 31))
    lengths = [len(clock.hours_of(day)) for day in days]
    changes = zone not in {"Asia/Kolkata", "UTC"}
    assert (lengths.count(23), lengths.count(25)) == ((1, 1) if changes else (0, 0))
    assert sum(lengths) == 365 * 24
    assert all(clock.date_of_hour(hour) == day for day in days[::7] for hour in clock.hours_of(day))


def rows(storage: MemoryStorage, day: date, machine: Machine = MACHINE) -> MachineDay:
    lake = Lake(storage, "EQUIPMENT", SENSORS)
    return lake.refresh(MachineDay(), lake.machine_day(machine, day))


@pytest.mark.parametrize("zone", ["Europe/Berlin"], indirect=True)
@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)])
@pytest.mark.parametrize("is_naive", [False, True], ids=["with offset", "wall clock"])
def test_no_hour_of_a_day_is_lost_when_clocks_change(zone: str, day: date, hours: int, is_naive: bool) -> None:
    storage = MemoryStorage()
    numbers = clock.hours_of(day)
    for number in numbers:
        start = clock.hour_start(number)
        lines = hour_of_readings(start.replace(tzinfo=None) if is_naive else start.astimezone(UTC))
        storage.put(lake_key(day, str(number)), ndjson(lines))
    made = rows(storage, day)
    assert not any(seen.rejected for seen in made.objects)
    if is_naive and hours == 25:  # the wall clock shows two o'clock twice, and readings without offset don't say which
        assert [hour.hour for hour in made.hours] == [number for number in numbers if number != numbers[3]]
        return
    assert [hour.hour for hour in made.hours] == list(numbers)
    assert len(numbers) == hours
    assert {hour.readings for hour in made.hours} == {72}


@pytest.mark.parametrize("zone", ["Pacific/Auckland"], indirect=True)
def test_a_utc_clock_far_east_lies_outside_its_folder(zone: str) -> None:
    storage = MemoryStorage()
    day = date(2026, 11, 20)
    storage.put(lake_key(day, "a"), ndjson(hour_of_readings(datetime(2026, 11, 19, 14))))
    assert rows(storage, day).objects[0].rejected == {"other_hours": 72}


def test_an_unknown_zone_is_named() -> None:
    for name in ("Europe/Berln", "+09:00", "../etc/passwd", ""):
        with pytest.raises(SettingsError, match="FACTORY_TIME_ZONE: there is no time zone"):
            clock.set_zone(name)

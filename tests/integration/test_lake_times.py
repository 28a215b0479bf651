"""Notations of time in the field, through predict and ingest: read as that moment, or named."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from monitory import clock
from tests.support.lakes import HOUR, READINGS, FieldLake, Readings, assert_all_read, hour, look_at, ndjson


def with_times(write: Callable[[datetime], object]) -> Readings:
    return [{**one, "time": write(datetime.fromisoformat(one["time"]))} for one in READINGS]


def since_1970(at: datetime) -> float:
    return at.replace(tzinfo=clock.KST).timestamp()


TIMES: dict[str, Callable[[datetime], object]] = {
    "Z": lambda at: (at - timedelta(hours=9)).isoformat() + "Z",
    "offset": lambda at: at.isoformat() + "+09:00",
    "another offset": lambda at: (at - timedelta(hours=14)).isoformat() + "-05:00",
    "short offset": lambda at: at.isoformat() + "+09",
    "milliseconds": lambda at: int(since_1970(at) * 1000),
    "seconds": lambda at: int(since_1970(at)),
    "microseconds": lambda at: int(since_1970(at) * 1e6),
    "seconds with a fraction": since_1970,
    "milliseconds as text": lambda at: str(int(since_1970(at) * 1000)),
    "space": lambda at: at.isoformat(" "),
    "no seconds": lambda at: at.isoformat(timespec="minutes"),
    "no seconds, Z": lambda at: (at - timedelta(hours=9)).isoformat(timespec="minutes") + "Z",
    "nine digits": lambda at: at.isoformat() + ".000000000",
}


@pytest.mark.parametrize("notation", TIMES)
def test_a_time_is_read_as_that_moment_in_any_unambiguous_notation(notation: str) -> None:
    assert_all_read(look_at(ndjson(with_times(TIMES[notation]))))


@pytest.mark.parametrize("notation", TIMES)
def test_one_line_in_another_notation_changes_nothing(notation: str) -> None:
    readings = [*with_times(TIMES[notation])[:5], *READINGS[5:]]
    assert_all_read(look_at(ndjson(readings)))


def test_nanoseconds_are_read() -> None:
    times = [one["time"] for one in with_times(lambda at: at.isoformat() + ".613655123")]
    view = look_at(ndjson([{**one, "time": time} for one, time in zip(READINGS, times, strict=True)]))
    assert view.body["window"]["readings"] == 72
    assert view.counts.rejected == {}


def test_a_naive_utc_clock_is_not_silently_another_hour() -> None:
    view = look_at(ndjson(with_times(lambda at: (at - timedelta(hours=9)).isoformat())))
    assert view.body["state"] == "degraded"
    assert "lie 9 h before the time at which their object was written" in view.warnings
    assert "set FACTORY_TIME_ZONE" in view.warnings


def test_a_naive_utc_clock_is_named_where_there_is_nothing_else() -> None:
    lake = FieldLake()
    lake.world.lake_storage.objects.clear()
    lake.put(ndjson(with_times(lambda at: (at - timedelta(hours=9)).isoformat())))
    view = lake.look()
    assert view.status == 404
    assert "lie 9 h before" in view.warnings
    assert "FACTORY_TIME_ZONE" in view.warnings


def test_a_naive_utc_clock_before_nine_in_the_morning_lies_outside_its_folder() -> None:
    lake = FieldLake()
    start = HOUR.replace(hour=3)
    shifted = [
        {**one, "time": (datetime.fromisoformat(one["time"]) - timedelta(hours=9)).isoformat()} for one in hour(start)
    ]
    lake.put(ndjson(shifted), "equip-03-0.json", written=start + timedelta(hours=1, minutes=5))
    view = lake.look()
    assert view.counts.rejected == {"other_hours": 72}
    assert "72 readings hours away from the date of their folder (6 h before it: 2026-11-19T18:00:00" in view.losses
    assert "is that date, or the readings' clock, UTC? Set FACTORY_TIME_ZONE" in view.losses


def test_folders_dated_in_utc_lose_nothing_in_silence() -> None:
    lake = FieldLake()
    start = datetime(2026, 11, 21, 3)
    lake.put(ndjson(hour(start)), "equip-03-0.json", written=start + timedelta(hours=1, minutes=5))
    view = lake.look(now=datetime(2026, 11, 20, 17, 10, tzinfo=clock.KST))
    assert view.counts.rejected == {"other_hours": 72}
    assert "4 h after it: 2026-11-21T03:00:00 in the folder of 2026-11-20): is that date" in view.losses
    view = lake.look(now=datetime(2026, 11, 21, 4, 10, tzinfo=clock.KST))
    assert view.status == 404
    assert "is that date, or the readings' clock, UTC?" in view.warnings

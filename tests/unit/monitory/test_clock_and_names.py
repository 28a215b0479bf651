"""Hours, machine names and version names."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitory import clock
from monitory.errors import InvalidIdentifier, UnknownVersion
from monitory.machine import Machine, machine, spellings
from monitory.registry.version import Version


@given(st.datetimes())
def test_an_hour_starts_at_or_before_its_moments_and_ends_after_them(moment: datetime) -> None:
    hour = clock.hour_of(moment)
    start = clock.hour_start(hour).replace(tzinfo=None)
    assert timedelta() <= moment - start < timedelta(hours=1)
    assert clock.date_of_hour(hour) == moment.date()
    assert clock.first_hour(moment.date()) + moment.hour == hour


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (datetime(2027, 12, 31, 23, 59, 59), datetime(2028, 1, 1)),
        (datetime(2028, 2, 28, 23), datetime(2028, 2, 29)),
        (datetime(2028, 2, 29, 23), datetime(2028, 3, 1)),
        (datetime(2026, 3, 29, 1, 59), datetime(2026, 3, 29, 2)),  # clocks change elsewhere
    ],
)
def test_hours_follow_each_other_over_every_border(before: datetime, after: datetime) -> None:
    assert clock.hour_of(after) - clock.hour_of(before) == 1


def test_midnight_in_korea_is_three_in_the_afternoon_utc() -> None:
    assert clock.hour_start(0).astimezone(UTC) == datetime(1969, 12, 31, 15, tzinfo=UTC)
    assert clock.now().utcoffset() == timedelta(hours=9)


def test_days_between_include_both_ends_and_are_none_when_reversed() -> None:
    assert clock.days_between(date(2028, 2, 28), date(2028, 3, 1)) == [
        date(2028, 2, 28),
        date(2028, 2, 29),
        date(2028, 3, 1),
    ]
    assert clock.days_between(date(2028, 3, 1), date(2028, 2, 28)) == []


@pytest.mark.parametrize("name", ["ZONE-001", "a", "-", "_x", "0", "A.b_c-9", "x" * 64, "a..b", "a."])
def test_names_that_are_allowed(name: str) -> None:
    assert machine(name, name) == Machine(name, name)
    assert str(machine(name, "E")) == f"{name}/E"


BAD_NAMES = [
    "",
    ".",
    "..",
    ".a",
    "x" * 65,
    "a/b",
    "../a",
    "a\n",
    "\na",
    "a\x00",
    "a%2F",
    "%2E%2E%2Fa",
    "a%00",
    " a",
    "a ",
    "a%20",
    "a,b",
    "a%2520b",
    "a*",
    "a=b",
    "a\\b",
]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("field", ["zoneId", "equipId"])
def test_names_that_could_reach_another_prefix_are_refused(name: str, field: str) -> None:
    with pytest.raises(InvalidIdentifier, match=field):
        machine(*((name, "ok") if field == "zoneId" else ("ok", name)))


@given(st.text())
def test_no_name_that_is_allowed_leaves_its_folder_or_changes_when_it_is_read_again(name: str) -> None:
    try:
        allowed = machine(name, "E").zone_id
    except InvalidIdentifier:
        return
    assert not set(allowed) & set("/\\%*?=&\"'<>{}[]\x00\n\r\t")
    assert allowed.isprintable()
    assert allowed[0] not in ". "
    assert 0 < len(allowed) <= 64
    assert machine(allowed, "E").zone_id == allowed


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("3호기", "3호기"),
        ("3%ED%98%B8%EA%B8%B0", "3호기"),
        ("\u1112\u1169", "\ud638"),
        ("00:1A:22", "00:1A:22"),
        ("00%3A1A%3A22", "00:1A:22"),
        ("CNC%20Mill", "CNC Mill"),
        ("CNC Mill", "CNC Mill"),
    ],
)
def test_a_name_is_the_same_however_a_writer_spells_it(written: str, name: str) -> None:
    assert machine("Z", written) == ("Z", name)
    assert all(machine("Z", spelling).equip_id == name for spelling in spellings(name))


moments = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))


@given(moments, moments)
def test_versions_round_trip_and_their_texts_sort_by_time(one: datetime, other: datetime) -> None:
    first, second = Version.at(one), Version.at(other)
    assert Version.parse(str(first)) == first == Version.of_folder(first.folder)
    assert (str(first) < str(second)) == (first < second)
    assert first.later() > first


def test_a_version_is_told_in_utc_whatever_zone_its_moment_had() -> None:
    assert str(Version.at(datetime(2026, 1, 1, 8, 59, 59, 999, tzinfo=clock.KST))) == "2025/12/31/235959"
    west = timezone(timedelta(hours=-10))
    assert str(Version.at(datetime(2026, 1, 1, tzinfo=west))) == "2026/01/01/100000"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latest",
        "2026/02/30/101010",
        "2026/2/3/101010",
        "2026/02/03/1010",
        "2026/02/03/101010/",
        "/2026/02/03/101010",
        " 2026/02/03/101010",
        "2026/02/03/250000",
        "../../2026/02/03/101010",
        "２０２６/02/03/101010",
        "x" * 1000,
    ],
)
def test_what_is_no_version_is_refused_and_named_shortly(text: str) -> None:
    with pytest.raises(UnknownVersion, match="is no version, which looks like") as caught:
        Version.parse(text)
    assert len(str(caught.value)) < 120
    assert Version.of_folder(f"models/{text}") is None


def test_dashes_are_understood_in_addresses() -> None:
    assert str(Version.parse("2026-02-03-101010")) == "2026/02/03/101010"

"""Patterns of folders: what they find, and what is wrong with them, in words."""

import re
from datetime import date

import pytest

from monitory.layout.folders import Folders

DAY = date(2026, 3, 9)


@pytest.mark.parametrize(
    ("pattern", "key", "names", "rest"),
    [
        ("date={date}/zone_id={zone}/equip_id={machine}", "date=2026-03-09/zone_id=Z/equip_id=M/x/y", "Z M", "x/y"),
        ("/dt={date}/{machine}/", "dt=2026-03-09/M/x", " M", "x"),
        ("year={year}/month={month}/day={day}/{zone}/{machine}", "year=2026/month=03/day=09/Z/M/x", "Z M", "x"),
        ("year={year}/month={m}/day={d}", "year=2026/month=3/day=9/x", " ", "x"),
        ("{year}/{month}/{day}/{hour}/{zone}-{machine}", "2026/03/09/23/Z-M-1/x", "Z M-1", "x"),
        ("{machine}/{year}{month}{day}", "M/20260309/x", " M", "x"),
    ],
)
def test_a_key_has_a_place(pattern: str, key: str, names: str, rest: str) -> None:
    place = Folders(pattern).place(key)
    assert place is not None
    assert (place.day, f"{place.zone} {place.machine}", place.rest) == (DAY, names, rest)


@pytest.mark.parametrize("key", ["date=2026-02-30/M/x", "date=2026-3-9/M/x", "dt=2026-03-09/M/x", "date=2026-03-09/M"])
def test_a_key_that_does_not_follow_the_pattern_has_none(key: str) -> None:
    assert Folders("date={date}/{machine}").place(key) is None


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("date={date}/{equip}", "there is no {equip}: there are {date}, {year}"),
        ("date={date}/{machne}", "there is no {machne}: did you mean {machine}?"),
        ("{date}/{date}", "{date} is given twice"),
        ("{zone}/{machine}", "no date: write {date}, or {year}, {month} and {day}"),
        ("{year}/{month}/{machine}", "no date"),
        ("{date}//{machine}", "an empty folder"),
        ("{date}/../{machine}", "an empty folder, '.', '..'"),
        ("{date}/{machine", "a brace is not closed"),
        ("{date}/{zone}{machine}", "need a text between them"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_in_words(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Folders(pattern)

"""A pattern of folders, such as `date={date}/zone_id={zone}/equip_id={machine}`: folders to list, places of keys."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from itertools import product
from typing import NamedTuple

_DIGITS = {"date": r"\d{4}-\d\d-\d\d", "year": r"\d{4}", "month": r"\d\d", "day": r"\d\d", "hour": r"\d\d"}
_SHORT = {"m": r"\d{1,2}", "d": r"\d{1,2}", "h": r"\d{1,2}"}
_NAMES = {"zone": r"[^/]+?", "machine": r"[^/]+?"}
_PLACEHOLDERS = _DIGITS | _SHORT | _NAMES
_OF_A_DATE = frozenset({"date", "year", "month", "m", "day", "d"})
_TOKEN = re.compile(r"\{(\w*)\}")


class Place(NamedTuple):
    """What a key's folders say; `zone` and `machine` as they are written, empty where the pattern has none.

    `rest` is the key below these folders.
    """

    day: date
    zone: str
    machine: str
    rest: str


class Folders:
    """A valid pattern of folders."""

    def __init__(self, pattern: str) -> None:
        """Parse a pattern.

        Raises:
            ValueError: it cannot be used; the message says why, and what to write.
        """
        self.pattern = pattern.strip("/")
        self._segments = self.pattern.split("/")
        names = _TOKEN.findall(self.pattern)
        for name in names:
            if name not in _PLACEHOLDERS:
                raise ValueError(_unknown(name))
            if names.count(name) > 1:
                raise ValueError(f"{{{name}}} is given twice")
        if any(part in {"", ".", ".."} or "*" in part for part in self._segments):
            raise ValueError("an empty folder, '.', '..' or '*' is no folder's name")
        if re.search(r"[{}]", _TOKEN.sub("", self.pattern)):
            raise ValueError("a brace is not closed")
        if re.search(r"\{(zone|machine)\}\{", self.pattern):
            raise ValueError("{zone} and {machine} need a text between them and what follows")
        self.names = frozenset(names)
        short = {"year", "m", "d"} if "m" in self.names or "d" in self.names else set()
        if "date" not in self.names and not _full_date(self.names):
            missing = "{date}, or {year}, {month} and {day}" if not short else "{year}, {month} or {m}, {day} or {d}"
            raise ValueError(f"no date: write {missing} where the folders have it")

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile("/".join(_regex_of(segment) for segment in self._segments) + "/(?P<rest_>.*)", re.DOTALL)

    @cached_property
    def _segment_regexes(self) -> list[re.Pattern[str]]:
        return [re.compile(_regex_of(segment)) for segment in self._segments]

    def place(self, key: str) -> Place | None:
        """The place of a key below the lake's prefix; None where it doesn't follow the pattern."""
        match = self._regex.fullmatch(key)
        if not match:
            return None
        values = match.groupdict()
        try:
            day = (
                date.fromisoformat(values["date"])
                if "date" in values
                else date(int(values["year"]), int(_one(values, "month", "m")), int(_one(values, "day", "d")))
            )
        except ValueError:
            return None
        return Place(day, values.get("zone", ""), values.get("machine", ""), values["rest_"])

    def values(self, day: date) -> dict[str, tuple[str, ...]]:
        """The values of a date's placeholders."""
        return {
            "date": (str(day),),
            "year": (f"{day.year:04}",),
            "month": (f"{day.month:02}",),
            "m": (str(day.month),),
            "day": (f"{day.day:02}",),
            "d": (str(day.day),),
        }

    def steps(self, values: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...] | re.Pattern[str]]:
        """How to reach the folders of a date, and of a machine: level by level, names or a pattern to search with.

        The steps end where what is below has to be listed as a whole: after the last folder that has a value, but
        before names that have to be searched for if only they precede it and no date follows.
        """
        wanted = [self._names_of(segment) & values.keys() for segment in self._segments]
        dates = [at for at, names in enumerate(wanted) if names & _OF_A_DATE]
        open_levels = [at for at, segment in enumerate(self._segments) if self._names_of(segment) - values.keys()]
        first_open = min(open_levels, default=len(self._segments))
        end = max(dates[-1] + 1, first_open)
        for at in range(end):
            if at in open_levels:
                yield self._segment_regexes[at]
            else:
                yield _filled(self._segments[at], values)

    @staticmethod
    def _names_of(segment: str) -> frozenset[str]:
        return frozenset(_TOKEN.findall(segment))


def _regex_of(segment: str) -> str:
    parts = _TOKEN.split(segment)
    return "".join(f"(?P<{part}>{_PLACEHOLDERS[part]})" if at % 2 else re.escape(part) for at, part in enumerate(parts))


def _filled(segment: str, values: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    parts = _TOKEN.split(segment)
    choices = [values[part] if at % 2 else (part,) for at, part in enumerate(parts)]
    return tuple(dict.fromkeys("".join(choice) for choice in product(*choices)))


def _full_date(names: frozenset[str]) -> bool:
    return "year" in names and bool(names & {"month", "m"}) and bool(names & {"day", "d"})


def _one(values: Mapping[str, str], *names: str) -> str:
    return next(values[name] for name in names if name in values)


def _unknown(name: str) -> str:
    near = get_close_matches(name.lower(), _PLACEHOLDERS, 1, 0.5)
    hint = f"did you mean {{{near[0]}}}?" if near else "there are " + ", ".join(f"{{{n}}}" for n in _PLACEHOLDERS)
    return f"there is no {{{name}}}: {hint}"

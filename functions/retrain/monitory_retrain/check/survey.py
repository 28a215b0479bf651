"""Where a lake's objects lie: days, machines, sizes, and the layout of what does not follow the configured one."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from monitory.lake import Lake
from monitory.lake_listing import LakeObject
from monitory.layout.folders import Folders
from monitory.layout.names import is_data
from monitory.machine import Machine
from monitory_retrain.check.probe import Probe

PEEK_KEYS = 500
MAX_LEVELS = 6
"""Of folders that are followed down to the newest date."""

_MACHINE = re.compile(r"equip|machine|device|asset|unit|tool|sensor", re.IGNORECASE)
_ZONE = re.compile(r"zone|line|site|plant|area|factory|hall", re.IGNORECASE)
_PARTS = {"year": r"20\d\d", "month": r"0?[1-9]|1[0-2]", "day": r"0?[1-9]|[12]\d|3[01]", "hour": r"[01]?\d|2[0-3]"}


@dataclass(frozen=True, slots=True)
class Survey:
    """What lies where.

    Attributes:
        listing: the objects of each date, by machine.
        unplaced: keys in the dates' folders that name no machine.
        is_cut: more lies there than was listed.
        other_keys: keys that lie elsewhere below the prefix, if the dates have none.
        suggestion: the pattern that these follow, if one is recognised.
        newest: the newest date of the layout, if it is before the dates.
        other_prefixes: top folders of the bucket, if the prefix has nothing.
    """

    listing: dict[date, dict[Machine, list[LakeObject]]]
    unplaced: list[str] = field(default_factory=list)
    is_cut: bool = False
    other_keys: list[str] = field(default_factory=list)
    suggestion: str | None = None
    newest: date | None = None
    other_prefixes: list[str] = field(default_factory=list)

    @property
    def objects(self) -> list[LakeObject]:
        """All objects, by date and machine."""
        return [item for machines in self.listing.values() for items in machines.values() for item in items]

    @property
    def machines(self) -> Counter[Machine]:
        """The number of objects by machine."""
        counts: Counter[Machine] = Counter()
        for machines in self.listing.values():
            counts.update({machine: len(items) for machine, items in machines.items()})
        return counts


def survey(lake: Lake, probe: Probe, days: Sequence[date]) -> Survey:
    """Look at a lake's dates; where these are empty, at what lies there instead.

    Raises:
        StorageUnavailable: the store failed.
    """
    listing: dict[date, dict[Machine, list[LakeObject]]] = {}
    unplaced: list[str] = []
    is_cut = False
    for day in days:
        probe.is_cut = False
        machines = lake.day(day, unplaced)
        if machines:
            listing[day] = machines
        is_cut = is_cut or probe.is_cut
    if listing:
        return Survey(listing, unplaced, is_cut)
    if unplaced:
        below = [key.removeprefix(f"{lake.prefix}/") for key in unplaced[:PEEK_KEYS]]
        return Survey({}, unplaced, is_cut, unplaced[:PEEK_KEYS], suggest(below))
    keys = [entry.key for entry in islice(probe.list(lake.prefix), PEEK_KEYS)]
    keys += _newest_keys(probe, lake.prefix)
    data = [key for key in dict.fromkeys(keys) if is_data(key.removeprefix(f"{lake.prefix}/"))]
    if not data:
        return Survey({}, unplaced, other_prefixes=list(probe.folders("")))
    dates = [place.day for key in data if (place := lake.listing.place(key))]
    below = [key.removeprefix(f"{lake.prefix}/") for key in data]
    return Survey(
        {}, unplaced, other_keys=data, suggestion=None if dates else suggest(below), newest=max(dates, default=None)
    )


def _newest_keys(probe: Probe, prefix: str) -> list[str]:
    """Keys of the last folders, which are the newest where names sort by date."""
    folder = prefix
    for _ in range(MAX_LEVELS):
        names = [name for name in probe.folders(folder) if not name.startswith((".", "_"))]
        if not names:
            break
        folder = f"{folder}/{max(names)}"
    return [] if folder == prefix else [entry.key for entry in islice(probe.list(folder), PEEK_KEYS)]


def suggest(keys: Sequence[str]) -> str | None:
    """A pattern of folders that most of the keys (below the prefix) follow; None where none is recognised.

    >>> suggest(["dt=2026-11-20/M1/a.json"]), suggest(["2026/11/20/07/LINE-1/M1/a.json"])
    ('dt={date}/{machine}', '{year}/{month}/{day}/{hour}/{zone}/{machine}')
    """
    depths = Counter(key.count("/") for key in keys)
    depth = depths.most_common(1)[0][0] if depths else 0
    paths = [key.split("/")[:depth] for key in keys if key.count("/") == depth]
    segments: list[str] = []
    taken: set[str] = set()
    for names in zip(*paths, strict=True):
        segments.append(_segment(names, taken))
    plain = [at for at, segment in enumerate(segments) if segment == "?"]
    for name, at in zip([of for of in ("machine", "zone") if of not in taken], reversed(plain), strict=False):
        segments[at] = f"{{{name}}}"
    while segments and segments[-1] == "?":
        segments.pop()
    pattern = "/".join(segment if segment != "?" else next(iter(paths))[at] for at, segment in enumerate(segments))
    try:
        folders = Folders(pattern)
    except ValueError:
        return None
    return pattern if sum(folders.place(key) is not None for key in keys) > len(keys) / 2 else None


def _segment(names: Sequence[str], taken: set[str]) -> str:
    """The pattern of a level's names; `?` for names that tell nothing."""
    label, equals, _ = names[0].partition("=")
    values = [name.removeprefix(f"{label}=") if equals else name for name in names]
    before = f"{label}=" if equals else ""
    if all(re.fullmatch(r"\d{4}-\d\d-\d\d", one) for one in values):
        return _take("date", before, taken)
    if all(re.fullmatch(r"20\d{6}", one) for one in values):
        taken.update(("year", "month", "day"))
        return f"{before}{{year}}{{month}}{{day}}"
    for name, regex in _PARTS.items():
        fits = all(re.fullmatch(regex, one) for one in values)
        if fits and name not in taken and (not equals or label.lower().startswith(name[0])):
            short = name != "year" and any(len(one) == 1 for one in values)
            taken.add(name)
            return f"{before}{{{name[0] if short else name}}}"
    if equals and _ZONE.search(label):
        return _take("zone", before, taken)
    if equals and _MACHINE.search(label):
        return _take("machine", before, taken)
    return "?"


def _take(name: str, before: str, taken: set[str]) -> str:
    taken.add(name)
    return f"{before}{{{name}}}"


def as_setting(pattern: str) -> str:
    """What to write into the sensor set's file for a pattern of folders."""
    lake = {"folders": pattern, **({} if "{zone}" in pattern or "{machine}" not in pattern else {"zone": "ZONE-1"})}
    return f'"lake": {json.dumps(lake)}'

"""The objects of a lake by machine and date."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from monitory.layout.folders import Place
from monitory.layout.lake_layout import LakeLayout
from monitory.layout.names import is_data
from monitory.machine import Machine
from monitory.storage.port import Entry, IncompleteListing, Storage

UNKNOWN_SIZE = -1
"""Of an object that was not listed."""


class LakeObject(NamedTuple):
    """An object of the lake.

    Attributes:
        key, etag: which object, in which state.
        size: in bytes; `UNKNOWN_SIZE` where nobody listed it.
        machine: whose readings; with empty names where an object holds those of several machines.
        day: the date of its folder.
        fault: why it cannot be requested.
        modified: when it was written.
    """

    key: str
    etag: str
    size: int
    machine: Machine
    day: date
    fault: str = ""
    modified: datetime | None = None


class LakeListing:
    """Lists a lake by its layout."""

    def __init__(self, storage: Storage, prefix: str, layout: LakeLayout) -> None:
        """The lake under `prefix` of a bucket."""
        self._storage = storage
        self._prefix = prefix
        self._layout = layout

    def machine_day(self, owner: Machine, day: date) -> list[LakeObject]:
        """The objects of a date that hold a machine's readings; where objects are shared, possibly none of it."""
        pattern = self._layout.pattern
        values = {**pattern.values(day), **self._layout.names_of(owner)}
        return [
            _object(entry, owner, day)
            for folder in self._folders(values)
            for entry, place, of in self._placed(folder)
            if place and place.day == day and _has_data(entry, place) and (self._layout.is_shared or of == owner)
        ]

    def day(self, day: date, unplaced: list[str] | None = None) -> dict[Machine, list[LakeObject]]:
        """All objects of a date by machine.

        Args:
            day: the date.
            unplaced: receives the keys whose folders name no machine.
        """
        objects: dict[Machine, list[LakeObject]] = {}
        for folder in self._folders(self._layout.pattern.values(day)):
            for entry, place, owner in self._placed(folder):
                if owner is not None and place and place.day == day and _has_data(entry, place):
                    objects.setdefault(owner, []).append(_object(entry, owner, day))
                elif unplaced is not None and (place is None or place.day == day) and self._could_be_data(entry, owner):
                    unplaced.append(entry.key)
        return objects

    def place(self, key: str) -> Place | None:
        """The place of a key; None where it doesn't follow the layout."""
        return self._layout.pattern.place(key.removeprefix(f"{self._prefix}/"))

    def folder_of(self, owner: Machine) -> str:
        """A machine's folder on any date, for people."""
        pattern = self._layout.pattern.pattern.replace("{zone}", owner.zone_id).replace("{machine}", owner.equip_id)
        for name in self._layout.pattern.names:
            pattern = pattern.replace(f"{{{name}}}", "*")
        return f"s3://{self._storage.name}/{self._prefix}/{pattern}"

    def _could_be_data(self, entry: Entry, owner: Machine | None) -> bool:
        return owner is None and entry.size > 0 and is_data(entry.key.removeprefix(f"{self._prefix}/"))

    def _folders(self, values: Mapping[str, tuple[str, ...]]) -> list[str]:
        folders = [self._prefix]
        for step in self._layout.pattern.steps(values):
            if isinstance(step, tuple):
                folders = [f"{folder}/{name}" for folder in folders for name in step]
            else:
                folders = [
                    f"{folder}/{name}"
                    for folder in folders
                    for name in self._storage.folders(folder)
                    if step.fullmatch(name)
                ]
        return folders

    def _placed(self, folder: str) -> Iterator[tuple[Entry, Place | None, Machine | None]]:
        """A folder's entries with their places and whom these name, found once for neighbours in one folder."""
        last, place, owner = None, None, None
        for entry in self._listed(folder):
            beneath, _, name = entry.key.rpartition("/")
            if beneath != last:
                last, place = beneath, self.place(f"{beneath}/")
                owner = self._layout.owner(place) if place else None
            yield entry, place and place._replace(rest=place.rest + name), owner

    def _listed(self, folder: str) -> Iterator[Entry]:
        """A folder's entries; a gap in one machine's folder does not hide the other machines."""
        try:
            yield from self._storage.list(folder)
        except IncompleteListing as exc:
            if not all(self.place(f"{of}/") for of in exc.folders):
                raise


def _object(entry: Entry, owner: Machine, day: date) -> LakeObject:
    return LakeObject(entry.key, entry.etag, entry.size, owner, day, entry.fault, entry.modified)


def _has_data(entry: Entry, place: Place) -> bool:
    """Whether there is something to read, or a fault to report."""
    return bool(entry.fault) or (entry.size > 0 and is_data(place.rest))


def sample_evenly(objects: Sequence[LakeObject], count: int) -> list[LakeObject]:
    """`count` objects spread evenly over a sequence, all of them when there are no more.

    >>> sample_evenly(list("abcdefghij"), 3)
    ['a', 'd', 'g']
    """
    if count >= len(objects):
        return list(objects)
    return [objects[index * len(objects) // count] for index in range(count)]

"""What an object's records look like, and whose they are."""

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitory import clock
from monitory.layout.lake_layout import DEFAULT_LAYOUT, LakeLayout
from monitory.machine import Machine, normal


class RecordForm(NamedTuple):
    """The form of an object's records.

    Attributes:
        owner: whose readings; an empty name for any. Readings of others are rejected.
        sensor_types: those of the sensor set.
        layout: of the lake.
    """

    owner: Machine
    sensor_types: tuple[str, ...] = ()
    layout: LakeLayout = DEFAULT_LAYOUT

    def is_owner(self, zone_id: str, equip_id: str) -> bool:
        """Whether the owner's readings have these names."""
        zone, equip = self.owner
        return (not zone or zone in {zone_id, normal(zone_id)}) and (not equip or equip in {equip_id, normal(equip_id)})

    def of_any(self) -> "RecordForm":
        """The form where an object holds several machines' readings."""
        zone = self.owner.zone_id if "zone" in self.layout.pattern.names else self.layout.zone or ""
        return self._replace(owner=Machine(zone, ""))

    @property
    def has_zone(self) -> bool:
        """Whether records name their zone, and that counts."""
        return self.layout.fields.zone_id is not None and self.layout.zone is None

    def factory_time(self, wall_clock: datetime) -> datetime:
        """The factory's wall clock of a naive time in a record."""
        if self.layout.naive_time_zone is None:
            return wall_clock
        return clock.naive(wall_clock.replace(tzinfo=_zone(self.layout.naive_time_zone)))


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)

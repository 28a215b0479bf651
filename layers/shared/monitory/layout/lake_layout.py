"""A lake's shape: data, under `lake` in the sensor set's file, or in a file of its own that `LAKE_FILE` names."""

import hashlib
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from monitory import clock, sensors
from monitory.errors import UNDECODABLE, InvalidIdentifier, LakeLayoutError
from monitory.layout.folders import Folders, Place
from monitory.machine import Machine, identifier, machine, spellings

DEFAULT_FOLDERS = "date={date}/zone_id={zone}/equip_id={machine}"


class FieldNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The names of a reading's fields in the records; None where records lack a field that the folders give."""

    zone_id: str | None = "zoneId"
    equip_id: str | None = "equipId"
    sensor_id: str | None = "sensorId"
    sensor_type: str = "sensorType"
    val: str = "val"
    time: str = "time"


class LakeLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """The shape of a lake.

    Attributes:
        folders: the pattern of folders below the prefix, see `folders`.
        zone: every machine's zone, in a lake that has no zones.
        time_zone: the factory's, in which the folders' dates are; `FACTORY_TIME_ZONE` goes before it.
        naive_time_zone: of times without an offset, where that is another one.
        fields: names of the records' fields.
        format: of the objects.
        wide: a record has a value of each sensor, in fields named by the sensors' lake names.
    """

    folders: str = DEFAULT_FOLDERS
    zone: str | None = None
    time_zone: str = clock.DEFAULT_ZONE
    naive_time_zone: str | None = None
    fields: FieldNames = FieldNames()
    format: Literal["json", "csv", "parquet"] = "json"
    wide: bool = False

    def __post_init__(self) -> None:
        """Validate the layout.

        Raises:
            LakeLayoutError: a field cannot be used; named with the remedy.
        """
        try:
            names = self.pattern.names
        except ValueError as exc:
            raise LakeLayoutError(f"folders: {self.folders!r}: {exc}") from exc
        if self.zone is not None:
            if "zone" in names:
                raise LakeLayoutError("zone: the folders have {zone}: leave one of the two out")
            try:
                identifier("zoneId", self.zone)
            except InvalidIdentifier as exc:
                raise LakeLayoutError(f"zone: {self.zone!r}: {exc}") from exc
        elif "zone" not in names and (self.fields.zone_id is None or "machine" in names):
            raise LakeLayoutError(
                'zone: the folders have no {zone}: name one for all machines, such as "zone": "ZONE-1"'
            )
        if "machine" not in names and self.fields.equip_id is None:
            raise LakeLayoutError("fields.equipId: neither folders nor records would say which machine a reading is of")
        for key, name in (("time_zone", self.time_zone), ("naive_time_zone", self.naive_time_zone or "UTC")):
            try:
                ZoneInfo(name)
            except (OSError, ValueError, KeyError) as exc:
                raise LakeLayoutError(f"{key}: there is no time zone {name!r}; names are like Europe/Berlin") from exc
        given = [name for name in msgspec.structs.astuple(self.fields) if name is not None]
        for name in given:
            if not name or given.count(name) > 1:
                raise LakeLayoutError(f"fields: {name!r} is given twice" if name else "fields: a name is empty")

    @cached_property
    def pattern(self) -> Folders:
        """The parsed pattern of folders."""
        return Folders(self.folders)

    @property
    def is_shared(self) -> bool:
        """Whether an object holds several machines' readings."""
        return "machine" not in self.pattern.names

    def owner(self, place: Place) -> Machine | None:
        """The machine that a place names, with empty names where it doesn't; None where the names can't be used."""
        zone = place.zone or self.zone or ""
        try:
            if self.is_shared:
                return Machine(zone and identifier("zoneId", zone), "")
            return machine(zone, place.machine)
        except InvalidIdentifier:
            return None

    def names_of(self, owner: Machine) -> dict[str, tuple[str, ...]]:
        """The values of a machine's placeholders: all ways in which writers spell its names."""
        return {"zone": spellings(owner.zone_id), "machine": spellings(owner.equip_id)}

    def fingerprint(self, bucket: str, prefix: str) -> str:
        """Eight hex digits that tell lakes apart: bucket, prefix, shape and the factory's time zone."""
        content = (bucket, prefix.strip("/"), self, clock.zone_name())
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:8]

    @property
    def has_default_form(self) -> bool:
        """Whether folders and records are the default ones, in any time zone."""
        return msgspec.structs.replace(self, time_zone=clock.DEFAULT_ZONE) == DEFAULT_LAYOUT

    @property
    def is_default(self) -> bool:
        """Whether the lake is as version 1.0 knew all lakes to be."""
        return self == DEFAULT_LAYOUT and clock.zone_name() == clock.DEFAULT_ZONE


DEFAULT_LAYOUT = LakeLayout()


def load(lake_file: str | None = None, sensors_file: str | None = None) -> LakeLayout:
    """The layout in a file of its own or, without one, under `lake` in the sensor set's file.

    Args:
        lake_file, sensors_file: names without a folder are those of files in this package, which artifacts carry.

    Raises:
        LakeLayoutError: the layout cannot be read, or is not valid.
        SensorSetError: the sensor set's file cannot be read.
    """
    where = f"LAKE_FILE: {lake_file}" if lake_file else f"SENSORS_FILE: {sensors_file or 'sensors.json'}: lake"
    try:
        text = sensors.locate(lake_file).read_bytes() if lake_file else sensors.lake_section(sensors_file)
        return msgspec.json.decode(text, type=LakeLayout) if text or lake_file else DEFAULT_LAYOUT
    except OSError as exc:
        raise LakeLayoutError(f"{where}: {exc.strerror or exc}") from exc
    except UNDECODABLE as exc:
        raise LakeLayoutError(f"{where}: {_in_words(exc)}") from exc
    except LakeLayoutError as exc:
        raise LakeLayoutError(f"{where}: {exc}") from exc


def _in_words(exc: Exception) -> str:
    """A decoding error; what is wrong with a value follows the place of it."""
    return str(exc).replace("Object contains unknown field", "there is no such key:").removesuffix(" - at `$`")

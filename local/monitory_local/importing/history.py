"""What an import holds: files -> readings by machine and date, counts, rejects. Nothing is written to a bucket."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from monitory.machine import Machine, machine
from monitory_local.importing.errors import ImportFault, Rejects
from monitory_local.importing.lake.lake_objects import LakeObject, lake_objects
from monitory_local.importing.lake.spill import Spill
from monitory_local.importing.readings import FileForm, Reader, Readings, Vocabulary, default_machine, file_form
from monitory_local.importing.sensor_proposal import ValueSample
from monitory_local.importing.tables import csv_rows, lookout
from monitory_local.importing.tables.mapping import DEFAULT_ZONE_ID, ColumnMapping, Columns, complete

_EXAMPLES = 3


class Source(NamedTuple):
    """A CSV file to import.

    Attributes:
        path: where it is.
        mapping: what its columns mean, as far as somebody said.
        prefix: put before the sensorType of each of its columns.
    """

    path: Path
    mapping: ColumnMapping
    prefix: str = ""


@dataclass
class History:
    """Readings of any number of files.

    Attributes:
        spill: the readings, by machine and date.
        vocabulary: machines and sensors.
        rejects: what was left out.
        readings: by sensorType.
        samples: values by sensorType.
        forms: what is known of each file.
        objects, repeats: of what `objects_of` has gone through.
        first, last: dates of the same.
        examples: the first few objects of the same.
    """

    spill: Spill
    vocabulary: Vocabulary
    rejects: Rejects = field(default_factory=Rejects)
    readings: Counter[str] = field(default_factory=Counter)
    samples: dict[str, ValueSample] = field(default_factory=dict)
    forms: dict[Path, FileForm] = field(default_factory=dict)
    objects: int = 0
    repeats: int = 0
    first: date | None = None
    last: date | None = None
    examples: list[LakeObject] = field(default_factory=list)

    def read(self, source: Source) -> None:
        """Add a file's readings.

        Raises:
            ImportFault: its columns or its times are unclear.
        """
        reader: Reader | None = None
        dialect = csv_rows.dialect(source.path, source.mapping.delimiter, source.mapping.encoding)
        for chunk in csv_rows.chunks(source.path, dialect, self.rejects):
            if reader is None:
                columns = complete(source.mapping, chunk.columns, chunk.file)
                form = file_form(chunk, source.mapping, columns, source.prefix)
                self.forms[source.path] = form
                default = default_machine(source.mapping, _stem(source.path), form.columns)
                reader = Reader(source.mapping, form, default, self.vocabulary, self.rejects)
            for readings in reader.read(chunk):
                self._add(readings)
        if reader is None:
            raise ImportFault(f"{source.path}: there is a header and no row below it")

    def objects_of(self, prefix: str) -> Iterator[LakeObject]:
        """The lake's objects, machine by machine, oldest first; counts them while they are taken."""
        sensors = list(self.vocabulary.sensors)
        for day in self.spill.machine_days():
            self.repeats += day.repeats
            self.first = min(self.first or day.day, day.day)
            self.last = max(self.last or day.day, day.day)
            for item in lake_objects(prefix, day, sensors):
                self.objects += 1
                if self.objects <= _EXAMPLES:
                    self.examples.append(item)
                yield item

    @property
    def machines(self) -> list[Machine]:
        """Whose readings they are, in order."""
        return sorted(self.vocabulary.machines)

    def _add(self, readings: Readings) -> None:
        self.spill.add(readings)
        for name, code in self.vocabulary.sensors.items():
            values = readings.value[readings.sensor == code]
            if len(values):
                self.readings[name.sensor_type] += len(values)
                self.samples.setdefault(name.sensor_type, ValueSample()).add(values)


def csv_sources(paths: Sequence[Path], mapping: ColumnMapping) -> list[Source]:
    """Files, and the CSV files below folders.

    Raises:
        ImportFault: a path does not exist, or a folder has no CSV file.
    """
    sources: list[Source] = []
    for path in paths:
        files = [path]
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.name.lower().endswith((".csv", ".csv.gz")))
            if not files:
                raise ImportFault(f"{path}: no .csv or .csv.gz file below it")
        elif not path.exists():
            raise ImportFault(f"{path}: no such file")
        sources += [Source(file, mapping) for file in files]
    return sources


def lookout_sources(
    files: Sequence[lookout.ComponentFile], components: lookout.Components, mapping: ColumnMapping, equip_id: str
) -> list[Source]:
    """Files of components, as parts of the machine `equip_id` or as machines of their own. Times are UTC, as there."""
    zone = mapping.zone or DEFAULT_ZONE_ID
    sources: list[Source] = []
    for path, component in files:
        name = equip_id if components == "parts" else mapping.machines.get(component, component)
        machine(zone, name)
        own = ColumnMapping(
            columns=Columns(time=_timestamp(path)),
            sensors=mapping.sensors,
            equip=name,
            zone=zone,
            time_zone=mapping.time_zone or "UTC",
            time_format=mapping.time_format,
        )
        sources.append(Source(path, own, f"{component}_" if components == "parts" else ""))
    return sources


def _timestamp(path: Path) -> str:
    names = csv_rows.header(path, csv_rows.dialect(path))
    return next(name for name in names if name.lower() == lookout.TIMESTAMP.lower())


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rpartition(".")[0] or path.name

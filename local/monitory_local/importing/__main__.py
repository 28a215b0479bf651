"""Import history into a lake: `python -m monitory_local.importing --help`.

CSV files (a row a moment with a column per sensor, or a row a reading), maintenance tables (CSV, XLSX) and the layout
of Amazon Lookout for Equipment become the lake's objects and the failure log. Repeating an import loses and doubles
nothing. The last line printed is one JSON object.
"""

import argparse
import json
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from monitory import clock
from monitory.layout import lake_layout
from monitory.sensors import load as load_sensors
from monitory.settings import RetrainSettings, from_environment
from monitory.storage.s3 import S3Storage
from monitory_local.importing import records, sensor_proposal, summary
from monitory_local.importing.errors import ImportFault
from monitory_local.importing.history import History, csv_sources, lookout_sources
from monitory_local.importing.lake.spill import Spill
from monitory_local.importing.lake.upload import Uploads, upload
from monitory_local.importing.readings import Vocabulary
from monitory_local.importing.records import Record
from monitory_local.importing.tables import lookout, mapping
from monitory_local.importing.tables.mapping import ColumnMapping
from monitory_local.importing.tables.times import zone_name
from monitory_local.s3 import DEFAULT_FOLDER, running_s3
from monitory_local.s3.buckets import prepare_lake
from monitory_local.terminal import run

LOG_KEY = "failures.ndjson"
PROPOSAL = Path(".local/sensors.proposed.json")


@dataclass
class Import:
    """Everything that the arguments name, read.

    Attributes:
        history: readings.
        records: of failures and maintenance.
    """

    history: History
    records: list[Record]


class Outcome(NamedTuple):
    """What was written; `uploads` is None for a dry run."""

    uploads: Uploads | None
    new_records: int


def main(argv: Sequence[str] | None = None) -> None:
    """Read what the arguments name, write it unless this is a dry run, and say what it comes to."""
    arguments = _parser().parse_args(argv)
    settings = from_environment(RetrainSettings)
    layout = lake_layout.load(settings.lake_file, settings.sensors_file)
    if not layout.has_default_form:
        raise ImportFault(
            "an import writes the default folders and fields, which the lake's description says are others: "
            "leave `lake` out of the sensor set's file and LAKE_FILE unset"
        )
    clock.set_zone(settings.factory_time_zone or layout.time_zone)
    known = load_sensors(settings.sensors_file)
    with tempfile.TemporaryDirectory(prefix="monitory-import-") as folder:
        content = _read(arguments, Path(folder))
        history = content.history
        print("\n".join(summary.forms(history)))
        outcome = _count(content, settings) if arguments.dry_run else _write(arguments, content, settings)
    names = {sensor.lake_name for sensor in known.sensors}
    unknown = [name for name in history.readings if name not in names]
    if unknown and not arguments.dry_run:
        arguments.proposal = sensor_proposal.write(sensor_proposal.propose(history.samples), arguments.proposal)
    print("\n".join(summary.content(history, content.records, known)))
    log_key = settings.failure_log_key or LOG_KEY
    print("\n".join(summary.next_steps(history, content.records, unknown, arguments, outcome.uploads, log_key)))
    print(json.dumps(summary.figures(history, content.records, outcome.uploads, outcome.new_records)))
    if not history.readings and not content.records:
        sys.exit("error: nothing could be imported; the reasons are above")


def _count(content: Import, settings: RetrainSettings) -> Outcome:
    """Go through all objects and write none."""
    deque(content.history.objects_of(settings.s3_input_data_key), maxlen=0)
    return Outcome(None, 0)


def _write(arguments: argparse.Namespace, content: Import, settings: RetrainSettings) -> Outcome:
    """Write the objects and the records that the store does not have.

    Raises:
        MissingBucket, StorageUnavailable: the lake's bucket cannot be used.
    """
    with running_s3(arguments.folder) as s3, s3.active():
        prepare_lake(s3, settings)
        lake = S3Storage(settings.s3_input_data_bucket_name, region=settings.lake_region)
        uploads = upload(lake, content.history.objects_of(settings.s3_input_data_key))
        key = settings.failure_log_key or LOG_KEY
        return Outcome(uploads, records.merge(lake, key, content.records) if content.records else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m monitory_local.importing",
        description=__doc__.partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="What the columns mean is guessed by their names, or said in a mapping file:\n\n"
        + (mapping.__doc__ or "").partition("\n\n")[2],
    )
    parser.add_argument("files", nargs="*", type=Path, help="CSV files, or folders of them; .gz too")
    parser.add_argument("--mapping", type=Path, help="what the columns mean (TOML or JSON)")
    parser.add_argument("--records", type=Path, action="append", default=[], help="maintenance table (CSV, XLSX)")
    parser.add_argument("--kind", choices=records.KINDS, help="of records and labels, where no column says it")
    parser.add_argument("--lookout", type=Path, metavar="FOLDER", help="COMPONENT/FILE.csv with a column Timestamp")
    parser.add_argument("--labels", type=Path, metavar="PATH", help="their label file, or a folder of such files")
    parser.add_argument("--components", choices=("parts", "machines"), help="of one machine, or machines (--lookout)")
    parser.add_argument("--zone", help="zoneId of files without a column for it (ZONE-001)")
    parser.add_argument("--equip", help="equipId of the same (the file's name)")
    parser.add_argument("--time-zone", help="of times without an offset (the factory's; --lookout: UTC)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written; write nothing")
    parser.add_argument("--proposal", type=Path, default=PROPOSAL, help="file for a proposed sensor set (%(default)s)")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="the embedded S3's (%(default)s)")
    return parser


def _read(arguments: argparse.Namespace, folder: Path) -> Import:
    """What the arguments name.

    Raises:
        ImportFault: they name nothing, or something that cannot be used.
    """
    if not (arguments.files or arguments.records or arguments.lookout):
        raise ImportFault("what is to be imported? Name CSV files, --records or --lookout; --help explains them")
    columns = _mapping(arguments)
    vocabulary = Vocabulary()
    history = History(Spill(folder, vocabulary), vocabulary)
    logged: list[Record] = []
    for path in arguments.records:
        for chunk in records.read_table(path, history.rejects):
            logged += records.records(chunk, columns, arguments.kind, history.rejects)
    for source in csv_sources(arguments.files, columns):
        history.read(source)
    if arguments.lookout:
        files = lookout.component_files(arguments.lookout)
        components = lookout.components_are(files, arguments.components)
        equip_id = columns.equip or arguments.lookout.resolve().name
        for source in lookout_sources(files, components, columns, equip_id):
            history.read(source)
        logged += list(_labels(arguments, components, files, equip_id, history))
    return Import(history, logged)


def _labels(
    arguments: argparse.Namespace,
    components: lookout.Components,
    files: list[lookout.ComponentFile],
    equip_id: str,
    history: History,
) -> Iterator[Record]:
    if arguments.labels:
        owners = lookout.label_files(arguments.labels, components, files, equip_id)
        for path, equip_ids in owners.items():
            yield from records.labels(path, equip_ids, arguments.kind or "failure", history.rejects)


def _mapping(arguments: argparse.Namespace) -> ColumnMapping:
    """The mapping file, with what the arguments say besides."""
    columns = mapping.load(arguments.mapping) if arguments.mapping else ColumnMapping()
    given = {
        "zone": arguments.zone,
        "equip": arguments.equip,
        "time_zone": zone_name(arguments.time_zone),
    }
    return replace(columns, **{name: value for name, value in given.items() if value})


if __name__ == "__main__":
    run(main)

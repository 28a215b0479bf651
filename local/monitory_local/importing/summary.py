"""An import in words and in figures."""

import argparse
import shlex
from collections.abc import Sequence

from monitory.sensors import SensorSet
from monitory_local.importing import records
from monitory_local.importing.history import History
from monitory_local.importing.lake.upload import Uploads
from monitory_local.importing.records import Record
from monitory_local.importing.tables.mapping import as_toml
from monitory_local.s3 import DEFAULT_FOLDER

_FILES = 5
_SENSORS = 40


def forms(history: History) -> list[str]:
    """How files are read: the first few, files of the same form once."""
    lines: list[str] = []
    groups: dict[str, list[str]] = {}
    for path, form in history.forms.items():
        extra = {"time_format": form.time_format, "decimal": form.decimal if form.decimal != "." else None}
        shape = "a column per sensor" if form.sensors else "a row per reading"
        text = [
            f"  {shape}; as a mapping file:",
            *(f"    {line}" for line in as_toml(form.columns, extra).splitlines()),
        ]
        if form.ignored:
            text.append(f"  columns that are left out: {', '.join(filter(None, form.ignored))}")
        groups.setdefault("\n".join(text), []).append(path.name)
    for description, names in groups.items():
        more = f" and {len(names) - _FILES} more" if len(names) > _FILES else ""
        lines += [f"{', '.join(names[:_FILES])}{more}", description, ""]
    return lines


def content(history: History, logged: Sequence[Record], known: SensorSet) -> list[str]:
    """Machines, days, sensors, records, what was left out, and the first objects."""
    lines: list[str] = []
    if history.readings:
        machines = history.machines
        named = ", ".join(map(str, machines[:3])) + (" …" if len(machines) > 3 else "")
        lines.append(f"machines   {len(machines)}: {named}")
        lines.append(f"days       {history.first} to {history.last}, machine-days {len(history.spill):,}")
        lines.append(f"readings   {history.readings.total():,} in {history.objects:,} objects (a machine's hour each)")
        if history.repeats:
            lines.append(f"repeats    {history.repeats:,} exact ones, left out")
        lines += _sensors(history, known)
    if logged:
        kinds = ", ".join(f"{count} {kind}" for kind, count in records.count_kinds(logged).most_common())
        lines.append(f"records    {kinds}")
        lines += _strangers(history, logged)
    if history.rejects.counts:
        lines += ["left out:", *(f"  {sentence}" for sentence in history.rejects.sentences())]
    if history.rejects.empty:
        lines.append(f"empty      {history.rejects.empty:,} cells without a value: no reading")
    if history.examples:
        lines.append("first objects:")
        for item in history.examples:
            lines.append(f"  {item.key}  ({item.readings} readings)")
        lines.append(f"    {history.examples[0].body.decode().partition(chr(10))[0]}")
    return lines


def next_steps(
    history: History,
    logged: Sequence[Record],
    unknown: Sequence[str],
    arguments: argparse.Namespace,
    uploads: Uploads | None,
    log_key: str,
) -> list[str]:
    """What to do now."""
    if uploads is None:
        return ["", "This was a dry run: nothing is written. The same command without it writes this."]
    lines = ["", f"{uploads.new:,} objects are new, {uploads.present:,} were there already."]
    settings: list[str] = []
    if unknown:
        settings.append(f"SENSORS_FILE={arguments.proposal}")
        lines.append(
            f"{arguments.proposal} proposes a sensor set: units unknown, limits where nearly all values lie between. "
            "Look at it before you trust it."
        )
    if logged:
        settings.append(f"FAILURE_LOG_KEY={log_key}")
    if history.first:
        words = [*settings, "make invoke-retrain", f"START={history.first}", f"END={history.last}"]
        if arguments.folder != DEFAULT_FOLDER:
            words.append(f"FOLDER={shlex.quote(str(arguments.folder))}")
        lines.append(f"Train on it: {' '.join(words)}")
    return lines


def figures(history: History, logged: Sequence[Record], uploads: Uploads | None, added: int) -> dict[str, object]:
    """The same for programs."""
    return {
        "machines": len(history.machines),
        "first": str(history.first) if history.first else None,
        "last": str(history.last) if history.last else None,
        "readings": history.readings.total(),
        "objects": history.objects,
        "new_objects": uploads.new if uploads else 0,
        "present_objects": uploads.present if uploads else 0,
        "repeats": history.repeats,
        "empty": history.rejects.empty,
        "rejected": dict(history.rejects.counts),
        "records": dict(records.count_kinds(logged)),
        "new_records": added,
        "dry_run": uploads is None,
    }


def _sensors(history: History, known: SensorSet) -> list[str]:
    names = {sensor.lake_name for sensor in known.sensors}
    lines = ["sensors"]
    for name, count in history.readings.most_common(_SENSORS):
        low, middle, high = history.samples[name].quantiles()
        note = ""
        if name not in names:
            near = known.resembling(name)
            note = f"  not in the sensor set{f' (did you mean {near}?)' if near else ''}"
        lines.append(f"  {name:24} {count:>12,} readings, most from {low:.5g} to {high:.5g}, median {middle:.5g}{note}")
    if len(history.readings) > _SENSORS:
        lines.append(f"  and {len(history.readings) - _SENSORS} more")
    return lines


def _strangers(history: History, logged: Sequence[Record]) -> list[str]:
    """Machines that records name and readings do not."""
    present = {machine.equip_id for machine in history.machines}
    strangers = sorted({record["equipId"] for record in logged} - present) if present else []
    if not strangers:
        return []
    return [f"           of machines without readings here: {', '.join(strangers[:5])}{' …' if strangers[5:] else ''}"]

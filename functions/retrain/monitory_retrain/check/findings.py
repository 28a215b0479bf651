"""From what was seen to sentences with what to do, the most important first. No I/O."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date

from monitory.decoding import rejects
from monitory.lake import Lake
from monitory.lake_listing import LakeObject
from monitory_retrain.check.grades import LOW, SensorGrade
from monitory_retrain.check.result import Finding, Level, Training
from monitory_retrain.check.sampling import Sample
from monitory_retrain.check.survey import Survey, as_setting

_ORDER = {"stop": 0, "warn": 1, "note": 2}
MANY_OBJECTS = 20
"""Objects of a machine's hour beyond which requests cost more than readings."""

LATE_HOURS = 2.5
MAX_GAPS = 0.2
_THERE = re.compile(r"(\w+) is missing, '([^']+)' is there")
_CONTRACT = {"zoneId", "equipId", "sensorId", "sensorType", "val", "time"}


def ranked(findings: Iterator[Finding]) -> list[Finding]:
    """Findings, the most important first."""
    return sorted(findings, key=lambda finding: _ORDER[finding.level])


def of_survey(found: Survey, lake: Lake, first: date, last: date) -> Iterator[Finding]:
    """What the listing alone tells."""
    where = f"s3://{lake.storage.name}/{lake.prefix}/"
    pattern = lake.layout.pattern.pattern
    if found.unplaced and found.suggestion in {None, pattern}:
        yield Finding(
            "warn" if found.listing else "stop",
            f"{len(found.unplaced):,} objects are not read: their folders name no machine that can be used "
            f"({found.unplaced[0]!a})",
            "write ids of letters, digits and - _ . : and put objects below their machine's folder",
        )
        return
    if found.listing:
        return
    looked = f"{where} has nothing for {first} to {last} in the layout {pattern}"
    if found.newest:
        event = json.dumps({"start": str(found.newest.replace(day=1)), "end": str(found.newest)})
        yield Finding(
            "stop", f"{looked}; the newest date is {found.newest}", f"write newer objects, or retrain on those: {event}"
        )
    elif found.suggestion:
        yield Finding(
            "stop",
            f"{looked}; what lies there follows {found.suggestion} ({found.other_keys[0]})",
            f"write into the sensor set's file: {as_setting(found.suggestion)}",
        )
    elif found.other_keys:
        yield Finding(
            "stop",
            f"{looked}; there lies {found.other_keys[0]!a}",
            'describe the folders in the sensor set\'s file: "lake": {"folders": "…"}',
        )
    elif found.other_prefixes:
        folders = ", ".join(f"{name}/" for name in found.other_prefixes[:8])
        yield Finding(
            "stop",
            f"{where} is empty; the bucket has {folders}",
            f"set S3_INPUT_DATA_KEY, to {found.other_prefixes[0]}/ perhaps",
        )
    else:
        yield Finding(
            "stop",
            f"the bucket {lake.storage.name} is empty",
            "write objects into it, or set S3_INPUT_DATA_BUCKET_NAME",
        )


def of_records(sample: Sample, lake: Lake) -> Iterator[Finding]:
    """What the records tell: formats, fields, ids, times."""
    counts, samples = sample.counts.rejected, sample.counts.samples
    total = sample.counts.readings + sum(counts.values())
    for reason, count in counts.most_common():
        sample_text = samples.get(reason, "")
        if reason == rejects.UNKNOWN_SENSOR and not sample_text and sample.counts.readings:
            continue  # sensors that nobody wants
        what = rejects.sentence(reason, count, sample_text).partition(": ")
        todo = _remedy(reason, sample_text) or what[2] or "see docs/your-data.md"
        share = count / total if total else 1.0
        level: Level = "stop" if not sample.counts.readings or share > 0.5 else "warn" if share > 0.001 else "note"
        yield Finding(level, f"{what[0]}, {share:.1%} of the sample", todo)
    for text in sample.counts.unreadable[:3]:
        yield Finding("stop" if not sample.counts.readings else "warn", *_halves(text))
    yield from _of_delays(sample)


def _remedy(reason: str, sample: str) -> str:
    """What to do about a reason, where its sentence does not say it or a setting helps."""
    if reason == rejects.MISSING_FIELD and (there := _THERE.findall(sample)):
        names = {name: other for name, other in there if name in _CONTRACT}
        if names:
            return f'write into the sensor set\'s file: "lake": {{"fields": {json.dumps(names)}}}'
    if reason == rejects.SEVERAL_SENSORS:
        return 'write into the sensor set\'s file: "lake": {"wide": true}'
    if reason == rejects.UNKNOWN_SENSOR:
        return "rename them, or write a sensor set with these lake_names (SENSORS_FILE)"
    return {
        rejects.FOREIGN_FORMAT: "convert it to NDJSON, or set the format of the lake",
        rejects.OTHER_DATE: "write readings into the folder of their date",
        rejects.WRONG_TYPE: "write numbers, texts and ISO times as the contract has them",
        rejects.MISSING_FIELD: "write all fields of the contract",
        rejects.NOT_FINITE: "leave such readings out",
    }.get(reason, "")


def _halves(text: str) -> tuple[str, str]:
    what, semicolon, todo = text.rpartition("; ")
    return (what, todo) if semicolon else (text, "write one JSON object a line")


def _of_delays(sample: Sample) -> Iterator[Finding]:
    delays = sorted(sample.raw.delays)
    if len(delays) < 3:
        return
    middle = delays[len(delays) // 2]
    if middle < -0.1:
        yield Finding(
            "stop" if middle < -1 else "warn",
            f"readings lie {-middle:.1f} h after the writing of their objects: a clock is ahead, or in another zone",
            "set the clock, write times with Z, or set naive_time_zone in the lake's description",
        )
    elif middle > LATE_HOURS and delays[-1] - delays[0] < 2:
        yield Finding(
            "warn",
            f"objects are written {middle:.1f} h after their readings, always: is the readings' clock in another zone?",
            "write times with their offset, or set naive_time_zone in the lake's description",
        )


def of_sensors(grades: list[SensorGrade], unknown: Mapping[str, tuple[int, str]]) -> Iterator[Finding]:
    """What is wrong with single sensors."""
    for grade in grades:
        for reason in grade.reasons[:2]:
            what, _, todo = reason.partition(": ")
            yield Finding("warn" if grade.grade == LOW else "note", f"{grade.sensor}: {what}", todo)
    for name, (count, meant) in unknown.items():
        if meant:
            yield Finding(
                "warn",
                f"{count:,} readings of {name!a} are of no sensor of the set",
                f"did you mean {meant}? Rename one",
            )


def of_objects(found: Survey, gaps: Mapping[str, float], is_shared: bool) -> Iterator[Finding]:
    """What sizes and gaps tell."""
    if not found.listing:
        return
    objects: list[LakeObject] = found.objects
    hours = 24 * sum(len(machines) for machines in found.listing.values())
    if not is_shared and len(objects) > MANY_OBJECTS * hours:
        size = sum(item.size for item in objects) // len(objects)
        yield Finding(
            "warn",
            f"{len(objects) / hours:.0f} objects hold one hour of a machine, {size:,} bytes each",
            "let the stream collect readings for an hour, or at least some minutes, before it writes",
        )
    silent = {machine: share for machine, share in gaps.items() if share > MAX_GAPS}
    if silent:
        worst = max(silent, key=lambda machine: silent[machine])
        yield Finding(
            "warn",
            f"{len(silent)} machines lack more than {MAX_GAPS:.0%} of their hours, {worst} {silent[worst]:.0%}",
            "look for lost messages, or for machines that are off",
        )


def of_training(training: Training) -> Iterator[Finding]:
    """What tonight's retrain lacks."""
    if training.would_train:
        return
    todo = "wait for more data, or train on a longer range (TRAINING_DAYS)"
    if training.supply.failures == 0:
        todo = (
            "the readings show no failure: give a failure log (FAILURE_LOG_KEY), or set low and high of the sensor set "
            "to where a machine has failed"
        )
    yield Finding("warn", f"tonight's retrain would be skipped: {'; '.join(training.missing)}", todo)

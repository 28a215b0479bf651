"""Checks a lake: surveys it, reads a sample, and says what to do first."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from statistics import median

from monitory import clock
from monitory.decoding import rejects
from monitory.errors import MonitoryError
from monitory.lake import Lake
from monitory.logbook.logbook import Logbook
from monitory.sensors import SensorSet
from monitory.settings import RetrainSettings
from monitory.storage.port import Storage
from monitory_retrain.check import findings as judge
from monitory_retrain.check import grades, prices, sampling, survey
from monitory_retrain.check.probe import Probe
from monitory_retrain.check.result import Extent, Finding, LakeCheck, Training
from monitory_retrain.check.sampling import RawSample, Sample
from monitory_retrain.check.survey import Survey
from monitory_retrain.dataset import labels, sufficiency
from monitory_retrain.dataset.completeness import completeness
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.dataset.labels import Labels
from monitory_retrain.ingest.lake_config import LakeConfig

MAX_KEYS = 200_000
"""Keys that are listed, in all dates together."""

THREADS = 8

_REMEDIES = {
    "NoSuchBucket": "set S3_INPUT_DATA_BUCKET_NAME to the lake's bucket, or create it",
    "AccessDenied": "allow s3:ListBucket and s3:GetObject on the lake's bucket",
    "InvalidAccessKeyId": "set credentials that the store knows",
    "SignatureDoesNotMatch": "set credentials that the store knows",
    "PermanentRedirect": "set S3_INPUT_DATA_REGION to the bucket's region",
    "AuthorizationHeaderMalformed": "set S3_INPUT_DATA_REGION to the bucket's region",
}
"""By codes of S3."""


def check(
    storage: Storage,
    config: LakeConfig,
    settings: RetrainSettings,
    now: datetime,
    logbook: Logbook | None = None,
    log_faults: Sequence[Finding] = (),
) -> tuple[LakeCheck, HourTable | None, list[date]]:
    """Check a lake.

    Args:
        storage: its bucket; nothing is written.
        config: where the lake lies in it, and its shape.
        settings: limits of training.
        now: the present, aware.
        logbook: failures and maintenance, where there is a log.
        log_faults: what of the log cannot be read.

    Returns:
        The result; hour rows of the sample and the dates, for drawings.
    """
    last = now.astimezone(clock.zone()).date()
    days = clock.days_between(last - timedelta(days=settings.training_days), last)
    probe = Probe(storage, max(1000, MAX_KEYS // len(days)))
    lake = config.lake_in(probe)
    try:
        found = survey.survey(lake, probe, days)
        sample = None
        if found.listing:
            with ThreadPoolExecutor(THREADS) as executor:
                sample = sampling.read(lake, config.sensors, found, executor)
    except MonitoryError as exc:
        extent = _extent(lake, probe, Survey({}), days, None)
        finding = Finding("stop", f"the lake cannot be read: {exc}", _remedy(str(exc)))
        return _result([finding], extent), None, days
    extent = _extent(lake, probe, found, days, sample)
    seen = list(judge.of_survey(found, lake, days[0], days[-1]))
    seen += log_faults
    if sample is None:
        return _result(seen, extent), None, days
    return _judged(lake, config.sensors, settings, found, sample, extent, seen, logbook), sample.table, days


def _remedy(fault: str) -> str:
    """What to do about a store's fault, by the store's own code."""
    return next((todo for code, todo in _REMEDIES.items() if code in fault), "look at the store's own words")


def _judged(
    lake: Lake,
    sensors: SensorSet,
    settings: RetrainSettings,
    found: Survey,
    sample: Sample,
    extent: Extent,
    seen: list[Finding],
    logbook: Logbook | None,
) -> LakeCheck:
    unknown = _unknown(sample.raw, sensors)
    seen += judge.of_records(sample, lake)
    gaps: dict[str, float] = {}
    graded: list[grades.SensorGrade] = []
    training = None
    if len(sample.table):
        presence = completeness(sample.table, sorted(found.listing), clock.hour_of(clock.now()))
        hours = max(int(presence.expected.sum()), 1)
        gaps = {
            str(machine): float(lack) / hours
            for machine, lack in zip(presence.machines, presence.missing, strict=True)
            if any(owner.covers(machine) for owner in sample.whole)
        }
        by_readings = labels.label_by(settings, sample.table, sensors)
        used = by_readings if logbook is None else labels.label_by(settings, sample.table, sensors, logbook)
        graded = grades.grade(sample.table, sensors, sample.raw.sensors, used.failures)
        training = _training(found, sample, settings, by_readings, used, logbook)
        seen += judge.of_training(training)
        seen += judge.of_sensors(graded, unknown)
        seen += judge.of_objects(found, gaps, lake.layout.is_shared)
    counts = sample.counts
    return _result(
        seen,
        extent,
        sensors=graded,
        unknown_sensors=unknown,
        rejected=dict(counts.rejected),
        losses=rejects.sentences(counts.rejected, counts.samples, unknown_sensors=True),
        delay_hours=_delay(sample.raw),
        gaps=gaps,
        training=training,
        dollars_a_month=_dollars(found, sample, settings),
    )


def _delay(raw: RawSample) -> float | None:
    """The median delay of a lake in which hardly anything is an imported history."""
    is_live = 2 * len(raw.delays) > sum(raw.formats.values())
    return median(raw.delays) if is_live else None


def _result(
    seen: list[Finding],
    extent: Extent,
    *,
    sensors: list[grades.SensorGrade] | None = None,
    unknown_sensors: dict[str, tuple[int, str]] | None = None,
    rejected: dict[str, int] | None = None,
    losses: list[str] | None = None,
    delay_hours: float | None = None,
    gaps: dict[str, float] | None = None,
    training: Training | None = None,
    dollars_a_month: float | None = None,
) -> LakeCheck:
    ordered = judge.ranked(iter(seen))
    urgent = next((finding for finding in ordered if finding.level != "note"), None)
    todo = "nothing: the lake is understood, and tonight's retrain would train"
    if urgent:
        todo = f"{urgent.todo} ({urgent.what})"
    return LakeCheck(
        "checked",
        todo,
        ordered,
        extent,
        sensors or [],
        unknown_sensors or {},
        rejected or {},
        losses or [],
        delay_hours,
        gaps or {},
        training,
        dollars_a_month,
    )


def _extent(lake: Lake, probe: Probe, found: Survey, days: list[date], sample: Sample | None) -> Extent:
    zones: dict[str, int] = {}
    for machine in found.machines:
        if machine.zone_id:
            zones[machine.zone_id] = zones.get(machine.zone_id, 0) + 1
    by_day = {day: [item for items in machines.values() for item in items] for day, machines in found.listing.items()}
    machines = len([machine for machine in found.machines if machine.equip_id])
    return Extent(
        lake.storage.name,
        lake.prefix,
        lake.layout.pattern.pattern,
        days[0],
        days[-1],
        len(found.objects),
        sum(item.size for item in found.objects),
        {day: (len(items), sum(item.size for item in items)) for day, items in by_day.items()},
        zones,
        machines or (sample.machines if sample else 0),
        found.is_cut,
        dict(sample.raw.formats) if sample else {},
        sample.counts.read if sample else 0,
        probe.lists + probe.gets,
    )


def _unknown(raw: RawSample, sensors: SensorSet) -> dict[str, tuple[int, str]]:
    """The readings of names that are no sensor's, the most frequent first, and which sensor may be meant."""
    names = {sensor.lake_name for sensor in sensors.sensors}
    ordered = sorted(raw.sensors.items(), key=lambda item: -item[1].count)
    return {name: (sample.count, sensors.resembling(name) or "") for name, sample in ordered if name not in names}


def _training(
    found: Survey,
    sample: Sample,
    settings: RetrainSettings,
    by_readings: Labels,
    used: Labels,
    logbook: Logbook | None,
) -> Training:
    supply = sufficiency.supply(sample.table, used)
    if not sample.is_complete:
        times = len(found.objects) / max(1, sample.counts.objects)
        supply = supply._replace(
            days=len(found.listing),
            machines=max(supply.machines, len([machine for machine in found.machines if machine.equip_id])),
            readings=round(supply.readings * times),
            failures=round(supply.failures * times),
            labelled_rows=round(supply.labelled_rows * times),
        )
    missing = sufficiency.shortfalls(supply, settings)
    logged = None
    if logbook is not None:
        logged = {str(machine): len(hours) for machine, hours in used.failures.items()}
    shown = {str(machine): len(hours) for machine, hours in by_readings.failures.items()}
    return Training(not missing, missing, supply, sample.is_complete, shown, logged)


def _dollars(found: Survey, sample: Sample, settings: RetrainSettings) -> float:
    """A month's nights, and a prediction of each machine and hour."""
    days = len(found.listing)
    objects = len(found.objects) / days
    megabytes = sum(item.size for item in found.objects) / days / 1e6
    machines = len([machine for machine in found.machines if machine.equip_id]) or sample.machines
    seconds = prices.Measured().object_seconds * max(0.2, megabytes / objects / 0.825)
    measured = prices.Measured()._replace(object_seconds=seconds)
    night = prices.night(round(objects), megabytes, settings.training_days, measured, machine_hours=24 * machines)
    return 30 * (night.dollars + 24 * machines * prices.PREDICTION_PRICE)
